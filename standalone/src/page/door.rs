//! Who is let in to the page: connections are bounded in number, size and time, and each request has to come
//! from the page itself, and with the account where there is one.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use daemon::http::{self, Bounds};
use serde_json::json;
use tokio::net::TcpListener;

use super::api;
use super::guesses::Guesses;
use crate::account::Account;

/// What a client is granted. A browser takes six connections at most, one of them for the events, so they are
/// enough for a dozen viewers; one that was closed for a newer one is opened again when it is needed. Half of them may
/// be taken by events ([`api::STREAMS`]). A page that hears events does so again by itself when the time of its
/// connection is over. Cookies of everything else at the
/// same host name are in a head, since they know no ports.
const BOUNDS: Bounds = Bounds {
    connections: 64,
    head: Duration::from_secs(15),
    whole: Duration::from_hours(1),
    head_bytes: 32 * 1024,
    keep_alive: true,
};

/// Only what is compiled in: no inline script, no other host, nobody's frame.
pub(super) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// Lets in whom there is room for, until it is dropped.
pub(super) async fn serve(listener: TcpListener, router: Router) {
    http::serve(listener, router, BOUNDS).await;
}

/// Whom the page is for, and what was guessed.
#[derive(Debug)]
pub(super) struct Door {
    account: Option<Account>,
    guesses: Guesses,
}

impl Door {
    /// The door for those who have this account, for everybody at this machine without one.
    pub(super) fn new(account: Option<Account>) -> Self {
        let guesses = Guesses::default();
        Self { account, guesses }
    }

    /// Why a request is not let in, with the status that says so.
    fn refuses(&self, headers: &HeaderMap, client: IpAddr) -> Option<(StatusCode, &'static str)> {
        if let Some(why) = refused(headers, self.account.is_some()) {
            return Some((StatusCode::FORBIDDEN, why));
        }
        let account = self.account.as_ref()?;
        let gives_one = headers.contains_key(header::AUTHORIZATION);
        if gives_one && !self.guesses.are_heard_from(client) {
            let why = "too many wrong secrets came from this address: wait for a minute";
            return Some((StatusCode::TOO_MANY_REQUESTS, why));
        }
        if is_admitted(headers, account) {
            return None;
        }
        if gives_one {
            self.guesses.wrong(client);
        }
        let why = "this page is for those who know its user name and password";
        Some((StatusCode::UNAUTHORIZED, why))
    }
}

/// Refuses what another site's page could send through a viewer's browser, by a name of its own that leads
/// here (DNS rebinding) or from its own origin, and who has not the account.
pub(super) async fn guard(
    State(door): State<Arc<Door>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = match door.refuses(request.headers(), client.ip()) {
        None => next.run(request).await,
        Some((status, why)) => refusal(status, why, request.uri().path()),
    };
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A refusal as the API says it, or in words for a person. Its connection ends with it: the places are for those who
/// are let in.
fn refusal(status: StatusCode, why: &str, path: &str) -> Response {
    let mut response = if path.starts_with("/api/") {
        api::answer(&json!({ "error": why }))
    } else {
        format!("{why}\n").into_response()
    };
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    if status == StatusCode::UNAUTHORIZED {
        let ask = "Basic realm=\"envoy-scrape\", charset=\"UTF-8\"";
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(ask));
    }
    if status == StatusCode::TOO_MANY_REQUESTS {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
    }
    response
}

/// Why a request with these headers is not answered. With an account the page may have any name: a browser
/// sends the secret to no other name than the one for which it was typed in.
fn refused(headers: &HeaderMap, has_account: bool) -> Option<&'static str> {
    let text = |name| {
        headers
            .get(name)
            .map(|value: &HeaderValue| value.to_str().unwrap_or(""))
    };
    let host = text(header::HOST).unwrap_or("");
    if !has_account && !is_loopback(host) {
        return Some(
            "this page is at 127.0.0.1 and localhost only; open the address that was printed",
        );
    }
    let origin = text(header::ORIGIN);
    if origin.is_some_and(|origin| origin.strip_prefix("http://") != Some(host)) {
        return Some("another site's page may not read this one");
    }
    // A link that leads here from another site is followed: its page can't read what it led to.
    let foreign = matches!(text(SEC_FETCH_SITE), Some("cross-site" | "same-site"));
    if foreign && text(SEC_FETCH_MODE) != Some("navigate") {
        return Some("another site's page may not ask this one");
    }
    None
}

/// Whether a `Host` header names this machine by an address or name that only leads to itself.
fn is_loopback(host: &str) -> bool {
    let url = url::Url::parse(&format!("http://{host}/"));
    match url.as_ref().ok().and_then(url::Url::host) {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Whether the request has this account, as RFC 7617 has it (Basic).
fn is_admitted(headers: &HeaderMap, account: &Account) -> bool {
    let given = headers
        .get(header::AUTHORIZATION)
        .map(HeaderValue::as_bytes);
    let Some((scheme, encoded)) = given.and_then(|given| given.split_at_checked(6)) else {
        return false;
    };
    let decoded = STANDARD.decode(encoded.trim_ascii());
    let Some(given) = decoded
        .ok()
        .filter(|_| scheme.eq_ignore_ascii_case(b"basic "))
    else {
        return false;
    };
    let Some(colon) = given.iter().position(|byte| *byte == b':') else {
        return false;
    };
    account.admits(&given[..colon], &given[colon + 1..])
}
