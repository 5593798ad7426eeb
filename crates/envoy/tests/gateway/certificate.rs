//! Whoever takes over the Envoy's address has its serial and its pages, but not its certificate.

use envoy::{CertificatePolicy, Error, Gateway, Standing, StateFiles, TokenSource, Why};

use crate::server::{Reply, Request, Server, Speaks};
use crate::token::{LATER, envoy, jwt};
use crate::{INVERTERS, SERIAL, info, info_of, paths, settings};

async fn server() -> Server {
    Server::start(Speaks::Both, envoy(&jwt(SERIAL, LATER))).await
}

fn gateway(server: &Server, policy: CertificatePolicy, files: StateFiles) -> Gateway {
    let mut settings = settings(server);
    settings.token = Some(TokenSource::given(jwt(SERIAL, LATER).into()));
    settings.certificate = policy;
    settings.files = files;
    Gateway::new(settings)
}

/// Whether a request says who is asking.
fn has_secret(request: &Request) -> bool {
    ["authorization", "cookie"]
        .iter()
        .any(|header| request.header(header).is_some())
}

#[tokio::test]
async fn a_pinned_envoy_s_token_never_reaches_who_takes_over_its_address() {
    let server = server().await;
    let mut gateway = gateway(&server, CertificatePolicy::Pinned, StateFiles::nowhere());
    gateway.inverters().await.unwrap();
    assert!(server.take_requests().iter().any(has_secret));

    server.is_taken_over();
    for _ in 0..3 {
        let error = gateway.inverters().await.unwrap_err();
        assert!(matches!(error, Error::CertificateChanged(_)), "{error:?}");
    }
    let requests = server.take_requests();
    assert_eq!(paths(&requests), ["/info"; 3]);
    assert!(!requests.iter().any(has_secret));
}

#[tokio::test]
async fn nor_where_the_address_is_taken_over_between_two_requests() {
    for policy in [CertificatePolicy::Pinned, CertificatePolicy::AcceptNew] {
        let server = server().await;
        let mut gateway = gateway(&server, policy, StateFiles::nowhere());
        server.is_taken_over_after("/info");
        let error = gateway.inverters().await.unwrap_err();
        assert!(
            matches!(
                error,
                Error::Unreachable {
                    why: Why::OtherCertificate,
                    ..
                }
            ),
            "{error:?}"
        );
        let requests = server.take_requests();
        assert_eq!(paths(&requests), ["/info"]);
        assert!(!requests.iter().any(has_secret));
    }
}

#[tokio::test]
async fn a_pin_holds_for_the_next_process_and_a_look_beside_it() {
    let server = server().await;
    let state = tempfile::tempdir().unwrap();
    let mut first = gateway(
        &server,
        CertificatePolicy::Pinned,
        StateFiles::inside(state.path()),
    );
    first.inverters().await.unwrap();
    assert_eq!(first.certificate().unwrap().standing, Standing::First);

    server.is_taken_over();
    server.take_requests();
    for files in [
        StateFiles::inside(state.path()),
        StateFiles::as_found_in(state.path()),
    ] {
        let mut next = gateway(&server, CertificatePolicy::Pinned, files);
        let error = next.inverters().await.unwrap_err();
        assert!(matches!(error, Error::CertificateChanged(_)), "{error:?}");
    }
    assert!(!server.take_requests().iter().any(has_secret));
}

#[tokio::test]
async fn a_new_certificate_of_the_same_envoy_costs_no_poll_where_new_ones_are_accepted() {
    let server = server().await;
    let mut gateway = gateway(&server, CertificatePolicy::AcceptNew, StateFiles::nowhere());
    gateway.inverters().await.unwrap();
    let before = gateway.certificate().unwrap().fingerprint.unwrap();

    server.is_taken_over();
    server.take_requests();
    assert_eq!(gateway.inverters().await.unwrap().reports.len(), 1);
    assert_eq!(
        gateway.certificate().unwrap().standing,
        Standing::Changed(before)
    );
    assert_eq!(paths(&server.take_requests()), ["/info", INVERTERS]);
}

#[tokio::test]
async fn who_is_not_the_expected_envoy_is_not_pinned() {
    let server = server().await;
    let state = tempfile::tempdir().unwrap();
    let mut settings = settings(&server);
    settings.serial = Some("999999999999".to_owned());
    settings.files = StateFiles::inside(state.path());
    let error = Gateway::new(settings).info().await.unwrap_err();
    assert!(matches!(error, Error::WrongSerial { .. }), "{error:?}");
    assert_eq!(std::fs::read_dir(state.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_certificate_of_no_ca_is_refused_where_the_system_s_cas_decide() {
    let server = Server::start(Speaks::Https, envoy(&jwt(SERIAL, LATER))).await;
    let mut gateway = gateway(&server, CertificatePolicy::System, StateFiles::nowhere());
    let error = gateway.inverters().await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Unreachable {
                why: Why::NotTrusted,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(server.take_requests().is_empty());
}

#[tokio::test]
async fn where_the_system_s_cas_decide_nobody_is_asked_by_http() {
    let server = Server::start(Speaks::Http, envoy(&jwt(SERIAL, LATER))).await;
    let mut gateway = gateway(&server, CertificatePolicy::System, StateFiles::nowhere());
    gateway.inverters().await.unwrap_err();
    assert!(server.take_requests().is_empty());
}

#[tokio::test]
async fn a_connection_from_before_a_judgement_is_not_used_after_it() {
    let server = server().await;
    let mut gateway = gateway(&server, CertificatePolicy::AcceptNew, StateFiles::nowhere());
    gateway.inverters().await.unwrap();
    let before = server.take_requests().last().unwrap().connection;
    gateway.info().await.unwrap();
    gateway.inverters().await.unwrap();
    let after = server.take_requests().last().unwrap().connection;
    assert_ne!(before, after);
}

#[tokio::test]
async fn any_certificate_is_taken_where_none_is_checked() {
    let server = server().await;
    let mut gateway = gateway(&server, CertificatePolicy::Insecure, StateFiles::nowhere());
    gateway.inverters().await.unwrap();
    server.is_taken_over();
    gateway.inverters().await.unwrap();
    assert_eq!(gateway.certificate().unwrap().standing, Standing::Unchecked);
}

#[tokio::test]
async fn who_says_only_by_http_that_he_is_the_envoy_gets_no_token_by_https() {
    for policy in [CertificatePolicy::AcceptNew, CertificatePolicy::Pinned] {
        // Something else has the port of https; the page by http can be anybody's.
        let mut envoy = envoy(&jwt(SERIAL, LATER));
        let server = Server::start(Speaks::Both, move |request: &Request| {
            if request.tls && request.path == "/info" {
                Reply::new(404, &[], "<html>a printer</html>")
            } else {
                envoy(request)
            }
        })
        .await;
        let state = tempfile::tempdir().unwrap();
        let mut gateway = gateway(&server, policy, StateFiles::inside(state.path()));
        let error = gateway.inverters().await.unwrap_err();
        assert!(matches!(error, Error::NotAnEnvoy { .. }), "{error:?}");
        assert!(!server.take_requests().iter().any(has_secret));
        assert_eq!(std::fs::read_dir(state.path()).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn a_pinned_envoy_is_not_asked_by_http_by_who_only_passes_its_certificate_on() {
    let server = server().await;
    let mut gateway = gateway(&server, CertificatePolicy::Pinned, StateFiles::nowhere());
    gateway.inverters().await.unwrap();
    server.take_requests();
    // The right certificate, but no answer that is one; by http it claims to be of old firmware.
    server.become_another(Speaks::Both, |request: &Request| {
        if request.tls {
            return Reply::new(404, &[], "");
        }
        match &*request.path {
            "/info" => info("D5.0.62"),
            _ => Reply::new(
                401,
                &["WWW-Authenticate: Digest qop=\"auth\", realm=\"x\", nonce=\"n\""],
                "",
            ),
        }
    });
    let secret_before = |requests: Vec<Request>| requests.iter().filter(|r| !r.tls).any(has_secret);
    for _ in 0..2 {
        gateway.inverters().await.unwrap_err();
    }
    assert!(!secret_before(server.take_requests()));
}

#[tokio::test]
async fn who_claims_another_serial_gets_no_token_of_this_one_not_even_after_a_restart() {
    let server = server().await;
    let state = tempfile::tempdir().unwrap();
    let files = || StateFiles::inside(state.path());
    let mut before = gateway(&server, CertificatePolicy::Pinned, files());
    before.inverters().await.unwrap();

    server.is_taken_over();
    server.take_requests();
    server.become_another(Speaks::Both, |request: &Request| match &*request.path {
        "/info" => info_of("121430030549", "D8.2.4345"),
        _ => Reply::ok(crate::ONE_INVERTER),
    });
    for (policy, why) in [
        (CertificatePolicy::Pinned, "remove"),
        (CertificatePolicy::AcceptNew, "the token is for the Envoy"),
    ] {
        let mut after = gateway(&server, policy, files());
        let error = after.inverters().await.unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
        assert!(!server.take_requests().iter().any(has_secret));
    }
}

/// Of old firmware and with another serial: what the Envoy's password makes would be enough to guess it.
fn old_envoy_that_asks_for_a_digest(request: &Request) -> Reply {
    match &*request.path {
        "/info" => info_of("121430030549", "D5.0.62"),
        _ => Reply::new(
            401,
            &["WWW-Authenticate: Digest qop=\"auth\", realm=\"x\", nonce=\"n\""],
            "",
        ),
    }
}

#[tokio::test]
async fn a_pin_keeps_out_who_tells_another_serial_after_a_restart_unless_that_is_configured() {
    let state = tempfile::tempdir().unwrap();
    let pin = state.path().join(format!("certificate-{SERIAL}"));
    std::fs::write(&pin, "ab".repeat(32)).unwrap();
    let server = Server::start(Speaks::Http, old_envoy_that_asks_for_a_digest).await;
    let digests = async |serial: Option<&str>, files| {
        let mut settings = settings(&server);
        settings.serial = serial.map(str::to_owned);
        settings.certificate = CertificatePolicy::Pinned;
        settings.files = files;
        let error = Gateway::new(settings).inverters().await.unwrap_err();
        (server.take_requests().iter().any(has_secret), error)
    };
    for files in [
        StateFiles::inside(state.path()),
        StateFiles::as_found_in(state.path()),
    ] {
        let (sent, error) = digests(None, files).await;
        let said = error.to_string();
        for part in [SERIAL, "121430030549", &format!("remove {}", pin.display())] {
            assert!(said.contains(part), "{part} is not in {said}");
        }
        assert!(!sent);
    }
    let (sent, _) = digests(Some("121430030549"), StateFiles::inside(state.path())).await;
    assert!(sent);
    std::fs::remove_file(&pin).unwrap();
    let (sent, _) = digests(None, StateFiles::inside(state.path())).await;
    assert!(sent);
}
