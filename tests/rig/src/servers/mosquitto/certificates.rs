//! Certificates for the broker's TLS listener, right ones and wrong ones, by CAs of our own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use tempfile::TempDir;

/// The file of the certificate, in the folder that the broker reads.
pub(super) const CERTIFICATE: &str = "certificate.pem";

/// The file of its key.
pub(super) const KEY: &str = "key.pem";

/// Whom the certificate is for until the broker's address is known, for nobody.
const NOBODY: &str = "nobody.invalid";

/// The certificate that the broker shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certificate {
    /// Of our CA, for the broker's name, valid.
    Right,
    /// The same, of a CA that nobody trusts.
    OfUnknownCa,
    /// The same, of a CA that ended years ago.
    OfExpiredCa,
    /// The same of our CA, but it ended years ago.
    Expired,
    /// The same, but for another name.
    ForAnotherName,
}

/// The CAs and the folder that the broker reads.
pub(super) struct Certificates {
    ours: Issuer<'static, KeyPair>,
    unknown: Issuer<'static, KeyPair>,
    expired: Issuer<'static, KeyPair>,
    folder: TempDir,
    ca: PathBuf,
    expired_ca: PathBuf,
}

impl Certificates {
    /// New CAs, and a certificate for nobody: the broker wants one before it has an address.
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let (ours, pem) = authority("ours", 2100);
        let (unknown, _) = authority("unknown", 2100);
        let (expired, expired_pem) = authority("expired", 2021);
        let ca = folder.path().join("ca.pem");
        let expired_ca = folder.path().join("expired-ca.pem");
        for (path, pem) in [(&ca, pem), (&expired_ca, expired_pem)] {
            fs::write(path, pem).expect("a temporary folder can be written");
        }
        // Mosquitto has given up root's rights when it reads them; the keys are worth nothing.
        open_to_all(folder.path(), 0o755);
        let this = Self {
            ours,
            unknown,
            expired,
            folder,
            ca,
            expired_ca,
        };
        this.show(Certificate::Right, NOBODY);
        this
    }

    /// Puts another certificate, with a new key, in the place of the last one. `host`, a name or an
    /// address, is what clients connect to.
    pub(super) fn show(&self, certificate: Certificate, host: &str) {
        let (issuer, name, end) = match certificate {
            Certificate::Right => (&self.ours, host, 2100),
            Certificate::OfUnknownCa => (&self.unknown, host, 2100),
            Certificate::OfExpiredCa => (&self.expired, host, 2100),
            Certificate::Expired => (&self.ours, host, 2021),
            Certificate::ForAnotherName => (&self.ours, "broker.invalid", 2100),
        };
        let key = KeyPair::generate().expect("ring makes keys");
        let mut params = CertificateParams::new([name.to_owned()]).expect("a sound name");
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(end, 1, 1);
        let signed = params.signed_by(&key, issuer).expect("the CA signs");
        for (file, pem) in [(CERTIFICATE, signed.pem()), (KEY, key.serialize_pem())] {
            let path = self.folder.path().join(file);
            fs::write(&path, pem).expect("a temporary folder can be written");
            open_to_all(&path, 0o644);
        }
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What clients are to trust.
    pub(super) fn ca_file(&self) -> &Path {
        &self.ca
    }

    /// What clients trusted years ago.
    pub(super) fn expired_ca_file(&self) -> &Path {
        &self.expired_ca
    }
}

fn authority(name: &str, end: i32) -> (Issuer<'static, KeyPair>, String) {
    let key = KeyPair::generate().expect("ring makes keys");
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2000, 1, 1);
    params.not_after = date_time_ymd(end, 1, 1);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = params.self_signed(&key).expect("a CA signs itself").pem();
    (Issuer::new(params, key), pem)
}

fn open_to_all(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is our own");
}
