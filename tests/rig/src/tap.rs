//! A tap on the writes to `InfluxDB`, which itself hides that a point was written twice.

use std::convert::Infallible;
use std::io::Read;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use flate2::read::GzDecoder;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_ENCODING, HOST, HeaderMap};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// An HTTP proxy that records the lines of each write that the server accepted.
pub struct WriteTap {
    address: SocketAddr,
    lines: Lines,
    hold: watch::Sender<bool>,
    /// Ends the proxy and its connections with this value.
    _tasks: JoinSet<()>,
}

type Lines = Arc<Mutex<Vec<String>>>;

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
        let (hold, answers_held) = watch::channel(false);
        let forward = Forward {
            server: server.trim_end_matches('/').to_owned(),
            client: reqwest::Client::new(),
            lines: Arc::clone(&lines),
            held: answers_held,
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, forward));
        Self {
            address,
            lines,
            hold,
            _tasks: tasks,
        }
    }

    /// The base URL to write to, instead of the server's.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on the server's answers to writes are held back: it has stored, and nobody is told.
    pub fn hold_answers(&self) {
        self.hold.send_replace(true);
    }

    /// Answers are passed on again, also those that were held back.
    pub fn let_answers_go(&self) {
        self.hold.send_replace(false);
    }

    /// The lines of line protocol in all writes that were answered with 204, in their order.
    ///
    /// # Panics
    ///
    /// Never: nothing panics while the list is locked.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("no holder panics").clone()
    }
}

#[derive(Clone)]
struct Forward {
    server: String,
    client: reqwest::Client,
    lines: Lines,
    held: watch::Receiver<bool>,
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
            self.lines.lock().expect("no holder panics").extend(lines);
            // The sender is gone only when the test is over.
            let _ = self.held.clone().wait_for(|held| !held).await;
        }
        Ok(response.body(Full::new(body))?)
    }
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
