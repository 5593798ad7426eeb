//! What the gateway was asked: a test counts how much its reader wants of it.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::Request;
use hyper::header::{AUTHORIZATION, COOKIE, HeaderName};
use jiff::Timestamp;
use secrecy::SecretString;

use crate::board::Boot;

/// Far more than anybody leaves here; the oldest give way, so that a bad client can't fill the memory.
const REMEMBERED: usize = 100_000;

/// One request that the gateway has had.
#[derive(Clone, Debug)]
pub struct GatewayRequest {
    /// When it came, by the gateway's clock.
    pub came: Timestamp,
    /// When its answer was given, or its client gone.
    pub ended: Timestamp,
    /// The path, without its query.
    pub path: String,
    /// The header `Authorization`, for tests that look for it where it must not be.
    pub authorization: Option<SecretString>,
    /// The header `Cookie`, likewise.
    pub cookie: Option<SecretString>,
    /// The status of the answer; none where there was none.
    pub status: Option<u16>,
    /// How many others had no answer yet when it came.
    pub alongside: usize,
}

/// The requests since they were taken last.
#[derive(Debug, Default)]
pub(crate) struct Requests(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    ended: VecDeque<GatewayRequest>,
    under_way: usize,
}

impl Requests {
    /// A request has come; it is noted once the result is dropped.
    pub(super) fn begin<B>(self: &Arc<Self>, request: &Request<B>, boot: Arc<Boot>) -> UnderWay {
        let now = boot.envoy.gateway().now();
        let header = |name: HeaderName| {
            let value = request.headers().get(name)?;
            let text = String::from_utf8_lossy(value.as_bytes());
            Some(text.into_owned().into())
        };
        let mut inner = self.lock();
        let noted = GatewayRequest {
            came: now,
            ended: now,
            path: request.uri().path().to_owned(),
            authorization: header(AUTHORIZATION),
            cookie: header(COOKIE),
            status: None,
            alongside: inner.under_way,
        };
        inner.under_way += 1;
        drop(inner);
        UnderWay {
            requests: self.clone(),
            boot,
            noted,
        }
    }

    /// Those that have ended since the last call, in the order of their ends.
    pub(crate) fn take(&self) -> Vec<GatewayRequest> {
        mem::take(&mut self.lock().ended).into()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that has no answer yet.
pub(super) struct UnderWay {
    requests: Arc<Requests>,
    boot: Arc<Boot>,
    noted: GatewayRequest,
}

impl UnderWay {
    /// It gets an answer.
    pub(super) fn answered(&mut self, status: u16) {
        self.noted.status = Some(status);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.noted.ended = self.boot.envoy.gateway().now();
        let mut inner = self.requests.lock();
        inner.under_way -= 1;
        if inner.ended.len() == REMEMBERED {
            inner.ended.pop_front();
        }
        inner.ended.push_back(self.noted.clone());
    }
}
