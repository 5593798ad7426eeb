//! Answers that are none.

use std::time::Duration;

use envoy::{Error, Fault, Gateway, Malformed, Why};

use crate::server::{Reply, Request, Server, Speaks};
use crate::{INVERTERS, ONE_INVERTER, all_of, gateway, info, paths, settings};

/// An Envoy that answers a poll so, and the next ones well.
fn once(answer: Reply) -> impl FnMut(&Request) -> Reply + Send {
    let mut answer = Some(answer);
    move |request| match &*request.path {
        "/info" => info("D5.0.62"),
        _ => answer.take().unwrap_or_else(|| Reply::ok(ONE_INVERTER)),
    }
}

/// The error of that poll; the one after it must work.
async fn error_of(answer: Reply) -> Error {
    let server = Server::start(Speaks::Http, once(answer)).await;
    let mut gateway = gateway(&server);
    let error = gateway.inverters().await.unwrap_err();
    assert_eq!(paths(&server.take_requests()), ["/info", INVERTERS]);
    assert_eq!(gateway.inverters().await.unwrap().reports.len(), 1);
    error
}

#[tokio::test]
async fn html_with_status_200_is_named() {
    let error = error_of(Reply::ok(&format!("<html>{}</html>", "x".repeat(9_000)))).await;
    assert!(
        matches!(
            error,
            Error::BadAnswer {
                fault: Fault::Malformed(Malformed::Json(_)),
                ..
            }
        ),
        "{error}"
    );
    let shown = all_of(&error);
    assert!(
        shown.contains("<html>xxx") && shown.len() < 1_500,
        "{shown}"
    );
}

#[tokio::test]
async fn an_error_in_place_of_the_list_is_named() {
    let error = error_of(Reply::ok(r#"{ "error" : "404 - Not Found" }"#)).await;
    assert!(all_of(&error).contains("404 - Not Found"), "{error}");
}

#[tokio::test]
async fn a_status_that_is_no_answer_is_named_whatever_the_body_says() {
    let error = error_of(Reply::new(404, &[], ONE_INVERTER)).await;
    assert!(
        matches!(
            error,
            Error::BadAnswer {
                fault: Fault::Status(404),
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_part_of_a_body_is_never_used() {
    // What came would be a whole list.
    let cut = format!("HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n{ONE_INVERTER}");
    let error = error_of(Reply::raw(cut)).await;
    assert!(
        matches!(
            error,
            Error::Unreachable {
                why: Why::Broken,
                ..
            }
        ),
        "{error}"
    );
    let length = ONE_INVERTER.len();
    let chunk = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{ONE_INVERTER}\r\n"
    );
    let error = error_of(Reply::raw(chunk)).await;
    assert!(
        matches!(
            error,
            Error::Unreachable {
                why: Why::Broken,
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_body_that_never_ends_is_cut_off() {
    let endless = format!("HTTP/1.1 200 OK\r\n\r\n[{}", " ".repeat(5 * 1024 * 1024));
    let error = error_of(Reply::hang(endless)).await;
    assert!(
        matches!(
            error,
            Error::BadAnswer {
                fault: Fault::TooLong(_),
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn headers_as_old_firmwares_write_them_are_understood() {
    let odd = format!(
        "HTTP/1.1 200 OK\r\nDate: a\r\nDate: b\r\nX Odd: \x01\r\nContent-Type: text/html\r\n\r\n\
         {ONE_INVERTER}"
    );
    let server = Server::start(Speaks::Http, once(Reply::raw(odd))).await;
    assert_eq!(gateway(&server).inverters().await.unwrap().reports.len(), 1);
}

#[tokio::test]
async fn a_busy_envoy_is_left_alone_for_a_while() {
    let body = r#"{"status":503,"info":"Resource busy, please retry after 30 seconds"}"#;
    for (header, seconds) in [
        ("X: y", 30),
        ("Retry-After: 5", 30),
        ("Retry-After: 120", 120),
    ] {
        let server = Server::start(Speaks::Http, once(Reply::new(503, &[header], body))).await;
        let mut gateway = gateway(&server);
        let error = gateway.inverters().await.unwrap_err();
        assert!(
            matches!(error, Error::Busy { wait, .. } if wait == Duration::from_secs(seconds)),
            "{error}"
        );
        gateway.inverters().await.unwrap();
        let requests = server.take_requests();
        assert_eq!(
            paths(&requests),
            ["/info", INVERTERS, INVERTERS],
            "it is known still"
        );
    }
}

#[tokio::test]
async fn an_envoy_that_just_starts_is_busy_and_not_another_device() {
    let server = Server::start(Speaks::Https, |_: &Request| Reply::new(503, &[], "")).await;
    let error = gateway(&server).info().await.unwrap_err();
    assert!(matches!(error, Error::Busy { .. }), "{error}");
    server.become_another(Speaks::Https, |_: &Request| Reply::new(502, &[], "<html>"));
    let error = gateway(&server).info().await.unwrap_err();
    assert!(matches!(error, Error::BadAnswer { .. }), "{error}");
    assert_eq!(server.take_requests().len(), 2);
}

#[tokio::test]
async fn an_envoy_that_hangs_is_left_alone_until_the_next_poll() {
    let part = format!("HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n{ONE_INVERTER}");
    for hanging in [Reply::hang(""), Reply::hang(part)] {
        let server = Server::start(Speaks::Http, once(Reply::ok("[]"))).await;
        let mut settings = settings(&server);
        settings.read_timeout = Duration::from_millis(300);
        let mut gateway = Gateway::new(settings);
        gateway.inverters().await.unwrap();
        server.take_requests();
        server.become_another(Speaks::Http, once(hanging));
        let deadline = Duration::from_secs(20);
        let polled = tokio::time::timeout(deadline, gateway.inverters()).await;
        let error = polled.expect("the time limit holds").unwrap_err();
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
        assert_eq!(paths(&server.take_requests()), [INVERTERS]);
        gateway.inverters().await.unwrap();
        assert_eq!(paths(&server.take_requests()), ["/info", INVERTERS]);
    }
}

#[tokio::test]
async fn a_call_that_is_given_up_leaves_nothing_behind() {
    let server = Server::start(Speaks::Http, once(Reply::hang(""))).await;
    let mut gateway = gateway(&server);
    let given_up = tokio::time::timeout(Duration::from_millis(200), gateway.inverters()).await;
    assert!(given_up.is_err());
    assert_eq!(gateway.inverters().await.unwrap().reports.len(), 1);
}

#[tokio::test]
async fn a_connection_that_breaks_is_tried_once_more_when_it_worked_before() {
    let server = Server::start(Speaks::Http, once(Reply::ok("[]"))).await;
    let mut gateway = gateway(&server);
    gateway.inverters().await.unwrap();
    server.become_another(Speaks::Http, once(Reply::raw("")));
    assert_eq!(gateway.inverters().await.unwrap().reports.len(), 1);
}
