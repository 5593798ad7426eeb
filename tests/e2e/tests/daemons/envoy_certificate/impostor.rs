//! Somebody who has taken the Envoy's address, says that he is it, and writes down all that he hears.

use std::sync::{Arc, Mutex};

use ring::digest::{SHA256, digest};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring as provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// What he says of himself, and how.
#[derive(Clone)]
struct Page {
    info: String,
    /// His answer to everything else.
    other: &'static str,
    tls: Option<TlsAcceptor>,
}

pub(super) struct Impostor {
    /// Of his own certificate, as `openssl` shows it.
    pub(super) fingerprint: String,
    pub(super) address: String,
    heard: Arc<Mutex<Vec<u8>>>,
    task: JoinHandle<()>,
}

impl Impostor {
    /// With a certificate of his own, and answers like those of firmware 8.
    pub(super) async fn with_tls(address: &str, serial: &str) -> Self {
        let made = rcgen::generate_simple_self_signed(["envoy.local".to_owned()]).expect("made");
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(provider::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("a certificate and its key");
        let page = Page {
            info: info(serial, "D8.3.5169", true),
            other: "HTTP/1.1 200 OK\r\nSet-Cookie: sessionId=impostor\r\nContent-Length: 2\r\n\r\n[]",
            tls: Some(TlsAcceptor::from(Arc::new(config))),
        };
        let fingerprint = digest(&SHA256, made.cert.der());
        let bytes = fingerprint.as_ref().iter();
        let shown: Vec<_> = bytes.map(|byte| format!("{byte:02X}")).collect();
        Self::start(address, page, shown.join(":")).await
    }

    /// By http, where he says that he is of firmware 5 and wants the password as it is.
    pub(super) async fn in_clear(serial: &str) -> Self {
        let page = Page {
            info: info(serial, "D5.0.62", false),
            other: "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"enphaseenergy.com\"\r\n\
                    Content-Length: 0\r\n\r\n",
            tls: None,
        };
        Self::start("127.0.0.1:0", page, String::new()).await
    }

    async fn start(address: &str, page: Page, fingerprint: String) -> Self {
        let listener = TcpListener::bind(address)
            .await
            .expect("the address is free");
        let address = listener.local_addr().expect("an address").to_string();
        let heard = Arc::new(Mutex::default());
        let task = tokio::spawn(accept(listener, page, Arc::clone(&heard)));
        Self {
            fingerprint,
            address,
            heard,
            task,
        }
    }

    /// All that came over all connections, deciphered.
    pub(super) fn heard(&self) -> String {
        let heard = self.heard.lock().expect("nobody panics with it");
        String::from_utf8_lossy(&heard).into_owned()
    }

    /// How often he was asked for this path.
    pub(super) fn asked_for(&self, path: &str) -> usize {
        self.heard().matches(&format!("GET {path} ")).count()
    }
}

impl Drop for Impostor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn info(serial: &str, firmware: &str, takes_tokens: bool) -> String {
    let tokens = if takes_tokens {
        "<web-tokens>true</web-tokens>"
    } else {
        ""
    };
    let body = format!(
        "<?xml version='1.0' encoding='UTF-8'?><envoy_info><time>1781956800</time><device><sn>{serial}</sn>\
         <pn>800-00654-r08</pn><software>{firmware}</software></device>{tokens}</envoy_info>"
    );
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn accept(listener: TcpListener, page: Page, heard: Arc<Mutex<Vec<u8>>>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, page.clone(), Arc::clone(&heard)));
    }
}

async fn serve(stream: TcpStream, page: Page, heard: Arc<Mutex<Vec<u8>>>) {
    match &page.tls {
        None => answer(stream, &page, &heard).await,
        Some(tls) => {
            // Whoever does not like his certificate ends it here.
            if let Ok(stream) = tls.accept(stream).await {
                answer(stream, &page, &heard).await;
            }
        }
    }
}

async fn answer(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    page: &Page,
    heard: &Mutex<Vec<u8>>,
) {
    let mut request = Vec::new();
    while let Ok(byte) = stream.read_u8().await {
        heard.lock().expect("nobody panics with it").push(byte);
        request.push(byte);
        if request.ends_with(b"\r\n\r\n") {
            let reply = if request.starts_with(b"GET /info ") {
                &page.info
            } else {
                page.other
            };
            request.clear();
            if stream.write_all(reply.as_bytes()).await.is_err() || stream.flush().await.is_err() {
                return;
            }
        }
    }
}
