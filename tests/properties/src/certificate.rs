//! The certificate that a gateway shows.

use envoy::fuzzing;
use rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

use crate::{Input, logged};

/// A certificate in DER: its key is a part of it, and the one that the library has which judges certificates of CAs, where
/// that reads it, too.
pub(crate) fn certificate(data: &[u8]) -> Input {
    let key = match fuzzing::certificate_key(data) {
        Ok(key) => key,
        Err(error) => {
            logged::is_fit(&error);
            return Input::Refused;
        }
    };
    assert!(data.windows(key.len()).any(|part| part == key));
    let certificate = CertificateDer::from(data);
    if let Ok(judged) = EndEntityCert::try_from(&certificate) {
        assert_eq!(key, *judged.subject_public_key_info());
    }
    Input::Understood
}
