//! What goes wrong with bytes and connections: a connection is taken out of hyper's hands, and what
//! HTTP does not allow is done with it by hand.

use std::time::Duration;

use hyper::Method;
use hyper::header::{CONNECTION, CONTENT_LENGTH, HeaderValue, TRANSFER_ENCODING};
use tokio::io::{self, AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::server::TlsStream;

use super::IDLE;
use super::client::Client;
use crate::answer::Answer;
use crate::faults::{Endpoint, Fault, Faults};

#[cfg(test)]
mod tests;

/// Between two bytes of a body that drips: a list of inverters takes minutes.
const DRIP: Duration = Duration::from_millis(100);
/// What a `Content-Length` that is too long has too much.
const EXCESS: usize = 100;

/// The end of a connection, other than HTTP has it.
#[derive(Debug)]
pub(super) enum Deviation {
    /// The connection is reset.
    Reset,
    /// This answer, with this fault, is its last one.
    Answer(Box<Answer>, Fault),
}

/// A connection that can be reset.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin {
    /// Has the drop of this connection throw away what was not sent, and tell the client so.
    fn reset_when_dropped(&self) -> io::Result<()>;
}

impl Stream for TcpStream {
    fn reset_when_dropped(&self) -> io::Result<()> {
        self.set_zero_linger()
    }
}

impl Stream for TlsStream<TcpStream> {
    fn reset_when_dropped(&self) -> io::Result<()> {
        self.get_ref().0.set_zero_linger()
    }
}

impl Deviation {
    /// What becomes of an answer: itself, unless a fault of its bytes strikes it.
    pub(super) fn of(
        faults: &Faults,
        method: &Method,
        endpoint: Option<Endpoint>,
        answer: Answer,
    ) -> Result<Answer, Self> {
        if method == Method::HEAD || answer.body.is_empty() {
            return Ok(answer);
        }
        let faults_of_bytes = [
            Fault::Truncate,
            Fault::Drip,
            Fault::LengthTooLong,
            Fault::LengthTooShort,
        ];
        match faults_of_bytes
            .into_iter()
            .find(|&fault| faults.strikes(fault, endpoint))
        {
            Some(fault) => Err(Self::Answer(Box::new(answer), fault)),
            None => Ok(answer),
        }
    }

    /// Does it, to the end of the connection.
    pub(super) async fn perform(self, mut stream: impl Stream, client: Client) -> io::Result<()> {
        let (mut answer, fault) = match self {
            Self::Reset => return stream.reset_when_dropped(),
            Self::Answer(answer, fault) => (answer, fault),
        };
        let body = answer.body.clone();
        let (said, sent) = match fault {
            Fault::Truncate => (body.len(), &body[..body.len() / 2]),
            Fault::LengthTooLong => (body.len() + EXCESS, &body[..]),
            Fault::LengthTooShort => (body.len() / 2, &body[..]),
            _ => (body.len(), &body[..]),
        };
        let wrong_length = said != body.len();
        if !wrong_length {
            let close = HeaderValue::from_static("close");
            answer.headers.insert(CONNECTION, close);
        }
        stream.write_all(&head(&answer, said)).await?;
        if fault == Fault::Drip {
            for byte in sent {
                stream.write_all(&[*byte]).await?;
                stream.flush().await?;
                sleep(DRIP).await;
            }
            // Slow, but whole: a client that had the patience knows them now.
            client.has(&answer.shows);
        } else {
            stream.write_all(sent).await?;
            stream.flush().await?;
        }
        let closes = answer
            .headers
            .get(CONNECTION)
            .is_some_and(|value| value == "close");
        if !closes {
            // It believes that all was said, and waits; answering a further request would be of no
            // use to a client that is still owed bytes, or was sent too many.
            until_client_closes(&mut stream).await;
        }
        stream.shutdown().await?;
        // A close with something unread would be a reset, and take what is under way with it.
        until_client_closes(&mut stream).await;
        Ok(())
    }
}

async fn until_client_closes(stream: &mut impl Stream) {
    // How it ends, and whether it does in time, makes no difference: the connection goes.
    let _ = timeout(IDLE, io::copy(stream, &mut io::sink())).await;
}

/// The status line and headers, with this length.
fn head(answer: &Answer, length: usize) -> Vec<u8> {
    let mut headers = answer.headers.clone();
    headers.remove(TRANSFER_ENCODING);
    headers.insert(CONTENT_LENGTH, length.into());
    let status = answer.status;
    let reason = status.canonical_reason().unwrap_or_default();
    let mut head = format!("HTTP/1.1 {} {reason}\r\n", status.as_u16()).into_bytes();
    for (name, value) in &headers {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}
