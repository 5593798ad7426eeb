//! Where no Envoy answers: other devices, closed ports, silence.

use std::time::Duration;

use envoy::{Error, Gateway, Settings, Why};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::open;
use crate::gateway;
use crate::server::{Reply, Request, Server, Speaks};

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
