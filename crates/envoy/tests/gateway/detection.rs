//! Finding out who answers, and finding out again.

use std::time::Duration;

use envoy::{Error, Fault, Gateway, Settings, TokenSource, Why};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

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
async fn another_device_is_no_envoy() {
    let answers = [
        Reply::new(404, &[], "<html>Not here</html>"),
        Reply::ok("<!DOCTYPE html><title>My router</title>"),
        Reply::ok("<router><device><sn>1</sn></device></router>"),
        Reply::new(401, &["WWW-Authenticate: Basic realm=\"router\""], ""),
    ];
    for answer in answers {
        let mut answer = Some(answer);
        let server = Server::start(Speaks::Http, move |_: &Request| answer.take().unwrap()).await;
        let error = gateway(&server).info().await.unwrap_err();
        assert!(matches!(error, Error::NotAnEnvoy { .. }), "{error}");
        assert!(error.to_string().contains("check the address"), "{error}");
    }
}

#[tokio::test]
async fn an_envoy_whose_answer_is_cut_off_is_no_other_device() {
    let whole = format!(
        "<?xml version='1.0'?><envoy_info><device><sn>{}</sn>",
        crate::SERIAL
    );
    // By a wrong length, say: the answer is complete, what it says is not.
    let server = Server::start(Speaks::Http, move |_: &Request| Reply::ok(&whole)).await;
    let error = gateway(&server).info().await.unwrap_err();
    assert!(matches!(error, Error::BadAnswer { .. }), "{error}");
}

#[tokio::test]
async fn where_nothing_listens_is_said() {
    let server = Server::start(Speaks::Http, open("D5.0.62")).await;
    let mut gateway = gateway(&server);
    let address = server.address();
    drop(server);
    // The task is aborted, and its listener closed, a moment after.
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let error = gateway.info().await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Unreachable {
                why: Why::Refused,
                ..
            }
        ),
        "{error:?}"
    );
    // By both schemes, where none was given.
    let said = error.to_string();
    let both = format!("https://{address} and http://{address}");
    assert!(said.contains(&both), "{said}");
}

#[tokio::test]
async fn a_device_that_speaks_something_else_is_named_as_another_one() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let greeting = b"SSH-2.0-OpenSSH_9.6\r\nInvalid SSH identification string.\r\n";
            let _ = stream.write_all(greeting).await;
            // Closed with a question unread, it would be reset before the greeting is read.
            let _ = stream.read(&mut [0; 4096]).await;
        }
    });
    for host in [host.clone(), format!("http://{host}")] {
        let mut gateway = Gateway::new(Settings::new(host.parse().unwrap()));
        let error = gateway.info().await.unwrap_err();
        let why = match &error {
            Error::Unreachable { why, .. } => *why,
            _ => panic!("{host}: {error:?}"),
        };
        assert_eq!(why, Why::NotHttp, "{host}: {error:?}");
        assert!(error.to_string().contains("another device"), "{error}");
    }
}

#[tokio::test]
async fn an_envoy_that_takes_connections_and_says_nothing_is_there() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let mut settings = Settings::new(host.parse().unwrap());
    settings.connect_timeout = Duration::from_millis(100);
    settings.read_timeout = Duration::from_millis(300);
    let error = Gateway::new(settings).info().await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Unreachable {
                why: Why::Silent,
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_port_that_does_not_speak_tls_is_named() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = format!("https://{}", listener.local_addr().unwrap());
    let plain = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .unwrap();
        stream
    };
    let mut gateway = Gateway::new(Settings::new(host.parse().unwrap()));
    let (error, _stream) = tokio::join!(gateway.info(), plain);
    let error = error.unwrap_err();
    assert!(
        matches!(error, Error::Unreachable { why: Why::Tls, .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_gateway_can_be_polled_in_a_task_of_its_own() {
    let server = Server::start(Speaks::Http, open("D5.0.62")).await;
    let mut gateway = gateway(&server);
    let polled = tokio::spawn(async move { gateway.inverters().await });
    assert_eq!(polled.await.unwrap().unwrap().reports.len(), 1);
}
