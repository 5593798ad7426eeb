//! A scripted server that speaks HTTP and HTTPS on one port and writes raw bytes, so that it can
//! answer as no proper server would.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// The first byte of a TLS connection: a handshake record.
const TLS_HANDSHAKE: u8 = 0x16;

/// Which of the two the server speaks; a connection for the other is closed at once.
#[derive(Clone, Copy)]
pub(crate) enum Speaks {
    Http,
    Https,
    Both,
}

#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Counts connections from 0.
    pub(crate) connection: usize,
    pub(crate) tls: bool,
    pub(crate) path: String,
    head: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// What is written, and what happens to the connection then.
pub(crate) struct Reply {
    bytes: Vec<u8>,
    then: Then,
}

enum Then {
    Close,
    Keep,
    Hang,
}

impl Reply {
    pub(crate) fn new(status: u16, headers: &[&str], body: &str) -> Self {
        let mut head = format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\n", body.len());
        for header in headers {
            head.push_str(header);
            head.push_str("\r\n");
        }
        Self {
            bytes: format!("{head}\r\n{body}").into_bytes(),
            then: Then::Keep,
        }
    }

    pub(crate) fn ok(body: &str) -> Self {
        Self::new(200, &[], body)
    }

    /// These bytes, then the end of the connection.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            bytes: bytes.into(),
            then: Then::Close,
        }
    }

    /// These bytes, then nothing more.
    pub(crate) fn hang(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            bytes: bytes.into(),
            then: Then::Hang,
        }
    }
}

type Script = Box<dyn FnMut(&Request) -> Reply + Send>;

pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    speaks: Mutex<Speaks>,
    script: Mutex<Script>,
    requests: Mutex<Vec<Request>>,
    identity: Mutex<Identity>,
    /// Somebody else takes the address when this path was answered.
    taken_over_after: Mutex<Option<&'static str>>,
}

/// Who has the address: a certificate, and how many had it before.
#[derive(Clone)]
struct Identity {
    tls: TlsAcceptor,
    number: usize,
}

impl Server {
    pub(crate) async fn start(
        speaks: Speaks,
        script: impl FnMut(&Request) -> Reply + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            speaks: Mutex::new(speaks),
            script: Mutex::new(Box::new(script)),
            requests: Mutex::default(),
            identity: Mutex::new(Identity {
                tls: self_signed(),
                number: 0,
            }),
            taken_over_after: Mutex::default(),
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self {
            address,
            shared,
            task,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Becomes another device, as by a firmware update.
    pub(crate) fn become_another(
        &self,
        speaks: Speaks,
        script: impl FnMut(&Request) -> Reply + Send + 'static,
    ) {
        *self.shared.speaks.lock().unwrap() = speaks;
        *self.shared.script.lock().unwrap() = Box::new(script);
    }

    /// Somebody with another certificate takes the address: connections of the one before end, at their
    /// next request.
    pub(crate) fn is_taken_over(&self) {
        self.shared.is_taken_over();
    }

    /// The same, as soon as this path was answered.
    pub(crate) fn is_taken_over_after(&self, path: &'static str) {
        *self.shared.taken_over_after.lock().unwrap() = Some(path);
    }

    /// The requests since the last call.
    pub(crate) fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.shared.requests.lock().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn is_taken_over(&self) {
        let mut identity = self.identity.lock().unwrap();
        let number = identity.number + 1;
        *identity = Identity {
            tls: self_signed(),
            number,
        };
    }

    fn was_answered(&self, path: &str) {
        let mut after = self.taken_over_after.lock().unwrap();
        if after.is_some_and(|after| after == path) {
            *after = None;
            self.is_taken_over();
        }
    }

    /// Whether a connection to this one still reaches anybody.
    fn is_at_its_address(&self, identity: &Identity) -> bool {
        self.identity.lock().unwrap().number == identity.number
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    for connection in 0.. {
        let (stream, _) = listener.accept().await.unwrap();
        // One after the other would hide a client that opens a second connection.
        tokio::spawn(serve(stream, connection, Arc::clone(&shared)));
    }
}

async fn serve(stream: TcpStream, connection: usize, shared: Arc<Shared>) {
    let mut first = [0];
    if !matches!(stream.peek(&mut first).await, Ok(1)) {
        return;
    }
    let speaks = *shared.speaks.lock().unwrap();
    let identity = shared.identity.lock().unwrap().clone();
    match (first[0] == TLS_HANDSHAKE, speaks) {
        (true, Speaks::Https | Speaks::Both) => {
            if let Ok(stream) = identity.tls.accept(stream).await {
                answer(stream, connection, true, &identity, &shared).await;
            }
        }
        (false, Speaks::Http | Speaks::Both) => {
            answer(stream, connection, false, &identity, &shared).await;
        }
        _ => {}
    }
}

async fn answer(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    connection: usize,
    tls: bool,
    identity: &Identity,
    shared: &Shared,
) {
    while let Some(head) = read_head(&mut stream).await {
        if !shared.is_at_its_address(identity) {
            return;
        }
        assert!(
            head.starts_with("GET "),
            "the client must only read: {head}"
        );
        let request = Request {
            connection,
            tls,
            path: head.split(' ').nth(1).unwrap().to_owned(),
            head,
        };
        shared.requests.lock().unwrap().push(request.clone());
        let reply = (shared.script.lock().unwrap())(&request);
        if stream.write_all(&reply.bytes).await.is_err() || stream.flush().await.is_err() {
            return;
        }
        shared.was_answered(&request.path);
        match reply.then {
            Then::Keep => {}
            Then::Close => {
                let _ = stream.shutdown().await;
                return;
            }
            Then::Hang => return std::future::pending().await,
        }
    }
}

async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8(head).unwrap())
}

/// A certificate as a gateway makes it: by itself, for a name that nobody uses.
fn self_signed() -> TlsAcceptor {
    let made = rcgen::generate_simple_self_signed(["gateway.invalid".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}
