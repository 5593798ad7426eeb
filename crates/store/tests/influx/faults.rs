//! Servers that are down, busy, wrong, or none at all.

use std::time::Duration;

use store::{InfluxDb, Settings, Store, WriteError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::{TOKEN, readings, settings, store};
use scripted::influx::{Reply, Server};

async fn failure(reply: impl Fn() -> Reply + Send + Sync + 'static) -> WriteError {
    let server = Server::start(move |_, _| reply()).await;
    let error = store(&server).write(&readings(3, &[])).await.unwrap_err();
    assert_eq!(server.requests().len(), 1, "{error:?}");
    assert!(!format!("{error:?} {error}").contains(TOKEN));
    error
}

#[tokio::test]
async fn a_fault_of_the_set_up_names_its_remedy() {
    for (status, message, remedy) in [
        (401, "unauthorized access", "INFLUX_TOKEN"),
        (403, "insufficient permissions for write", "right to write"),
        (404, r#"bucket \"nope\" not found"#, "INFLUX_BUCKET"),
        (404, r#"organization name \"nope\" not found"#, "INFLUX_ORG"),
    ] {
        let error = failure(move || Reply::error(status, message)).await;
        assert!(
            matches!(error, WriteError::Configuration { .. }),
            "{error:?}"
        );
        let text = error.to_string();
        assert!(text.contains(&message.replace('\\', "")), "{text}");
        assert!(text.contains(remedy), "{text}");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_influxdbs_stores_nothing() {
    let login = || Reply::Answer(200, Vec::new(), "<html>Please log in</html>".into());
    let error = failure(login).await;
    assert!(
        matches!(error, WriteError::Configuration { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = || Reply::Answer(302, vec!["location: /login".into()], String::new());
    let error = failure(elsewhere).await;
    assert!(error.to_string().contains("/login"), "{error}");
}

#[tokio::test]
async fn a_busy_server_says_how_long_to_wait() {
    for status in [429, 503] {
        let busy = move || Reply::Answer(status, vec!["retry-after: 7".into()], String::new());
        let error = failure(busy).await;
        let WriteError::Unavailable { retry_after, .. } = error else {
            panic!("{error:?}");
        };
        assert_eq!(retry_after, Some(Duration::from_secs(7)));
    }
}

#[tokio::test]
async fn a_broken_server_is_unavailable() {
    for status in [500, 502, 504] {
        let error = failure(move || Reply::error(status, "internal error")).await;
        assert!(
            matches!(&error, WriteError::Unavailable { problem, retry_after: None, .. }
                if problem.contains("internal error")),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_no_answer() {
    for reply in [|| Reply::Cut, || Reply::Reset] {
        let error = failure(reply).await;
        assert!(
            matches!(
                &error,
                WriteError::Unavailable { problem, source: Some(_), .. }
                    if problem.contains("broke off")
            ),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_proxy_that_shows_what_it_was_sent_does_not_show_the_token() {
    let echo = || {
        let page = format!("<pre>Authorization: Token {TOKEN}</pre>");
        Reply::Answer(500, Vec::new(), page)
    };
    let error = failure(echo).await;
    assert!(error.to_string().contains("Token ***"), "{error}");
    let escaped = || {
        let message = format!(r#"{{"message":"for \u0074{}"}}"#, &TOKEN[1..]);
        Reply::Answer(500, Vec::new(), message)
    };
    let error = failure(escaped).await;
    assert!(error.to_string().contains("for ***"), "{error}");
    let elsewhere = || {
        Reply::Answer(
            302,
            vec![format!("location: /login?{TOKEN}")],
            String::new(),
        )
    };
    let error = failure(elsewhere).await;
    assert!(error.to_string().contains("/login?***"), "{error}");
}

#[tokio::test]
async fn what_speaks_no_http_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server::start(|_, _| Reply::stored()).await;
    let mut settings = settings(&server, "");
    let port = listener.local_addr().unwrap().port();
    settings.url.set_port(Some(port)).unwrap();
    let store = InfluxDb::new(settings).unwrap();
    let batch = readings(1, &[]);
    // What a server with TLS answers, an alert; and what one for SSH says unasked.
    let (alert, banner) = (
        &[21, 3, 3, 0, 2, 2, 70][..],
        &b"SSH-2.0-OpenSSH_9.2\r\n"[..],
    );
    for (answer, is_asked) in [(alert, true), (banner, false)] {
        let (error, ()) = tokio::join!(store.write(&batch), async {
            let (mut stream, _) = listener.accept().await.unwrap();
            if is_asked {
                stream.read_u8().await.unwrap();
            }
            stream.write_all(answer).await.unwrap();
            stream.shutdown().await.unwrap();
            let _ = stream.read_to_end(&mut Vec::new()).await;
        });
        let error = error.unwrap_err();
        assert!(
            matches!(&error, WriteError::Configuration { problem, remedy }
                if problem.contains("does not speak HTTP") && remedy.contains("https://")),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn an_answer_without_end_is_read_only_so_far() {
    let error = failure(|| Reply::Endless(500)).await;
    assert!(matches!(error, WriteError::Unavailable { .. }), "{error:?}");
    assert!(error.to_string().len() < 1_000);
}

#[tokio::test]
async fn a_head_without_end_is_no_answer() {
    let error = failure(|| Reply::EndlessHead).await;
    assert!(matches!(error, WriteError::Unavailable { .. }), "{error:?}");
    assert!(error.to_string().len() < 1_000);
}

#[tokio::test]
async fn a_server_that_does_not_answer_or_never_ends_its_answer_is_given_up() {
    for reply in [
        || Reply::Silence,
        || Reply::Dripping(200),
        || Reply::Dripping(500),
    ] {
        let server = Server::start(move |_, _| reply()).await;
        let store = InfluxDb::new(Settings {
            timeout: Duration::from_millis(50),
            ..settings(&server, "")
        })
        .unwrap();
        let error = store.write(&readings(1, &[])).await.unwrap_err();
        assert!(
            matches!(&error, WriteError::Unavailable { problem, .. } if problem.contains("no answer in time")),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn no_server_at_all_is_unavailable() {
    let server = Server::start(|_, _| Reply::stored()).await;
    let mut settings = settings(&server, "");
    // Bound and dropped: nobody listens there now.
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    settings.url.set_port(Some(port)).unwrap();
    let store = InfluxDb::new(settings).unwrap();
    let error = store.write(&readings(1, &[])).await.unwrap_err();
    assert!(
        matches!(&error, WriteError::Unavailable { problem, .. }
            if problem.contains("refuses the connection") && problem.contains("INFLUX_URL")),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_name_that_no_machine_has_is_named() {
    let server = Server::start(|_, _| Reply::stored()).await;
    let mut settings = settings(&server, "");
    // RFC 6761: no name below `invalid` ever exists.
    settings.url.set_host(Some("influx.invalid")).unwrap();
    let store = InfluxDb::new(settings).unwrap();
    let error = store.write(&readings(1, &[])).await.unwrap_err();
    assert!(
        matches!(&error, WriteError::Unavailable { problem, .. }
            if problem.contains("the name 'influx.invalid' does not resolve; check the host in INFLUX_URL")),
        "{error:?}"
    );
}
