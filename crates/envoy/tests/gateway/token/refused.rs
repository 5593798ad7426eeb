//! Tokens that the Envoy does not take, and none at all.

use envoy::{Clock, Credentials, Error, Gateway, TokenSource};
use jiff::Timestamp;

use super::{LATER, LOGIN, cookies, envoy, given, jwt, refusal};
use crate::server::{Reply, Request, Server, Speaks};
use crate::{INVERTERS, SERIAL, all_of, info, paths, settings};

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
async fn a_login_page_that_is_busy_says_nothing_of_the_token() {
    let token = jwt(SERIAL, LATER);
    let server = Server::start(Speaks::Https, |request: &Request| match &*request.path {
        "/info" => info("D8.2.4345"),
        LOGIN => Reply::new(503, &[], "busy"),
        _ => refusal(),
    })
    .await;
    let error = given(&server, &token).inverters().await.unwrap_err();
    assert!(matches!(error, Error::Busy { .. }), "{error:?}");
}
