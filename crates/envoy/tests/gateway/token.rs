//! Firmware 7 and above: TLS, token, session.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use envoy::{Clock, Credentials, Error, Gateway, TokenSource};
use jiff::Timestamp;

use crate::server::{Reply, Request, Server, Speaks};
use crate::{INVERTERS, ONE_INVERTER, SERIAL, all_of, info, paths, settings};

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
async fn a_refused_token_is_not_sent_again_in_vain() {
    let server = Server::start(Speaks::Https, envoy("another")).await;
    let token = jwt(SERIAL, LATER);
    let mut gateway = given(&server, &token);
    let error = gateway.inverters().await.unwrap_err();
    assert_eq!(paths(&server.take_requests()), ["/info", INVERTERS, LOGIN]);
    assert!(
        matches!(&error, Error::Credentials(Credentials::TokenRejected { role: Some(role) }) if role == "owner"),
        "{error}"
    );
    let shown = all_of(&error);
    assert!(!shown.contains("eyJ") && !shown.contains(&token), "{shown}");
    assert!(
        shown.contains("https://entrez.enphaseenergy.com"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_burst_of_refusals_is_no_storm_of_logins_and_passes() {
    let token = jwt(SERIAL, LATER);
    let server = Server::start(Speaks::Https, envoy(&token)).await;
    let mut gateway = given(&server, &token);
    gateway.inverters().await.unwrap();
    server.take_requests();
    server.become_another(Speaks::Https, |request: &Request| match &*request.path {
        "/info" => info("D8.2.4345"),
        _ => refusal(),
    });
    // The session, the token alone, the login, and once more when it is known who refuses.
    let first = [INVERTERS, INVERTERS, LOGIN, "/info", INVERTERS, LOGIN];
    let further = ["/info", INVERTERS, LOGIN];
    for requests in [&first[..], &further, &further, &further] {
        gateway.inverters().await.unwrap_err();
        assert_eq!(paths(&server.take_requests()), requests);
    }
    server.become_another(Speaks::Https, envoy(&token));
    gateway.inverters().await.unwrap();
    gateway.inverters().await.unwrap();
    let requests = server.take_requests();
    assert_eq!(paths(&requests), ["/info", INVERTERS, INVERTERS]);
    assert_eq!(cookies(&requests), [None, None, Some("sessionId=s1")]);
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
async fn a_role_that_may_not_read_the_inverters_is_named() {
    let token = jwt(SERIAL, LATER);
    let mut good = envoy(&token);
    let server = Server::start(Speaks::Https, move |request| match &*request.path {
        INVERTERS => refusal(),
        _ => good(request),
    })
    .await;
    let error = given(&server, &token).inverters().await.unwrap_err();
    let said = error.to_string();
    assert!(
        matches!(error, Error::Credentials(Credentials::TokenRole { .. })),
        "{said}"
    );
    for part in ["owner", INVERTERS] {
        assert!(said.contains(part), "{said}");
    }
}

#[tokio::test]
async fn an_expired_token_and_one_of_another_envoy_are_named() {
    let server = Server::start(Speaks::Https, envoy("another")).await;
    let error = given(&server, &jwt(SERIAL, 1_700_000_000))
        .inverters()
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("expired at 2023-11-14T22:13:20Z"),
        "{error}"
    );
    let error = given(&server, &jwt("999", LATER))
        .inverters()
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("is for the Envoy 999, this one is 1214"),
        "{error}"
    );
}

#[tokio::test]
async fn the_clock_of_the_settings_says_what_has_expired_and_how_far_the_envoy_is_off() {
    let server = Server::start(Speaks::Https, envoy("another")).await;
    let mut settings = settings(&server);
    settings.token = Some(TokenSource::given(jwt(SERIAL, LATER).into()));
    settings.clock = Clock::new(|| Timestamp::from_second(LATER).unwrap());
    let mut gateway = Gateway::new(settings);
    let error = gateway.inverters().await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Credentials(Credentials::TokenExpired { expired_at: LATER })
        ),
        "{error:?}"
    );
    assert_eq!(gateway.clock_skew(), Some(1_703_033_831 - LATER));
}

#[tokio::test]
async fn a_missing_token_is_explained_without_asking_in_vain() {
    let server = Server::start(Speaks::Https, envoy("x")).await;
    let mut gateway = Gateway::new(settings(&server));
    let error = gateway.inverters().await.unwrap_err();
    let message = error.to_string();
    assert!(matches!(error, Error::TokenMissing { .. }), "{message}");
    for part in [SERIAL, "D8.2.4345", "https://entrez.enphaseenergy.com"] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(paths(&server.take_requests()), ["/info"]);
    assert_eq!(gateway.info().await.unwrap().serial, SERIAL);
}

#[tokio::test]
async fn a_token_file_that_was_replaced_is_taken_up_at_once_where_the_envoy_takes_both() {
    let (old, new) = (jwt(SERIAL, LATER), jwt(SERIAL, LATER + 1));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &old).unwrap();
    let (mut by_old, mut by_new, bearer) = (envoy(&old), envoy(&new), format!("Bearer {new}"));
    let both = move |request: &Request| match request.header("authorization") {
        Some(given) if *given == bearer => by_new(request),
        _ => by_old(request),
    };
    let server = Server::start(Speaks::Https, both).await;
    let mut gateway = with_token(&server, TokenSource::file(file.path()));
    gateway.inverters().await.unwrap();
    std::fs::write(file.path(), &new).unwrap();
    gateway.inverters().await.unwrap();
    assert_eq!(gateway.token_expires_at(), Some(LATER + 1));
    for broken in ["", "half a tok"] {
        std::fs::write(file.path(), broken).unwrap();
        gateway.inverters().await.unwrap();
    }
    std::fs::remove_file(file.path()).unwrap();
    gateway.inverters().await.unwrap();
    server.take_requests();
    gateway.inverters().await.unwrap();
    assert_eq!(paths(&server.take_requests()), [INVERTERS]);
}

#[tokio::test]
async fn a_token_file_with_a_token_that_is_refused_costs_nothing_while_the_old_one_works() {
    let (old, new) = (jwt(SERIAL, LATER), jwt(SERIAL, LATER + 1));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &old).unwrap();
    let server = Server::start(Speaks::Https, envoy(&old)).await;
    let mut gateway = with_token(&server, TokenSource::file(file.path()));
    gateway.inverters().await.unwrap();
    std::fs::write(file.path(), format!("{new}\n")).unwrap();
    gateway.inverters().await.unwrap();
    assert_eq!(gateway.token_expires_at(), Some(LATER));
    server.take_requests();
    gateway.inverters().await.unwrap();
    assert_eq!(
        paths(&server.take_requests()),
        [INVERTERS],
        "once is enough"
    );
    // Nor when everything is found out anew.
    server.become_another(Speaks::Https, |_: &Request| Reply::new(500, &[], "oops"));
    gateway.inverters().await.unwrap_err();
    server.become_another(Speaks::Https, envoy(&old));
    gateway.inverters().await.unwrap();
    server.become_another(Speaks::Https, envoy(&new));
    gateway.inverters().await.unwrap();
    assert_eq!(gateway.token_expires_at(), Some(LATER + 1));
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
