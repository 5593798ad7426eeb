//! Who is let in, and who is not.

use super::*;

#[tokio::test]
async fn a_name_that_was_made_to_lead_here_and_another_sites_page_are_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let page = page(directory.path()).await;
    for (head, status) in [
        ("Host: 127.0.0.1:8340\r\n", 200),
        ("Host: [::1]:8340\r\n", 200),
        ("Host: localhost\r\nOrigin: http://localhost\r\n", 200),
        ("Host: solar.example\r\n", 403),
        ("Host: 127.0.0.1.example:8340\r\n", 403),
        ("Host: 192.0.2.7:8340\r\n", 403),
        ("Host: localhost\r\nOrigin: http://solar.example\r\n", 403),
        ("Host: localhost\r\nOrigin: null\r\n", 403),
        (
            "Host: localhost:8340\r\nOrigin: http://localhost:9000\r\n",
            403,
        ),
        ("Host: localhost\r\nSec-Fetch-Site: same-origin\r\n", 200),
        ("Host: localhost\r\nSec-Fetch-Site: none\r\n", 200),
        (
            "Host: localhost\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n",
            403,
        ),
        (
            "Host: localhost\r\nSec-Fetch-Site: same-site\r\nSec-Fetch-Mode: cors\r\n",
            403,
        ),
        (
            "Host: localhost\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n",
            200,
        ),
    ] {
        let answer = ask(&page, "/api/v1/now", head).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{head}: {answer}"
        );
    }
}

#[tokio::test]
async fn a_page_with_an_account_is_for_nobody_else_and_may_have_any_name() {
    let directory = tempfile::tempdir().expect("a directory");
    // Base64 of ada:hush, ada:hus, :hush, ada and eve:hush.
    for (head, status) in [
        (
            "Host: solar.home\r\nAuthorization: Basic YWRhOmh1c2g=\r\n",
            200,
        ),
        (
            "Host: 192.0.2.7:8340\r\nAuthorization: basic YWRhOmh1c2g=\r\n",
            200,
        ),
        ("Host: localhost\r\n", 401),
        (
            "Host: localhost\r\nAuthorization: Basic YWRhOmh1cw==\r\n",
            401,
        ),
        ("Host: localhost\r\nAuthorization: Basic Omh1c2g=\r\n", 401),
        ("Host: localhost\r\nAuthorization: Basic YWRh\r\n", 401),
        (
            "Host: localhost\r\nAuthorization: Basic ZXZlOmh1c2g=\r\n",
            401,
        ),
        ("Host: localhost\r\nAuthorization: Basic %\r\n", 401),
        (
            "Host: localhost\r\nAuthorization: Bearer YWRhOmh1c2g=\r\n",
            401,
        ),
        (
            "Host: solar.home\r\nOrigin: http://evil.example\r\nAuthorization: Basic YWRhOmh1c2g=\r\n",
            403,
        ),
    ] {
        // Another page each time: it does not listen for long to who is wrong.
        let page = page_for(directory.path(), Some(Account::new("ada", "hush"))).await;
        for path in ["/", "/api/v1/now", "/api/nothing"] {
            let answer = ask(&page, path, head).await;
            let status = if status == 200 && path == "/api/nothing" {
                404
            } else {
                status
            };
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status}")),
                "{head}: {answer}"
            );
            let asks = answer.to_lowercase().contains("www-authenticate: basic");
            assert_eq!(asks, status == 401, "{answer}");
            let as_json = answer.contains(r#"{"error":"#);
            assert_eq!(as_json, status != 200 && path != "/", "{answer}");
        }
    }
}

#[tokio::test]
async fn who_gives_wrong_secrets_is_soon_not_listened_to_and_who_asks_without_one_still_hears_why()
{
    let directory = tempfile::tempdir().expect("a directory");
    let page = page_for(directory.path(), Some(Account::new("ada", "hush"))).await;
    let (wrong, right) = ("Basic YWRhOmh1cw==", "Basic YWRhOmh1c2g=");
    let with = |secret| format!("Host: localhost\r\nAuthorization: {secret}\r\n");
    for _ in 0..10 {
        let answer = ask(&page, "/api/v1/now", &with(wrong)).await;
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    }
    for secret in [wrong, right] {
        let answer = ask(&page, "/api/v1/now", &with(secret)).await;
        assert!(answer.starts_with("HTTP/1.1 429"), "{answer}");
        assert!(answer.contains("wait for a minute"), "{answer}");
    }
    let answer = ask(&page, "/", "Host: localhost\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
}

#[tokio::test]
async fn a_refusal_ends_its_connection() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let directory = tempfile::tempdir().expect("a directory");
    let page = page_for(directory.path(), Some(Account::new("ada", "hush"))).await;
    for (head, status) in [
        ("Host: x\r\n", "401"),
        ("Host: x\r\nOrigin: null\r\n", "403"),
    ] {
        let stream = tokio::net::TcpStream::connect(page.address).await;
        let mut stream = stream.expect("a connection");
        let request = format!("GET / HTTP/1.1\r\n{head}\r\n");
        let sent = stream.write_all(request.as_bytes()).await;
        sent.expect("sent");
        let mut answer = String::new();
        // Less than one that is kept for a next request is granted.
        let ended = stream.read_to_string(&mut answer);
        let ended = tokio::time::timeout(Duration::from_secs(10), ended).await;
        assert!(matches!(ended, Ok(Ok(_))), "{answer}");
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let page = page(directory.path()).await;
    let cookies = format!("Host: localhost\r\nCookie: {}\r\n", "x".repeat(8_000));
    let answer = ask(&page, "/api/v1/now", &cookies).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let many = "X-Other: 1\r\n".repeat(65);
    let answer = ask(&page, "/api/v1/now", &format!("Host: localhost\r\n{many}")).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let long = format!("Host: localhost\r\nCookie: {}\r\n", "x".repeat(200_000));
    assert!(!is_answered(&page, &long).await);
}

/// Whether a request with these lines is answered with what it asks for. One that is not may be cut off while it is
/// being sent.
async fn is_answered(page: &Page, head: &str) -> bool {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let stream = tokio::net::TcpStream::connect(page.address).await;
    let mut stream = stream.expect("a connection");
    let request = format!("GET / HTTP/1.1\r\nConnection: close\r\n{head}\r\n");
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    answer.starts_with(b"HTTP/1.1 200")
}

#[tokio::test]
async fn who_holds_many_connections_and_says_nothing_keeps_nobody_away() {
    let directory = tempfile::tempdir().expect("a directory");
    let page = page(directory.path()).await;
    let connect = || tokio::net::TcpStream::connect(page.address);
    let mut held = Vec::new();
    for _ in 0..200 {
        held.push(connect().await.expect("a connection"));
    }
    let asked = answers(connect().await.expect("a connection"));
    // Less than a silent one is granted.
    let answered = tokio::time::timeout(Duration::from_secs(10), asked).await;
    assert_eq!(answered, Ok(true));
}

/// Whether a request on this connection gets an answer.
async fn answers(mut stream: tokio::net::TcpStream) -> bool {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let mut answer = Vec::new();
    let asked = stream.write_all(request).await.is_ok();
    asked && stream.read_to_end(&mut answer).await.is_ok() && answer.starts_with(b"HTTP/1.1 200")
}

#[tokio::test]
async fn every_answer_forbids_foreign_content() {
    let directory = tempfile::tempdir().expect("a directory");
    let page = page(directory.path()).await;
    let files = FILES.iter().map(|(path, ..)| *path);
    for path in files.chain(["/api/v1/now", "/api/nothing"]) {
        let answer = ask(&page, path, HERE).await.to_lowercase();
        assert!(
            answer.contains(&format!("content-security-policy: {}\r\n", door::POLICY)),
            "{path}: {answer}"
        );
        assert!(answer.contains("x-content-type-options: nosniff"), "{path}");
    }
}
