//! rustls's own judgement of a server's certificate, by those CAs that are valid at the time.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};

use crate::authorities::Authorities;

pub(crate) struct Verifier {
    authorities: Authorities,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    pub(crate) fn new(authorities: Authorities, provider: &CryptoProvider) -> Self {
        Self {
            authorities,
            algorithms: provider.signature_verification_algorithms,
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        server: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let server = ParsedCertificate::try_from(server)?;
        let signed_by = |roots: RootCertStore| {
            let algorithms = self.algorithms.all;
            verify_server_cert_signed_by_trust_anchor(
                &server,
                &roots,
                intermediates,
                now,
                algorithms,
            )
        };
        let (mut valid, mut others) = (RootCertStore::empty(), Vec::new());
        for authority in &self.authorities.0 {
            let anchor = authority.anchor.clone();
            match authority.at(now) {
                Ok(()) => valid.roots.push(anchor),
                Err(out_of_date) => others.push((anchor, out_of_date)),
            }
        }
        signed_by(valid).map_err(|error| {
            // Is it one of the others that signed, then this is what to say.
            let mut others = others.into_iter();
            others
                .find(|(anchor, _)| signed_by([anchor.clone()].into_iter().collect()).is_ok())
                .map_or(error, |(_, out_of_date)| {
                    CertificateError::Other(OtherError(Arc::new(out_of_date))).into()
                })
        })?;
        verify_server_name(&server, name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Verifier").field(&self.authorities).finish()
    }
}
