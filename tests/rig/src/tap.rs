//! A tap on the writes to `InfluxDB`, which itself hides that a point was written twice; and what the
//! database may answer to a write without being able to be made to.

use std::convert::Infallible;
use std::io::Read;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use flate2::read::GzDecoder;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_ENCODING, HOST, HeaderMap};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// An HTTP proxy that records the lines of each write that the server accepted.
pub struct WriteTap {
    address: SocketAddr,
    lines: Lines,
    answers: watch::Sender<Answers>,
    /// Ends the proxy and its connections with this value.
    _tasks: JoinSet<()>,
}

type Lines = Arc<Mutex<Vec<Written>>>;

/// A line that the database has accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// In line protocol.
    pub line: String,
    /// When the database had answered, by our clock.
    pub at: Timestamp,
}

/// What becomes of the database's answers to writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// They are passed on.
    Passed,
    /// They are held back until this changes: it has stored, and nobody is told.
    Held,
    /// In their place there is one that says that the gateway failed: it has stored, and nobody will know.
    Lost,
    /// Writes do not reach it, and this status is the answer.
    Refused(StatusCode),
}

impl WriteTap {
    /// Listens on a port of its own and forwards everything to `server`, a base URL.
    ///
    /// # Panics
    ///
    /// When no port can be bound.
    pub async fn in_front_of(server: &str) -> Self {
        // The first one wins, and all are the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("the loopback interface has a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let lines = Lines::default();
        let (answers, answered) = watch::channel(Answers::Passed);
        let forward = Forward {
            server: server.trim_end_matches('/').to_owned(),
            client: reqwest::Client::new(),
            lines: Arc::clone(&lines),
            answers: answered,
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, forward));
        Self {
            address,
            lines,
            answers,
            _tasks: tasks,
        }
    }

    /// The base URL to write to, instead of the server's.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on this becomes of the answers to writes, of those too that are held back.
    pub fn answers(&self, answers: Answers) {
        self.answers.send_replace(answers);
    }

    /// The lines of line protocol in all writes that were answered with 204, in their order.
    ///
    /// # Panics
    ///
    /// Never: nothing panics while the list is locked.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let written = self.written_since(0);
        written.into_iter().map(|written| written.line).collect()
    }

    /// The same but for the first `known`, with the time of each.
    ///
    /// # Panics
    ///
    /// As [`lines`](Self::lines).
    #[must_use]
    pub fn written_since(&self, known: usize) -> Vec<Written> {
        self.lines.lock().expect("no holder panics")[known..].to_vec()
    }
}

#[derive(Clone)]
struct Forward {
    server: String,
    client: reqwest::Client,
    lines: Lines,
    answers: watch::Receiver<Answers>,
}

async fn serve(listener: TcpListener, forward: Forward) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let forward = forward.clone();
        connections.spawn(async move {
            let service = service_fn(|request| forward.clone().answer(request));
            // A connection that breaks is the client's to notice.
            let _ = auto::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

impl Forward {
    async fn answer(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        Ok(self.forward(request).await.unwrap_or_else(|error| {
            let mut response = Response::new(Full::from(format!("tap: {error}")));
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            response
        }))
    }

    async fn forward(&self, request: Request<Incoming>) -> anyhow::Result<Response<Full<Bytes>>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let is_write = head.method == Method::POST && head.uri.path().ends_with("/write");
        let lines = if is_write {
            lines_of(&head.headers, &body)?
        } else {
            Vec::new()
        };
        if is_write && let Answers::Refused(status) = *self.answers.borrow() {
            return Ok(refusal(status));
        }

        // In a task of its own: whether the client still waits makes no difference to the server.
        let forward = self.clone();
        let answered = tokio::spawn(async move { forward.pass_on(head, body, lines).await });
        let (response, accepted) = answered.await??;
        if accepted {
            let mut answers = self.answers.clone();
            // The sender is gone only when the test is over.
            let _ = answers.wait_for(|answers| *answers != Answers::Held).await;
            if *answers.borrow() == Answers::Lost {
                return Ok(refusal(StatusCode::BAD_GATEWAY));
            }
        }
        Ok(response)
    }

    /// The server's answer, and whether it is that it has accepted a write, which is then recorded.
    async fn pass_on(
        &self,
        head: Parts,
        body: Bytes,
        lines: Vec<String>,
    ) -> anyhow::Result<(Response<Full<Bytes>>, bool)> {
        let mut headers = head.headers;
        headers.remove(HOST);
        let answer = self
            .client
            .request(head.method, format!("{}{}", self.server, head.uri))
            .headers(headers)
            .body(body)
            .send()
            .await?;
        let mut response = Response::builder().status(answer.status());
        if let Some(headers) = response.headers_mut() {
            headers.clone_from(answer.headers());
            // The body is passed on as one piece, and its length is set anew.
            headers.remove(hyper::header::TRANSFER_ENCODING);
        }
        let accepted = answer.status() == StatusCode::NO_CONTENT;
        let body = answer.bytes().await?;
        if accepted {
            let at = Timestamp::now();
            let written = lines.into_iter().map(|line| Written { line, at });
            self.lines.lock().expect("no holder panics").extend(written);
        }
        Ok((response.body(Full::new(body))?, accepted))
    }
}

fn refusal(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(r#"{"code":"refused","message":"refused"}"#));
    *response.status_mut() = status;
    response
}

fn lines_of(headers: &HeaderMap, body: &[u8]) -> anyhow::Result<Vec<String>> {
    let gzipped = headers
        .get(CONTENT_ENCODING)
        .is_some_and(|encoding| encoding == "gzip");
    let mut text = String::new();
    if gzipped {
        GzDecoder::new(body).read_to_string(&mut text)?;
    } else {
        text.push_str(str::from_utf8(body)?);
    }
    Ok(text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(str::to_owned)
        .collect())
}
