use std::path::PathBuf;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::TempDir;

use super::*;

/// A folder with a certificate, its key, and what people take for them.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder"))
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).expect("a writable folder");
        path
    }
}

fn certified() -> (String, String) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["us".to_owned()]).expect("a certificate");
    (cert.pem(), signing_key.serialize_pem())
}

fn said<T>(outcome: Result<T, impl Into<TlsError>>) -> String {
    outcome
        .map_err(Into::into)
        .map_or_else(|error: TlsError| error.to_string(), |_| "accepted".into())
}

#[test]
fn certificate_and_key_that_belong_together_are_taken_from_one_file_or_from_two() {
    let (folder, (certificate, key)) = (Folder::new(), certified());
    let both = folder.file("both.pem", format!("{key}\n{certificate}"));
    let (certificate, key) = (
        folder.file("cert.pem", certificate),
        folder.file("key.pem", key),
    );
    for (certificate, key) in [(&certificate, &key), (&both, &both)] {
        let tls = Tls::with_certificate(
            Authorities::in_file(certificate).expect("it is its own CA"),
            Certificates::in_file(certificate).expect("a certificate"),
            PrivateKey::in_file(key).expect("a key"),
        )
        .expect("they belong together");
        assert!(tls.has_certificate());
    }
    let tls = Tls::new(Authorities::in_file(&certificate).expect("a CA"));
    assert!(!tls.has_certificate());
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let folder = Folder::new();
    let ((certificate, _), (_, key)) = (certified(), certified());
    let (certificate, key) = (
        folder.file("cert.pem", certificate),
        folder.file("key.pem", key),
    );
    let tls = Tls::with_certificate(
        Authorities::in_file(&certificate).expect("a CA"),
        Certificates::in_file(&certificate).expect("a certificate"),
        PrivateKey::in_file(&key).expect("a key"),
    );
    assert!(said(tls).contains("does not belong to the certificate"));
}

#[test]
fn what_is_no_certificate_is_named_with_its_remedy() {
    let (folder, (certificate, key)) = (Folder::new(), certified());
    let damaged = certificate.replace('\n', "\n*");
    let not_der =
        "-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n";
    for (path, expected) in [
        (
            PathBuf::from("/nowhere/ca.pem"),
            "can't be read: No such file",
        ),
        (PathBuf::from("/dev/zero"), "longer than 4 MiB"),
        (folder.file("empty", ""), "has no certificate in PEM form"),
        (folder.file("key", key), "has no certificate in PEM form"),
        (
            folder.file("der", [0x30, 0x82, 0x01]),
            "openssl x509 -inform der",
        ),
        (folder.file("damaged", damaged), "is damaged"),
        (
            folder.file("no-der", not_der),
            "no certificate that can be used",
        ),
    ] {
        let message = said(Authorities::in_file(&path));
        assert!(message.contains(expected), "{path:?}: {message}");
    }
}

#[test]
fn what_is_no_key_is_named_with_its_remedy_and_not_shown() {
    let (folder, (certificate, key)) = (Folder::new(), certified());
    let locked = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let nonsense = "-----BEGIN PRIVATE KEY-----\naHVudGVyMg==\n-----END PRIVATE KEY-----\n";
    for (path, expected) in [
        (
            PathBuf::from("/nowhere/key.pem"),
            "can't be read: No such file",
        ),
        (
            folder.file("cert", certificate),
            "has no private key in PEM form",
        ),
        (folder.file("locked", locked), "openssl pkey -in"),
        (
            folder.file("nonsense", nonsense),
            "can't be used; RSA, ECDSA",
        ),
    ] {
        let message = said(PrivateKey::in_file(&path));
        assert!(message.contains(expected), "{path:?}: {message}");
        assert!(!message.contains("aHVudGVyMg"), "{message}");
    }
}

#[test]
fn the_key_is_not_printed() {
    let (folder, (certificate, key)) = (Folder::new(), certified());
    let both = folder.file("both.pem", format!("{key}\n{certificate}"));
    let tls = Tls::with_certificate(
        Authorities::in_file(&both).expect("a CA"),
        Certificates::in_file(&both).expect("a certificate"),
        PrivateKey::in_file(&both).expect("a key"),
    )
    .expect("they belong together");
    assert_eq!(format!("{tls:?}"), "Tls { certificate: true, .. }");
}
