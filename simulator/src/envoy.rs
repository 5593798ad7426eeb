//! One request's way through the gateway.
//!
//! ```text
//!  method ─► busy ─► recorded refusal ─► access (digest, token, session) ─► endpoint ─► headers
//! ```
//!
//! Each step either passes the request on or is its end. The faults that concern what is answered
//! strike here, each at the step that it is about; those of bytes and connections in
//! [`crate::server`].

use std::sync::Arc;

use hyper::header::{
    ALLOW, CONNECTION, DATE, HeaderMap, HeaderName, HeaderValue, SERVER, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use hyper::{Method, StatusCode, Uri};
use jiff::Timestamp;

use crate::access::{Access, Admission, Credentials, with_session};
use crate::answer::Answer;
use crate::faults::{Endpoint, Fault, Faults};
use crate::gateway::{self, Gateway};
use crate::resource::Resource;

mod pages;

/// A gateway with its doorkeeper.
#[derive(Debug)]
pub(crate) struct Envoy {
    access: Access,
    gateway: Gateway,
    faults: Arc<Faults>,
}

impl Envoy {
    pub(crate) fn new(gateway: Gateway, faults: Arc<Faults>) -> Self {
        let access = Access::new(gateway.firmware.clone(), gateway.serial.clone());
        Self {
            access,
            gateway,
            faults,
        }
    }

    /// What it is the doorkeeper of.
    pub(crate) fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// The whole answer to a request in clear, where that is only good for `/info`: the rest is at the
    /// other port.
    pub(crate) fn respond_in_clear(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        secure_port: u16,
    ) -> Answer {
        if Resource::of(uri).is_some_and(|resource| resource.name() == "info") {
            return self.respond(method, uri, headers);
        }
        let page = pages::moved(uri, headers, secure_port);
        let answer = self.with_usual_headers(page, uri, self.gateway.now());
        self.with_connection(answer, headers)
    }

    /// The answer to a request in clear at the port for TLS, after which the connection ends.
    pub(crate) fn respond_to_wrong_scheme(&self, uri: &Uri, headers: &HeaderMap) -> Answer {
        let page = pages::wrong_scheme();
        let answer = self.with_usual_headers(page, uri, self.gateway.now());
        let close = HeaderValue::from_static("close");
        self.with_connection(answer.header(CONNECTION, close), headers)
    }

    /// The whole answer to a request.
    pub(crate) fn respond(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Answer {
        let now = self.gateway.now();
        let resource = Resource::of(uri);
        let credentials = Credentials {
            method,
            uri,
            headers,
        };
        let (answer, recorded) = self.answer(resource.as_ref(), &credentials, now);
        let answer = if recorded {
            answer
        } else {
            self.with_usual_headers(answer, uri, now)
        };
        self.with_connection(answer, headers)
    }

    /// The answer, and whether it comes from a recording, with all of its headers.
    fn answer(
        &self,
        resource: Option<&Resource>,
        credentials: &Credentials<'_>,
        now: Timestamp,
    ) -> (Answer, bool) {
        if !allows(credentials.method, resource) {
            let answer = Answer::new(StatusCode::METHOD_NOT_ALLOWED, "");
            return (
                answer.header(ALLOW, HeaderValue::from_static("GET, HEAD")),
                false,
            );
        }
        if self.strikes(Fault::Busy, resource) {
            return (gateway::busy(), false);
        }
        if let Some(refusal) = resource.and_then(|resource| self.gateway.refusal(resource)) {
            return (refusal, true);
        }
        if self.access.concerns(resource) && self.strikes(Fault::Unauthorized, resource) {
            return (self.access.refusal(resource, now), false);
        }
        match self.access.admit(resource, credentials, now) {
            Admission::Refused(answer) => (answer, false),
            Admission::Granted { set_cookie } => {
                let (answer, recorded) = self.endpoint(resource, now);
                (with_session(answer, set_cookie), recorded)
            }
        }
    }

    fn strikes(&self, fault: Fault, resource: Option<&Resource>) -> bool {
        self.faults.strikes(fault, resource.and_then(Endpoint::of))
    }

    fn endpoint(&self, resource: Option<&Resource>, now: Timestamp) -> (Answer, bool) {
        let Some(resource) = resource else {
            return (self.gateway.not_found(), false);
        };
        match self.access.check_jwt(resource) {
            Some(answer) => (answer, false),
            None if !resource.is_info() && self.strikes(Fault::Html, Some(resource)) => {
                (gateway::web_page(), false)
            }
            None if !resource.is_info() && self.strikes(Fault::Missing, Some(resource)) => {
                (self.gateway.not_found(), false)
            }
            None if resource.is_inverters() && self.strikes(Fault::EmptyList, Some(resource)) => {
                (gateway::empty_list(), false)
            }
            None => {
                // What makes the list empty after a start makes the last readings so.
                let empty =
                    resource.is_device_data() && self.strikes(Fault::EmptyList, Some(resource));
                self.gateway.answer(resource, now, !empty)
            }
        }
    }

    /// The headers that this generation puts on everything.
    fn with_usual_headers(&self, answer: Answer, uri: &Uri, now: Timestamp) -> Answer {
        let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let date = HeaderValue::try_from(date).expect("names of days and months are ASCII");
        let fixed = |answer: Answer, name: HeaderName, value| {
            answer.header(name, HeaderValue::from_static(value))
        };
        let firmware = &self.gateway.firmware;
        if firmware.uses_tokens() {
            let answer = fixed(answer, SERVER, "openresty/1.17.8.1").header(DATE, date);
            if answer.status != StatusCode::OK {
                return answer;
            }
            let forever = "max-age=63072000; includeSubdomains";
            let answer = fixed(answer, STRICT_TRANSPORT_SECURITY, forever);
            let answer = fixed(answer, X_FRAME_OPTIONS, "DENY");
            fixed(answer, X_CONTENT_TYPE_OPTIONS, "nosniff")
        } else if firmware.major() >= 4 && uri.path().starts_with("/api/v1/") {
            // 4 and 5 say it twice there.
            answer.header(DATE, date.clone()).header(DATE, date)
        } else {
            answer.header(DATE, date)
        }
    }

    /// Below 7 a connection serves one request, but where it is to be reset at the second one; from
    /// then on it stays, unless the client wants it closed or the recorded answer said that it
    /// would be.
    fn with_connection(&self, mut answer: Answer, request: &HeaderMap) -> Answer {
        let closes = |headers: &HeaderMap| {
            let value = headers
                .get(CONNECTION)
                .and_then(|value| value.to_str().ok());
            value.is_some_and(|value| value.to_ascii_lowercase().contains("close"))
        };
        let keeps = self.gateway.firmware.uses_tokens() || self.faults.is_on(Fault::ResetSecond);
        let stays = keeps && !closes(request) && !closes(&answer.headers);
        let connection = HeaderValue::from_static(if stays { "keep-alive" } else { "close" });
        answer.headers.insert(CONNECTION, connection);
        answer
    }
}

fn allows(method: &Method, resource: Option<&Resource>) -> bool {
    let checks_token = resource.is_some_and(|resource| resource.name() == "auth_check_jwt");
    matches!(*method, Method::GET | Method::HEAD) || (*method == Method::POST && checks_token)
}
