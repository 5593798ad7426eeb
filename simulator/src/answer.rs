//! What the gateway says: status, headers, body, and the reports a client learns from it.

use std::sync::Arc;

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::{StatusCode, Version};
use serde::{Deserialize, Serialize};

/// One report as a client sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownReport {
    /// The gateway's serial.
    pub envoy: String,
    /// The inverter's serial.
    pub inverter: String,
    /// `lastReportDate`, never 0; whole seconds.
    pub reported_at: jiff::Timestamp,
    /// `devType`; none where the firmware leaves it out.
    pub device_type: Option<u32>,
    /// `lastReportWatts`.
    pub power_w: i32,
    /// `maxReportWatts`.
    pub peak_power_w: i32,
}

/// How the end of a body is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Length,
    Chunked,
    /// By the end of the connection, as firmware 3 does.
    EndOfConnection,
}

/// An answer, complete but for what the connection adds.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) framing: Framing,
    /// What a client has learned once it has all of this answer.
    pub(crate) shows: Arc<[ShownReport]>,
}

impl Answer {
    pub(crate) fn new(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: body.into(),
            framing: Framing::Length,
            shows: Arc::default(),
        }
    }

    pub(crate) fn content_type(self, value: &'static str) -> Self {
        self.header(CONTENT_TYPE, HeaderValue::from_static(value))
    }

    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// A body that ends with its connection has no place in HTTP/1.1 framing.
    pub(crate) fn version(&self) -> Version {
        match self.framing {
            Framing::EndOfConnection => Version::HTTP_10,
            Framing::Length | Framing::Chunked => Version::HTTP_11,
        }
    }

    pub(crate) fn framing(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }
}
