//! TLS: who is trusted, and what is said otherwise.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use scripted::influx::{Reply, Server};
use store::{InfluxDb, Settings, Store, WriteError};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::{TOKEN, readings, settings};

/// A CA with its PEM file.
struct Ca {
    issuer: Issuer<'static, KeyPair>,
    folder: TempDir,
}

/// The years in which a certificate is valid.
type Years = (i32, i32);

const NOW: Years = (2020, 2100);

impl Ca {
    fn new(name: &str) -> Self {
        Self::valid(name, NOW)
    }

    fn valid(name: &str, (from, to): Years) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(to, 1, 1);
        let key = KeyPair::generate().unwrap();
        let folder = TempDir::new().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        std::fs::write(folder.path().join("ca.pem"), pem).unwrap();
        Self {
            issuer: Issuer::new(params, key),
            folder,
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn server(&self, name: &str, (from, to): Years) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(to, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        showing(&certificate, key)
    }
}

fn showing(certificate: &rcgen::Certificate, key: KeyPair) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key.into())
        .unwrap();
    Arc::new(config)
}

/// A store at `https://localhost` that trusts what is in `ca_file`.
fn trusting(server: &Server, ca_file: PathBuf) -> InfluxDb {
    let port = server.address.port();
    InfluxDb::new(Settings {
        url: format!("https://localhost:{port}").parse().unwrap(),
        ca_file: Some(ca_file),
        ..settings(server, "")
    })
    .unwrap()
}

async fn failure(tls: Arc<ServerConfig>, ca_file: PathBuf) -> WriteError {
    let server = Server::start_tls(tls, |_, _| Reply::stored()).await;
    let store = trusting(&server, ca_file);
    let error = store.write(&readings(1, &[])).await.unwrap_err();
    assert!(server.requests().is_empty(), "{error:?}");
    assert!(!format!("{error:?}").contains(TOKEN));
    error
}

#[tokio::test]
async fn a_server_of_our_ca_is_trusted() {
    let ca = Ca::new("ours");
    let server = Server::start_tls(ca.server("localhost", NOW), |_, _| Reply::stored()).await;
    let _ = trusting(&server, ca.file())
        .write(&readings(3, &[]))
        .await
        .unwrap();
    assert_eq!(server.requests()[0].lines.len(), 3);
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_named_with_its_remedy() {
    let (ours, other, anew) = (Ca::new("ours"), Ca::new("other"), Ca::new("ours"));
    for (tls, problem, remedy) in [
        (
            other.server("localhost", NOW),
            "of 'localhost' is signed by a CA that is not trusted here",
            "INFLUX_CA_FILE",
        ),
        (
            anew.server("localhost", NOW),
            "of 'localhost' is signed by a CA that is not trusted here",
            "INFLUX_CA_FILE",
        ),
        (
            ours.server("influx.local", NOW),
            "is not for the name 'localhost' (it is for: ",
            "INFLUX_URL",
        ),
        (
            ours.server("localhost", (2020, 2021)),
            "of 'localhost' has expired",
            "renew",
        ),
    ] {
        let error = failure(tls, ours.file()).await;
        let WriteError::Configuration {
            problem: found,
            remedy: advice,
        } = error
        else {
            panic!("{error:?}");
        };
        assert!(found.contains(problem), "{found}");
        assert!(advice.contains(remedy), "{advice}");
    }
}

#[tokio::test]
async fn a_server_of_an_expired_ca_is_not_trusted_and_one_of_its_successor_is() {
    let (old, new) = (Ca::valid("old", (2000, 2021)), Ca::new("new"));
    let both = [&old, &new].map(|ca| std::fs::read(ca.file()).unwrap());
    let file = new.folder.path().join("both.pem");
    std::fs::write(&file, both.concat()).unwrap();

    let error = failure(old.server("localhost", NOW), file.clone()).await;
    let WriteError::Configuration { problem, remedy } = error else {
        panic!("{error:?}");
    };
    let said = format!(
        "the CA 'CN=old' in {} expired on 2021-01-01",
        file.display()
    );
    assert_eq!(problem, said);
    assert!(remedy.contains("the CA's new certificate"), "{remedy}");

    let server = Server::start_tls(new.server("localhost", NOW), |_, _| Reply::stored()).await;
    let store = trusting(&server, file);
    assert_eq!(store.out_of_date().len(), 1, "{:?}", store.out_of_date());
    let _ = store.write(&readings(1, &[])).await.unwrap();
}

#[tokio::test]
async fn a_file_whose_only_ca_has_expired_is_a_mistake() {
    let ca = Ca::valid("old", (2000, 2021));
    let server = Server::start(|_, _| Reply::stored()).await;
    let error = InfluxDb::new(Settings {
        url: "https://localhost".parse().unwrap(),
        ca_file: Some(ca.file()),
        ..settings(&server, "")
    })
    .unwrap_err()
    .to_string();
    assert!(error.contains("expired on 2021-01-01"), "{error}");
}

/// A machine without a battery for its clock starts like this, and sets it later.
#[tokio::test]
async fn a_certificate_that_is_not_valid_yet_may_become_so() {
    let ca = Ca::new("ours");
    let error = failure(ca.server("localhost", (2090, 2100)), ca.file()).await;
    assert!(
        matches!(&error, WriteError::Unavailable { problem, .. }
            if problem.contains("not valid yet; check this machine's clock")),
        "{error:?}"
    );
}

/// What `openssl req -x509` makes, and people put on their servers.
#[tokio::test]
async fn a_ca_put_to_use_as_a_servers_certificate_is_named() {
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), certificate.pem()).unwrap();
    let error = failure(showing(&certificate, key), file.path().to_owned()).await;
    assert!(
        matches!(&error, WriteError::Configuration { problem, remedy }
            if problem.contains("is that of a CA") && remedy.contains("CA:FALSE")),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_port_without_tls_is_named() {
    let ca = Ca::new("ours");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let unused = Server::start(|_, _| Reply::stored()).await;
    let store = InfluxDb::new(Settings {
        url: format!("https://localhost:{port}").parse().unwrap(),
        ca_file: Some(ca.file()),
        ..settings(&unused, "")
    })
    .unwrap();
    let batch = readings(1, &[]);
    for (answer, expected) in [
        (
            &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
            "does not speak TLS",
        ),
        (&b""[..], "closes the connection before it answers"),
    ] {
        let (error, ()) = tokio::join!(store.write(&batch), async {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(answer).await.unwrap();
            stream.shutdown().await.unwrap();
            let _ = stream.read_to_end(&mut Vec::new()).await;
        });
        let text = error.unwrap_err().to_string();
        assert!(text.contains(expected), "{text}");
        assert!(text.contains("INFLUX_URL"), "{text}");
    }
}
