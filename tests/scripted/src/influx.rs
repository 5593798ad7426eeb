//! A server that answers writes as a test tells it to, and notes what it was sent.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc)]

use std::io::Read;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::read::GzDecoder;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// One request as the server saw it.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, `POST`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Header lines, names in lower case.
    pub headers: Vec<String>,
    /// The body, decompressed, by lines.
    pub lines: Vec<String>,
}

impl Request {
    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let values = self.headers.iter();
        values
            .filter_map(|line| line.split_once(": "))
            .find_map(|(key, value)| (key == name).then_some(value))
    }
}

/// What it answers.
pub enum Reply {
    /// A status, further header lines, a body.
    Answer(u16, Vec<String>, String),
    /// No answer, the connection stays open.
    Silence,
    /// The connection is closed half-way through the answer.
    Cut,
    /// The connection is reset half-way through the answer.
    Reset,
    /// A body without end.
    Endless(u16),
    /// The same, in chunks.
    EndlessChunks(u16),
    /// A body of so many bytes, all of them text.
    Long(u16, usize),
    /// A head without end.
    EndlessHead,
    /// The same, a byte from time to time.
    DrippingHead,
    /// A body without end, a byte from time to time.
    Dripping(u16),
}

/// How often a byte drips: a server that is slow, and not silent.
const DRIP: Duration = Duration::from_millis(10);

impl Reply {
    /// 204: all of it is stored.
    #[must_use]
    pub fn stored() -> Self {
        Self::Answer(204, Vec::new(), String::new())
    }

    /// An error as InfluxDB words it.
    #[must_use]
    pub fn error(status: u16, message: &str) -> Self {
        let body = format!(r#"{{"code":"some code","message":"{message}"}}"#);
        Self::Answer(status, Vec::new(), body)
    }
}

/// The server; it ends with this value.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Starts a server on a free port. `answer` gets each request and all those before it.
    pub async fn start(
        answer: impl Fn(&Request, &[Request]) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start_with(None, answer).await
    }

    /// Starts a server that speaks TLS only.
    pub async fn start_tls(
        tls: Arc<ServerConfig>,
        answer: impl Fn(&Request, &[Request]) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start_with(Some(tls.into()), answer).await
    }

    async fn start_with(
        tls: Option<TlsAcceptor>,
        answer: impl Fn(&Request, &[Request]) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let answer = Arc::new(answer);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (seen, answer, tls) = (Arc::clone(&seen), Arc::clone(&answer), tls.clone());
                tokio::spawn(async move {
                    // An error is a client that went away, which some tests are about.
                    let _ = match tls {
                        None => serve(stream, &seen, &*answer).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => serve(stream, &seen, &*answer).await,
                            Err(error) => Err(error),
                        },
                    };
                });
            }
        });
        Self {
            address,
            requests,
            task,
        }
    }

    /// The requests so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a connection runs over: TCP, or TLS on it.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {
    fn tcp(&self) -> &TcpStream;
}

impl Stream for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Stream for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// An answer that promises more than it has.
const HALF: &[u8] = b"HTTP/1.1 503 Scripted\r\ncontent-length: 100\r\n\r\nhalf";

async fn serve(
    mut stream: impl Stream,
    seen: &Mutex<Vec<Request>>,
    answer: &(dyn Fn(&Request, &[Request]) -> Reply + Send + Sync),
) -> std::io::Result<()> {
    loop {
        let request = read_request(&mut stream).await?;
        let reply = {
            let mut seen = seen.lock().unwrap();
            let reply = answer(&request, &seen);
            seen.push(request);
            reply
        };
        match reply {
            Reply::Answer(status, headers, body) => {
                let mut head = format!("HTTP/1.1 {status} Scripted\r\n");
                for header in headers {
                    head += &(header + "\r\n");
                }
                if status != 204 {
                    head += &("content-length: ".to_owned() + &body.len().to_string() + "\r\n");
                }
                stream.write_all((head + "\r\n" + &body).as_bytes()).await?;
            }
            Reply::Silence => std::future::pending().await,
            Reply::Cut => return stream.write_all(HALF).await,
            Reply::Reset => {
                stream.write_all(HALF).await?;
                // What is closed without a linger is reset.
                return stream.tcp().set_zero_linger();
            }
            Reply::Endless(status) => {
                let head = format!("HTTP/1.1 {status} Scripted\r\n\r\n");
                stream.write_all(head.as_bytes()).await?;
                loop {
                    stream.write_all(&[b'x'; 4096]).await?;
                }
            }
            Reply::EndlessChunks(status) => {
                let head =
                    format!("HTTP/1.1 {status} Scripted\r\ntransfer-encoding: chunked\r\n\r\n");
                stream.write_all(head.as_bytes()).await?;
                let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
                loop {
                    stream.write_all(chunk.as_bytes()).await?;
                }
            }
            Reply::Long(status, length) => {
                let head =
                    format!("HTTP/1.1 {status} Scripted\r\ncontent-length: {length}\r\n\r\n");
                stream.write_all(head.as_bytes()).await?;
                let piece = vec![b'x'; length.min(0x10000)];
                for begin in (0..length).step_by(0x10000) {
                    stream
                        .write_all(&piece[..piece.len().min(length - begin)])
                        .await?;
                }
            }
            Reply::DrippingHead => {
                stream
                    .write_all(b"HTTP/1.1 500 Scripted\r\nx-more: ")
                    .await?;
                loop {
                    stream.write_all(b"x").await?;
                    tokio::time::sleep(DRIP).await;
                }
            }
            Reply::EndlessHead => {
                stream.write_all(b"HTTP/1.1 500 Scripted\r\n").await?;
                loop {
                    stream.write_all(b"x-more: and more\r\n").await?;
                }
            }
            Reply::Dripping(status) => {
                let head = format!("HTTP/1.1 {status} Scripted\r\n\r\n");
                stream.write_all(head.as_bytes()).await?;
                loop {
                    stream.write_all(b"x").await?;
                    tokio::time::sleep(DRIP).await;
                }
            }
        }
    }
}

async fn read_request(stream: &mut impl Stream) -> std::io::Result<Request> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let mut first = lines.next().unwrap().split(' ').map(ToOwned::to_owned);
    let (method, target) = (first.next().unwrap(), first.next().unwrap());
    let headers = lines.filter(|line| !line.is_empty()).map(|line| {
        let (name, value) = line.split_once(':').unwrap();
        format!("{}: {}", name.to_lowercase(), value.trim())
    });
    let mut request = Request {
        method,
        target,
        headers: headers.collect(),
        lines: Vec::new(),
    };
    let length = request.header("content-length").unwrap_or("0");
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).await?;
    let mut text = String::new();
    if request.header("content-encoding") == Some("gzip") {
        GzDecoder::new(&*body).read_to_string(&mut text).unwrap();
    } else {
        text = String::from_utf8(body).unwrap();
    }
    request.lines = text.lines().map(ToOwned::to_owned).collect();
    Ok(request)
}
