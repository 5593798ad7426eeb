//! A token in a file, which may be replaced while we run.

use envoy::TokenSource;

use super::{LATER, LOGIN, envoy, jwt, refusal, with_token};
use crate::server::{Reply, Request, Server, Speaks};
use crate::{INVERTERS, SERIAL, paths};

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
async fn a_new_token_is_taken_up_also_where_the_envoy_wants_a_login_for_it() {
    let (old, new) = (jwt(SERIAL, LATER), jwt(SERIAL, LATER + 1));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &old).unwrap();
    let (mut by_old, mut by_new, bearer) = (envoy(&old), envoy(&new), format!("Bearer {new}"));
    let server = Server::start(Speaks::Https, move |request: &Request| {
        match (&*request.path, request.header("cookie")) {
            (INVERTERS, None) => refusal(),
            _ if request.header("authorization") == Some(&bearer) => by_new(request),
            _ => by_old(request),
        }
    })
    .await;
    let mut gateway = with_token(&server, TokenSource::file(file.path()));
    gateway.inverters().await.unwrap();
    std::fs::write(file.path(), &new).unwrap();
    server.take_requests();
    gateway.inverters().await.unwrap();
    assert_eq!(
        paths(&server.take_requests()),
        [INVERTERS, LOGIN, INVERTERS]
    );
    assert_eq!(gateway.token_expires_at(), Some(LATER + 1));
    gateway.inverters().await.unwrap();
    assert_eq!(paths(&server.take_requests()), [INVERTERS]);
}

#[tokio::test]
async fn a_token_that_is_refused_and_comes_during_an_outage_costs_nothing_either() {
    let (old, new) = (jwt(SERIAL, LATER), jwt(SERIAL, LATER + 1));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &old).unwrap();
    let server = Server::start(Speaks::Https, envoy(&old)).await;
    let mut gateway = with_token(&server, TokenSource::file(file.path()));
    gateway.inverters().await.unwrap();
    for late in [false, true] {
        server.become_another(Speaks::Https, |_: &Request| Reply::new(500, &[], "oops"));
        if late {
            gateway.inverters().await.unwrap_err();
        }
        std::fs::write(file.path(), &new).unwrap();
        gateway.inverters().await.unwrap_err();
        server.become_another(Speaks::Https, envoy(&old));
        gateway.inverters().await.unwrap();
        assert_eq!(gateway.token_expires_at(), Some(LATER));
        std::fs::write(file.path(), &old).unwrap();
        gateway.inverters().await.unwrap();
    }
    // Nor a file that can't be read then.
    std::fs::remove_file(file.path()).unwrap();
    gateway.info().await.unwrap();
    gateway.inverters().await.unwrap();
}

#[tokio::test]
async fn a_token_of_another_envoy_in_the_file_is_never_sent_to_this_one() {
    let (own, other) = (jwt(SERIAL, LATER), jwt("999999999999", LATER));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &own).unwrap();
    let server = Server::start(Speaks::Https, envoy(&own)).await;
    let mut gateway = with_token(&server, TokenSource::file(file.path()));
    gateway.inverters().await.unwrap();
    std::fs::write(file.path(), &other).unwrap();
    gateway.inverters().await.unwrap();
    // Nor when its own one is refused.
    server.become_another(Speaks::Https, envoy("eyJ.nobody.s"));
    gateway.inverters().await.unwrap_err();
    let bearer = format!("Bearer {other}");
    let asked = server.take_requests();
    assert!(asked.len() > 2);
    assert!(
        asked
            .iter()
            .all(|request| request.header("authorization") != Some(&bearer))
    );
}
