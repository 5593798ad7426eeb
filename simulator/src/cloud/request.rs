//! A request to the cloud, all of it.

use std::collections::HashMap;

use hyper::Method;
use hyper::header::{CONTENT_TYPE, COOKIE, HeaderMap, HeaderName};
use hyper::http::request::Parts;
use url::form_urlencoded;

/// What a client has sent.
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) path: String,
    query: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Request {
    pub(super) fn new(parts: Parts, body: Vec<u8>) -> Self {
        Self {
            method: parts.method,
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers,
            body,
        }
    }

    /// The fields of a form in its body; none when it is no such form.
    pub(super) fn form(&self) -> Option<HashMap<String, String>> {
        self.is("application/x-www-form-urlencoded").then(|| {
            form_urlencoded::parse(&self.body)
                .into_owned()
                .collect::<HashMap<_, _>>()
        })
    }

    /// The JSON in its body; none when there is none.
    pub(super) fn json(&self) -> Option<serde_json::Value> {
        self.is("application/json")
            .then(|| serde_json::from_slice(&self.body).ok())?
    }

    /// A parameter of its query.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let mut pairs = form_urlencoded::parse(self.query.as_bytes());
        pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
    }

    /// A cookie that it has with it.
    pub(super) fn cookie(&self, name: &str) -> Option<&str> {
        let all = self.headers.get_all(COOKIE).into_iter();
        let mut pairs = all
            .filter_map(|cookies| cookies.to_str().ok())
            .flat_map(|cookies| cookies.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='));
        pairs.find_map(|(key, value)| (key == name).then_some(value))
    }

    fn is(&self, content_type: &str) -> bool {
        let said = self.header(CONTENT_TYPE).unwrap_or_default();
        let kind = said.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case(content_type)
    }

    fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
