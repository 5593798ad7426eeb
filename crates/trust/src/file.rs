//! Files for TLS, all of them PEM.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// The longest file that is read. The CAs of a whole system have some 200 kB; this bounds what a
/// wrong path can cost.
const LONGEST: u64 = 4 * 1024 * 1024;

/// What is wrong with a file. Its name is left to whoever knows the setting.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file can't be read.
    #[error("can't be read: {0}")]
    Unreadable(io::Error),
    /// The file is far too long.
    #[error("is longer than 4 MiB; name the PEM file with the certificates")]
    TooLong,
    /// There is no certificate in it.
    #[error(
        "has no certificate in PEM form (-----BEGIN CERTIFICATE-----); if it is in DER form, convert it with: openssl x509 -inform der -in FILE -out FILE.pem"
    )]
    NoCertificate,
    /// The PEM is damaged, or nothing in it is a certificate that can be used.
    #[error("has no certificate that can be used; the file is damaged or holds something else")]
    BadCertificate,
    /// None of its CAs is valid any more.
    #[error(
        "has no CA that is still valid, the last one expired on {last}; name a file with the CA's new certificate (or check this machine's clock)"
    )]
    Expired {
        /// The day, in UTC.
        last: String,
    },
    /// The system has no CAs.
    #[error(
        "no CA certificates were found on this system; install ca-certificates or name a CA file"
    )]
    NoSystemCas,
}

/// The certificates in a PEM file, in its order; at least one.
pub fn certificates(path: impl AsRef<Path>) -> Result<Vec<CertificateDer<'static>>, FileError> {
    let certificates = CertificateDer::pem_slice_iter(&read(path)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| FileError::BadCertificate)?;
    if certificates.is_empty() {
        return Err(FileError::NoCertificate);
    }
    Ok(certificates)
}

/// What is in a file.
pub fn read(path: impl AsRef<Path>) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes))
        .map_err(FileError::Unreadable)?;
    if bytes.len() as u64 > LONGEST {
        return Err(FileError::TooLong);
    }
    Ok(bytes)
}
