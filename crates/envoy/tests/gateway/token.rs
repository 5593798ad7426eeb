//! Firmware 7 and above: TLS, token, session.

mod file;
mod refused;

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use envoy::{Error, Gateway, TokenSource};

use crate::server::{Reply, Request, Server, Speaks};
use crate::{INVERTERS, ONE_INVERTER, SERIAL, info, paths, settings};

const LOGIN: &str = "/auth/check_jwt";

/// 2100-01-01.
pub(crate) const LATER: i64 = 4_102_444_800;

pub(crate) fn jwt(serial: &str, expires_at: i64) -> String {
    let claims =
        format!(r#"{{"aud":"{serial}","enphaseUser":"owner","exp":{expires_at},"iss":"Entrez"}}"#);
    format!(
        "eyJhbGciOiJFUzI1NiJ9.{}.c2lnbmVk",
        URL_SAFE_NO_PAD.encode(claims)
    )
}

/// An Envoy that takes this token, and gives each request a new session.
pub(crate) fn envoy(token: &str) -> impl FnMut(&Request) -> Reply + Send + use<> {
    let bearer = format!("Bearer {token}");
    let mut sessions = 0;
    move |request| {
        if request.path == "/info" {
            return info("D8.2.4345");
        }
        if request.header("authorization") != Some(&bearer) {
            return refusal();
        }
        sessions += 1;
        let cookie = format!("Set-Cookie: sessionId=s{sessions}; Secure; HttpOnly; path=/");
        Reply::new(200, &[&cookie], ONE_INVERTER)
    }
}

fn refusal() -> Reply {
    Reply::new(
        401,
        &["Content-Type: text/html"],
        "<html>401 Authorization Required</html>",
    )
}

fn with_token(server: &Server, token: TokenSource) -> Gateway {
    let mut settings = settings(server);
    settings.token = Some(token);
    Gateway::new(settings)
}

fn given(server: &Server, token: &str) -> Gateway {
    with_token(server, TokenSource::given(token.into()))
}

fn cookies(requests: &[Request]) -> Vec<Option<&str>> {
    requests
        .iter()
        .map(|request| request.header("cookie"))
        .collect()
}

#[tokio::test]
async fn token_and_session_are_sent_over_one_kept_connection() {
    let token = jwt(SERIAL, LATER);
    let server = Server::start(Speaks::Https, envoy(&token)).await;
    let mut gateway = given(&server, &token);
    assert_eq!(gateway.token_expires_at(), None);
    for _ in 0..3 {
        assert_eq!(gateway.inverters().await.unwrap().reports[0].power_w, 99);
    }
    assert_eq!(gateway.token_expires_at(), Some(LATER));
    let requests = server.take_requests();
    assert_eq!(paths(&requests), ["/info", INVERTERS, INVERTERS, INVERTERS]);
    assert!(requests.iter().all(|request| request.tls));
    assert_eq!(
        requests[0].header("authorization"),
        None,
        "who it is needs no token"
    );
    assert_eq!(
        cookies(&requests),
        [None, None, Some("sessionId=s1"), Some("sessionId=s2")]
    );
    let connections: HashSet<_> = requests[1..]
        .iter()
        .map(|request| request.connection)
        .collect();
    assert_eq!(connections.len(), 1);
    let shown = format!("{gateway:?}");
    assert!(!shown.contains("eyJ") && !shown.contains("s3"), "{shown}");
}

#[tokio::test]
async fn a_session_that_ended_is_opened_again_with_the_token_alone() {
    let token = jwt(SERIAL, LATER);
    let server = Server::start(Speaks::Https, envoy(&token)).await;
    let mut gateway = given(&server, &token);
    gateway.inverters().await.unwrap();
    server.take_requests();
    let mut good = envoy(&token);
    server.become_another(Speaks::Https, move |request| {
        match request.header("cookie") {
            Some(_) => refusal(),
            None => good(request),
        }
    });
    gateway.inverters().await.unwrap();
    let requests = server.take_requests();
    assert_eq!(paths(&requests), [INVERTERS; 2]);
    assert_eq!(cookies(&requests), [Some("sessionId=s1"), None]);
    assert!(requests[1].header("authorization").is_some());
}

#[tokio::test]
async fn a_login_page_opens_a_session_where_the_token_alone_does_not() {
    let token = jwt(SERIAL, LATER);
    let mut good = envoy(&token);
    let server = Server::start(Speaks::Https, move |request| {
        match (&*request.path, request.header("cookie")) {
            (INVERTERS, None) => refusal(),
            _ => good(request),
        }
    })
    .await;
    let mut gateway = given(&server, &token);
    gateway.inverters().await.unwrap();
    let requests = server.take_requests();
    assert_eq!(paths(&requests), ["/info", INVERTERS, LOGIN, INVERTERS]);
    assert_eq!(cookies(&requests), [None, None, None, Some("sessionId=s1")]);
    gateway.inverters().await.unwrap();
    assert_eq!(paths(&server.take_requests()), [INVERTERS]);
}

#[tokio::test]
async fn a_token_is_never_sent_in_clear() {
    let token = jwt(SERIAL, LATER);
    let server = Server::start(Speaks::Http, envoy(&token)).await;
    let error = given(&server, &token).inverters().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");

    let mut settings = settings(&server);
    settings.host = format!("http://{}", server.address()).parse().unwrap();
    settings.token = Some(TokenSource::given(token.into()));
    let error = Gateway::new(settings).inverters().await.unwrap_err();
    assert!(matches!(error, Error::HttpsNeeded { .. }), "{error}");

    let requests = server.take_requests();
    assert!(requests.iter().all(|request| request.path == "/info"));
    assert!(
        requests
            .iter()
            .all(|request| request.header("authorization").is_none())
    );
}
