//! Finding out who answers, and finding out again.

mod others;

use envoy::{Error, Fault, Gateway, TokenSource};

use crate::server::{Reply, Request, Server, Speaks};
use crate::{INVERTERS, ONE_INVERTER, SERIAL, gateway, info, info_of, paths, settings};

/// An Envoy that asks for nothing: what counts here is where it is asked.
fn open(firmware: &'static str) -> impl FnMut(&Request) -> Reply + Send {
    move |request| match &*request.path {
        "/info" => info(firmware),
        _ => Reply::ok(ONE_INVERTER),
    }
}

#[tokio::test]
async fn https_is_tried_first() {
    let server = Server::start(Speaks::Both, open("D5.0.62")).await;
    let found = gateway(&server).info().await.unwrap();
    assert_eq!(
        (&*found.serial, &*found.firmware.to_string()),
        (SERIAL, "D5.0.62")
    );
    let requests = server.take_requests();
    assert!(requests.len() == 1 && requests[0].tls);
}

#[tokio::test]
async fn only_the_scheme_that_is_given_is_tried() {
    let server = Server::start(Speaks::Http, open("D5.0.62")).await;
    let mut settings = settings(&server);
    settings.host = format!("https://{}", server.address()).parse().unwrap();
    let error = Gateway::new(settings.clone()).info().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    assert_eq!(server.take_requests().len(), 0);
    settings.host = format!("http://{}", server.address()).parse().unwrap();
    Gateway::new(settings).info().await.unwrap();
}

#[tokio::test]
async fn asking_who_it_is_serves_the_next_poll_too() {
    let server = Server::start(Speaks::Http, open("D5.0.62")).await;
    let mut gateway = gateway(&server);
    gateway.info().await.unwrap();
    gateway.inverters().await.unwrap();
    assert_eq!(paths(&server.take_requests()), ["/info", INVERTERS]);
}

#[tokio::test]
async fn a_firmware_update_from_5_to_7_is_followed_within_a_poll() {
    let server = Server::start(Speaks::Http, open("D5.0.62")).await;
    let mut settings = settings(&server);
    settings.token = Some(TokenSource::given("eyJ.x.y".into()));
    let mut gateway = Gateway::new(settings);
    gateway.inverters().await.unwrap();
    server.take_requests();

    let mut updated = open("D7.6.175");
    server.become_another(Speaks::Both, move |request| {
        if request.tls || request.path == "/info" {
            updated(request)
        } else {
            Reply::new(301, &["Location: https://localhost/"], "<html>moved</html>")
        }
    });
    gateway.inverters().await.unwrap();
    let requests = server.take_requests();
    assert_eq!(paths(&requests), [INVERTERS, "/info", INVERTERS]);
    assert!(!requests[0].tls && requests[1].tls && requests[2].tls);
    assert_eq!(requests[2].header("authorization"), Some("Bearer eyJ.x.y"));
    assert_eq!(
        gateway.last_info().unwrap().firmware.to_string(),
        "D7.6.175"
    );
    assert!(gateway.address().unwrap().starts_with("https://"));
}

#[tokio::test]
async fn a_port_80_that_closes_is_followed_within_a_poll() {
    let server = Server::start(Speaks::Http, open("D5.0.62")).await;
    let mut settings = settings(&server);
    settings.token = Some(TokenSource::given("eyJ.x.y".into()));
    let mut gateway = Gateway::new(settings);
    gateway.inverters().await.unwrap();
    server.become_another(Speaks::Https, open("D8.3.5433"));
    gateway.inverters().await.unwrap();
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let server = Server::start(Speaks::Http, |request: &Request| match &*request.path {
        "/info" => info("D5.0.62"),
        INVERTERS => Reply::new(302, &["Location: /elsewhere"], ""),
        _ => Reply::ok(ONE_INVERTER),
    })
    .await;
    let mut gateway = gateway(&server);
    let error = gateway.inverters().await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::BadAnswer {
                fault: Fault::Redirect(_),
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(paths(&server.take_requests()), ["/info", INVERTERS]);
}

#[tokio::test]
async fn an_address_with_http_that_leads_to_https_is_answered_with_the_remedy() {
    let server = Server::start(Speaks::Http, |_: &Request| {
        Reply::new(301, &["Location: https://localhost/"], "")
    })
    .await;
    let mut settings = settings(&server);
    settings.host = format!("http://{}", server.address()).parse().unwrap();
    let error = Gateway::new(settings).info().await.unwrap_err();
    assert!(matches!(error, Error::HttpsNeeded { .. }), "{error}");
}

/// What firmware 7 says in clear at its port for https.
fn wrong_scheme() -> Reply {
    let page =
        "<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>";
    Reply::new(400, &[], page)
}

#[tokio::test]
async fn a_port_for_https_alone_is_known_as_such_when_its_answer_is_cut_off() {
    let server = Server::start(Speaks::Both, |request: &Request| {
        if request.tls {
            Reply::raw("HTTP/1.1 200 x\r\nContent-Length: 500\r\n\r\n<?xml")
        } else {
            wrong_scheme()
        }
    })
    .await;
    let error = gateway(&server).info().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    let mut settings = settings(&server);
    settings.host = format!("http://{}", server.address()).parse().unwrap();
    let error = Gateway::new(settings).info().await.unwrap_err();
    assert!(matches!(error, Error::HttpsNeeded { .. }), "{error}");
}

#[tokio::test]
async fn an_update_that_makes_of_the_port_one_for_https_is_followed_within_a_poll() {
    let server = Server::start(Speaks::Http, open("D5.0.62")).await;
    let mut settings = settings(&server);
    settings.token = Some(TokenSource::given("eyJ.x.y".into()));
    let mut gateway = Gateway::new(settings);
    gateway.inverters().await.unwrap();
    let mut newer = open("D7.6.175");
    server.become_another(Speaks::Both, move |request| {
        if request.tls {
            newer(request)
        } else {
            wrong_scheme()
        }
    });
    gateway.inverters().await.unwrap();
}

#[tokio::test]
async fn another_serial_is_refused_before_anything_is_read() {
    let server = Server::start(Speaks::Http, open("D5.0.62")).await;
    let mut settings = settings(&server);
    settings.serial = Some("999".to_owned());
    let error = Gateway::new(settings).inverters().await.unwrap_err();
    assert!(
        matches!(&error, Error::WrongSerial { expected, found, .. } if expected == "999" && found == SERIAL),
        "{error}"
    );
    assert_eq!(paths(&server.take_requests()), ["/info"]);
}

#[tokio::test]
async fn an_address_that_passes_to_another_envoy_is_noticed() {
    let server = Server::start(Speaks::Http, open("D5.0.62")).await;
    let mut gateway = gateway(&server);
    gateway.inverters().await.unwrap();
    server.become_another(Speaks::Https, |request: &Request| match &*request.path {
        "/info" => info_of("131313131313", "D8.2.4345"),
        _ => Reply::ok(ONE_INVERTER),
    });
    let error = gateway.inverters().await.unwrap_err();
    assert!(
        matches!(&error, Error::WrongSerial { found, .. } if found == "131313131313"),
        "{error}"
    );
}

#[tokio::test]
async fn a_gateway_can_be_polled_in_a_task_of_its_own() {
    let server = Server::start(Speaks::Http, open("D5.0.62")).await;
    let mut gateway = gateway(&server);
    let polled = tokio::spawn(async move { gateway.inverters().await });
    assert_eq!(polled.await.unwrap().unwrap().reports.len(), 1);
}
