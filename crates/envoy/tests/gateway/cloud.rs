//! A cloud that answers as no cloud should: nothing of the account gets further than its own address.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use envoy::{Account, Clock, Gateway, StateFiles, TokenSource};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use crate::server::{Request, Server, Speaks};
use crate::token::{LATER, jwt};
use crate::{SERIAL, info, settings};

/// A server that takes anything, and answers with what a test says for a path.
struct Cloud {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    _serving: AbortOnDropHandle<()>,
}

impl Cloud {
    async fn start(answer: impl Fn(&str) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = Arc::clone(&asked);
        let serving = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                // A login is small: its head and form come at once.
                let mut request = vec![0; 16 * 1024];
                let length = stream.read(&mut request).await.unwrap_or_default();
                let sent = String::from_utf8_lossy(&request[..length]);
                let path = sent.split(' ').nth(1).unwrap_or_default().to_owned();
                let answer = answer(&path);
                heard.lock().unwrap().push(path);
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        Self {
            address,
            asked,
            _serving: AbortOnDropHandle::new(serving),
        }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// What an account's login brings here, for an Envoy that wants a token.
    async fn login(&self) -> Result<(), String> {
        let envoy = Server::start(Speaks::Https, |_: &Request| info("D8.2.4345")).await;
        let state = tempfile::tempdir().unwrap();
        let files = StateFiles::inside(state.path());
        let address = format!("http://{}", self.address);
        let account = Account {
            username: "owner@example.org".to_owned(),
            password: "of-the-account".into(),
            enlighten: address.parse().unwrap(),
            entrez: address.parse().unwrap(),
        };
        let mut settings = settings(&envoy);
        settings.serial = Some(SERIAL.to_owned());
        let clock = Clock::default();
        settings.token = Some(TokenSource::account(account, files.clone(), clock));
        settings.files = files;
        let answer = Gateway::new(settings).inverters().await;
        answer.map(drop).map_err(|error| error.to_string())
    }
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    )
}

#[tokio::test]
async fn a_login_that_is_led_elsewhere_is_not_made_there() {
    let elsewhere = Cloud::start(|_| answer("200 OK", "", "{}")).await;
    for status in [
        "302 Found",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        let header = format!("Location: http://{}/login\r\n", elsewhere.address);
        let cloud = Cloud::start(move |_| answer(status, &header, "")).await;
        cloud.login().await.unwrap_err();
        assert!(
            cloud.asked().contains(&"/login/login.json".to_owned()),
            "{status}: {:?}",
            cloud.asked()
        );
        assert_eq!(elsewhere.asked(), [""; 0], "{status}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_read_to_a_bound_only() {
    for (padding, is_used) in [(10, true), (300_000, false)] {
        let padding = "x".repeat(padding);
        let session = format!(r#"{{"padding":"{padding}","session_id":"s"}}"#);
        let cloud = Cloud::start(move |path| match path {
            "/login/login.json" => answer("200 OK", "", &session),
            _ => answer("500 Internal Server Error", "", ""),
        })
        .await;
        cloud.login().await.unwrap_err();
        let asked = cloud.asked();
        assert_eq!(asked.contains(&"/tokens".to_owned()), is_used, "{asked:?}");
    }
}

#[tokio::test]
async fn where_entrez_gives_no_token_for_a_session_enlighten_is_asked_before_another_login_is_made()
{
    let token = jwt(SERIAL, LATER);
    let in_json = format!(r#"{{"generation_time":1,"token":"{token}","expires_at":2}}"#);
    let cloud = Cloud::start(move |path| match path {
        "/login/login.json" => answer("200 OK", "", r#"{"session_id":"s"}"#),
        "/tokens" => answer("200 OK", "", "<html>We have moved</html>"),
        _ => answer("200 OK", "", &in_json),
    })
    .await;
    // This Envoy lets nobody in: what counts is what it is shown.
    cloud.login().await.unwrap_err();
    let token_of_session = format!("/entrez-auth-token?serial_num={SERIAL}");
    assert_eq!(
        cloud.asked(),
        ["/login/login.json", "/tokens", &token_of_session]
    );
}
