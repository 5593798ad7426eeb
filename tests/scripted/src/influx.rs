//! A server that answers writes as a test tells it to, and notes what it was sent.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc)]

use std::io::Read;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use flate2::read::GzDecoder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// One write as the server saw it.
#[derive(Debug, Clone)]
pub struct Request {
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
    /// A body without end.
    Endless(u16),
}

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
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let answer = Arc::new(answer);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                tokio::spawn(async move {
                    // An error is a client that went away, which some tests are about.
                    let _ = serve(stream, &seen, &*answer).await;
                });
            }
        });
        Self {
            address,
            requests,
            task,
        }
    }

    /// The writes so far, in order.
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

async fn serve(
    mut stream: TcpStream,
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
            Reply::Cut => {
                let half = b"HTTP/1.1 503 Scripted\r\ncontent-length: 100\r\n\r\nhalf";
                return stream.write_all(half).await;
            }
            Reply::Endless(status) => {
                let head = format!("HTTP/1.1 {status} Scripted\r\n\r\n");
                stream.write_all(head.as_bytes()).await?;
                loop {
                    stream.write_all(&[b'x'; 4096]).await?;
                }
            }
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> std::io::Result<Request> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let target = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
    let headers = lines.filter(|line| !line.is_empty()).map(|line| {
        let (name, value) = line.split_once(':').unwrap();
        format!("{}: {}", name.to_lowercase(), value.trim())
    });
    let mut request = Request {
        target,
        headers: headers.collect(),
        lines: Vec::new(),
    };
    let length = request.header("content-length").unwrap().parse().unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let mut text = String::new();
    GzDecoder::new(&*body).read_to_string(&mut text).unwrap();
    request.lines = text.lines().map(ToOwned::to_owned).collect();
    Ok(request)
}
