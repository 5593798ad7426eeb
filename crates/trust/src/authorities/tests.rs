#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::client::danger::ServerCertVerifier;
use tempfile::TempDir;

use super::*;

/// A CA that is valid in these years.
struct Ca {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Ca {
    fn new(name: &str, from: i32, until: i32) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        Self { issuer, pem }
    }

    /// A server's certificate that is always valid.
    fn server(&self) -> CertificateDer<'static> {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["server".to_owned()]).unwrap();
        params.signed_by(&key, &self.issuer).unwrap().der().clone()
    }
}

/// A file with these CAs.
struct Bundle {
    path: PathBuf,
    _folder: TempDir,
}

impl Bundle {
    fn of(cas: &[&Ca]) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("ca.pem");
        let pem: String = cas.iter().map(|ca| ca.pem.as_str()).collect();
        std::fs::write(&path, pem).unwrap();
        Self {
            path,
            _folder: folder,
        }
    }

    fn read_in(&self, year: u64) -> Result<Authorities, FileError> {
        Authorities::in_file_at(&self.path, middle_of(year))
    }
}

fn middle_of(year: u64) -> UnixTime {
    const YEAR: Duration = Duration::from_secs(31_556_952);
    let years = u32::try_from(year - 1970).unwrap();
    UnixTime::since_unix_epoch(YEAR * years + YEAR / 2)
}

/// What is said of the server in the middle of this year; nothing when it is trusted.
fn handshake(authorities: &Authorities, server: &CertificateDer<'_>, year: u64) -> String {
    let provider = rustls::crypto::ring::default_provider();
    let name = "server".try_into().unwrap();
    Verifier::new(authorities.clone(), &provider)
        .verify_server_cert(server, &[], &name, &[], middle_of(year))
        .map_or_else(
            |error| match OutOfDate::behind(&error) {
                Some(ca) => ca.to_string(),
                None => error.to_string(),
            },
            |_| String::new(),
        )
}

#[test]
fn a_ca_is_trusted_until_it_expires_however_long_the_program_runs() {
    let ca = Ca::new("ours", 2020, 2030);
    let (bundle, server) = (Bundle::of(&[&ca]), ca.server());
    let authorities = bundle.read_in(2025).unwrap();
    let file = bundle.path.display();
    assert_eq!(handshake(&authorities, &server, 2029), "");
    assert_eq!(
        handshake(&authorities, &server, 2030),
        format!("the CA 'CN=ours' in {file} expired on 2030-01-01")
    );
    assert_eq!(
        handshake(&authorities, &server, 2019),
        format!("the CA 'CN=ours' in {file} is not valid before 2020-01-01")
    );
}

#[test]
fn beside_an_expired_ca_its_successor_is_trusted_and_it_is_not() {
    let (old, new) = (Ca::new("old", 2000, 2020), Ca::new("new", 2019, 2040));
    let authorities = Bundle::of(&[&old, &new]).read_in(2025).unwrap();
    assert_eq!(handshake(&authorities, &new.server(), 2025), "");
    let said = handshake(&authorities, &old.server(), 2025);
    assert!(said.starts_with("the CA 'CN=old' in "), "{said}");
    assert!(said.ends_with(" expired on 2020-01-01"), "{said}");
    // Today is neither too early nor too late for the new one.
    let doubts = authorities.out_of_date();
    assert_eq!(doubts.len(), 1);
    assert!(doubts[0].to_string().contains("CN=old"), "{doubts:?}");
}

/// An own CA that was made anew keeps its name, so both are asked.
#[test]
fn a_ca_renewed_under_its_name_is_trusted_beside_the_expired_one() {
    let (old, new) = (Ca::new("ours", 2000, 2020), Ca::new("ours", 2019, 2040));
    for order in [[&old, &new], [&new, &old]] {
        let authorities = Bundle::of(&order).read_in(2025).unwrap();
        assert_eq!(handshake(&authorities, &new.server(), 2025), "");
        let said = handshake(&authorities, &old.server(), 2025);
        assert!(said.ends_with(" expired on 2020-01-01"), "{said}");
    }
}

#[test]
fn a_server_of_another_ca_is_unknown_even_if_ours_has_expired() {
    let (ours, other) = (Ca::new("ours", 2020, 2030), Ca::new("other", 2020, 2040));
    let authorities = Bundle::of(&[&ours]).read_in(2025).unwrap();
    for year in [2025, 2035] {
        let said = handshake(&authorities, &other.server(), year);
        assert!(said.contains("UnknownIssuer"), "{said}");
    }
}

#[test]
fn a_file_in_which_all_have_expired_is_a_mistake_and_one_for_the_future_is_none() {
    let (older, old) = (Ca::new("older", 2000, 2010), Ca::new("old", 2000, 2020));
    let bundle = Bundle::of(&[&old, &older]);
    assert!(bundle.read_in(2015).is_ok(), "one was still valid");
    let said = bundle.read_in(2025).unwrap_err().to_string();
    assert!(said.contains("expired on 2020-01-01"), "{said}");
    assert!(said.contains("the CA's new certificate"), "{said}");
    // The clock of a machine that has just been switched on.
    assert!(bundle.read_in(1971).is_ok());
}

#[test]
fn the_name_of_a_ca_does_not_break_a_line() {
    let ca = Ca::new("a\nERROR b", 2000, 2020);
    let authorities = Bundle::of(&[&ca]).read_in(2015).unwrap();
    let said = handshake(&authorities, &ca.server(), 2025);
    assert!(!said.contains('\n'), "{said}");
}
