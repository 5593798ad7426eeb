//! Firmware below 7: digest.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};

use envoy::{Credentials, Error};
use md5::{Digest, Md5};

use crate::server::{Reply, Request, Server, Speaks};
use crate::{INSTALLER_PASSWORD, INVERTERS, ONE_INVERTER, all_of, gateway, info, paths, settings};

const REALM: &str = "enphaseenergy.com";

/// An Envoy that lets in one user.
fn envoy(user: &'static str, password: &'static str) -> impl FnMut(&Request) -> Reply + Send {
    let challenges = AtomicU32::new(0);
    move |request| {
        if request.path == "/info" {
            return info("D5.0.62");
        }
        match request.header("authorization") {
            Some(answer) if verify(answer, user, password) => Reply::ok(ONE_INVERTER),
            _ => challenge(&format!(
                "n{}+=",
                challenges.fetch_add(1, Ordering::Relaxed)
            )),
        }
    }
}

pub(crate) fn challenge(nonce: &str) -> Reply {
    let header =
        format!("WWW-Authenticate: Digest qop=\"auth\", realm=\"{REALM}\", nonce=\"{nonce}\"");
    Reply::new(401, &[&header], "{\"status\":401}")
}

/// The server's side of RFC 2617, by its text.
fn verify(answer: &str, user: &str, password: &str) -> bool {
    let md5 = |text: String| {
        let digest = Md5::digest(text);
        digest
            .iter()
            .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
    };
    let part = |name: &str| part(answer, name);
    assert_eq!(part("realm"), REALM);
    assert_eq!(part("uri"), INVERTERS);
    assert_eq!(part("qop"), "auth");
    assert_eq!(part("nc"), "00000001", "a challenge is answered once");
    let a1 = md5(format!("{user}:{REALM}:{password}"));
    let a2 = md5(format!("GET:{INVERTERS}"));
    let (nonce, cnonce) = (part("nonce"), part("cnonce"));
    part("username") == user
        && part("response") == md5(format!("{a1}:{nonce}:00000001:{cnonce}:auth:{a2}"))
}

fn part<'a>(answer: &'a str, name: &str) -> &'a str {
    let parameters = answer.strip_prefix("Digest ").expect("a digest");
    parameters
        .split(", ")
        .find_map(|parameter| parameter.strip_prefix(name)?.strip_prefix('='))
        .unwrap_or_else(|| panic!("{name} is missing in {answer}"))
        .trim_matches('"')
}

/// The user that an answer to a challenge is of.
pub(crate) fn user_of(answer: &str) -> &str {
    part(answer, "username")
}

/// The users of the requests that brought an answer to a challenge.
fn users(requests: &[Request]) -> Vec<&str> {
    requests
        .iter()
        .filter_map(|request| request.header("authorization"))
        .map(|answer| part(answer, "username"))
        .collect()
}

#[tokio::test]
async fn the_installer_is_let_in_with_the_computed_password() {
    let server = Server::start(Speaks::Http, envoy("installer", INSTALLER_PASSWORD)).await;
    let mut gateway = gateway(&server);
    for poll in 0..2 {
        let inverters = gateway.inverters().await.unwrap();
        assert_eq!(inverters.reports[0].power_w, 99);
        let requests = server.take_requests();
        let expected: &[&str] = if poll == 0 {
            &["/info", INVERTERS, INVERTERS]
        } else {
            &[INVERTERS; 2]
        };
        assert_eq!(paths(&requests), expected, "poll {poll}");
        assert_eq!(users(&requests), ["installer"]);
    }
    assert_eq!(gateway.last_info().unwrap().firmware.to_string(), "D5.0.62");
    assert_eq!(
        gateway.address().unwrap(),
        format!("http://{}", server.address())
    );
    assert!(gateway.clock_skew().unwrap() < 0);
}

#[tokio::test]
async fn no_connection_carries_a_second_request() {
    // Firmware 3 resets a connection when the answer to its challenge comes on it.
    let server = Server::start(Speaks::Http, envoy("envoy", "030548")).await;
    let mut gateway = gateway(&server);
    for _ in 0..3 {
        gateway.inverters().await.unwrap();
    }
    let requests = server.take_requests();
    let connections: HashSet<_> = requests.iter().map(|request| request.connection).collect();
    assert_eq!(connections.len(), requests.len());
    assert!(
        requests
            .iter()
            .all(|request| request.header("connection") == Some("close"))
    );
}

#[tokio::test]
async fn the_owner_is_tried_next_and_remembered() {
    let server = Server::start(Speaks::Http, envoy("envoy", "030548")).await;
    let mut gateway = gateway(&server);
    gateway.inverters().await.unwrap();
    assert_eq!(users(&server.take_requests()), ["installer", "envoy"]);
    gateway.inverters().await.unwrap();
    assert_eq!(users(&server.take_requests()), ["envoy"]);
    gateway.info().await.unwrap();
    gateway.inverters().await.unwrap();
    assert_eq!(
        users(&server.take_requests()),
        ["envoy"],
        "also after asking who it is"
    );
}

#[tokio::test]
async fn a_configured_user_is_the_only_one_tried() {
    let server = Server::start(Speaks::Http, envoy("installer", INSTALLER_PASSWORD)).await;
    let mut settings = settings(&server);
    settings.username = Some("me".to_owned());
    settings.password = Some("hunter2".into());
    let mut gateway = envoy::Gateway::new(settings);
    let error = gateway.inverters().await.unwrap_err();
    assert_eq!(users(&server.take_requests()), ["me"]);
    let shown = format!("{}\n{gateway:?}", all_of(&error));
    assert!(
        shown.contains("user me with the password given: check both"),
        "{shown}"
    );
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn a_wrong_password_is_named_and_not_shown() {
    let server = Server::start(Speaks::Http, envoy("installer", "another")).await;
    let mut gateway = gateway(&server);
    let error = gateway.inverters().await.unwrap_err();
    let Error::Credentials(Credentials::Password {
        users,
        given: false,
        ..
    }) = &error
    else {
        panic!("{error}");
    };
    assert_eq!(users, &["installer", "envoy"]);
    let shown = format!("{}\n{gateway:?}", all_of(&error));
    assert!(!shown.contains(INSTALLER_PASSWORD), "{shown}");
}

#[tokio::test]
async fn a_password_that_worked_is_tried_anew_after_asking_who_it_is() {
    let server = Server::start(Speaks::Http, envoy("installer", INSTALLER_PASSWORD)).await;
    let mut gateway = gateway(&server);
    gateway.inverters().await.unwrap();
    server.take_requests();
    server.become_another(Speaks::Http, envoy("installer", "changed"));
    gateway.inverters().await.unwrap_err();
    let requests = server.take_requests();
    assert_eq!(
        users(&requests),
        ["installer", "envoy", "installer", "envoy"]
    );
    assert_eq!(paths(&requests)[4], "/info");
}

#[tokio::test]
async fn a_challenge_of_binary_bytes_means_bad_credentials() {
    // Recorded from R3.9.36.
    let server = Server::start(Speaks::Http, |request: &Request| match &*request.path {
        "/info" => info("R3.9.36"),
        _ => Reply::raw(
            [
                &b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: \xd8\xc9\xc6A\r\n"[..],
                b"Content-Length: 2\r\n\r\n{}",
            ]
            .concat(),
        ),
    })
    .await;
    let error = gateway(&server).inverters().await.unwrap_err();
    let Error::Credentials(Credentials::Password {
        users,
        source: Some(_),
        ..
    }) = &error
    else {
        panic!("{error:?}");
    };
    assert_eq!(users, &["installer", "envoy"]);
    assert!(
        error
            .to_string()
            .contains("give the user name and password"),
        "{error}"
    );
}

#[tokio::test]
async fn basic_never_gets_the_password() {
    let server = Server::start(Speaks::Http, |request: &Request| match &*request.path {
        "/info" => info("D5.0.62"),
        _ => Reply::new(
            401,
            &["WWW-Authenticate: Basic realm=\"enphaseenergy.com\""],
            "",
        ),
    })
    .await;
    let error = gateway(&server).inverters().await.unwrap_err();
    assert!(matches!(error, Error::Credentials(_)), "{error}");
    let requests = server.take_requests();
    assert!(
        requests
            .iter()
            .all(|request| request.header("authorization").is_none())
    );
}

#[tokio::test]
async fn an_open_envoy_needs_no_password() {
    let server = Server::start(Speaks::Http, |request: &Request| match &*request.path {
        "/info" => info("R4.10.35"),
        _ => Reply::ok(ONE_INVERTER),
    })
    .await;
    let mut gateway = gateway(&server);
    assert_eq!(gateway.inverters().await.unwrap().reports.len(), 1);
    assert_eq!(server.take_requests().len(), 2);
}
