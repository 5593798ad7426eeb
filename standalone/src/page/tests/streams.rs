//! Those who hear events: they are bounded, so that a page that is opened is answered.

use super::*;
use crate::page::api::STREAMS;

/// A connection that hears events, or is told why not, with the head of the answer.
fn hear(address: SocketAddr) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(address).expect("a connection");
    let asked = format!("GET /api/v1/events HTTP/1.1\r\n{HERE}\r\n");
    stream.write_all(asked.as_bytes()).expect("sent");
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).expect("an answer") == 1 {
        head.push(byte[0]);
    }
    (stream, String::from_utf8(head).expect("text"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_many_hear_events_a_page_is_answered_and_one_more_is_told_to_wait() {
    let directory = tempfile::tempdir().expect("a directory");
    let page = page(directory.path()).await;
    let address = page.address;
    let heard = tokio::task::spawn_blocking(move || {
        // Kept for a next request, as a browser does.
        let mut kept = TcpStream::connect(address).expect("a connection");
        kept.set_read_timeout(Some(Duration::from_secs(20)))
            .expect("set");
        let mut hearing = Vec::new();
        for number in 0..100 {
            let (stream, head) = hear(address);
            let expected = if number < STREAMS { "200" } else { "503" };
            assert!(
                head.starts_with(&format!("HTTP/1.1 {expected}")),
                "{number}: {head}"
            );
            assert_eq!(
                head.contains("retry-after: 30"),
                number >= STREAMS,
                "{head}"
            );
            if number < STREAMS {
                hearing.push(stream);
            }
        }
        let asked = format!("GET /page.css HTTP/1.1\r\n{HERE}\r\n");
        kept.write_all(asked.as_bytes()).expect("sent");
        let mut status = [0; 12];
        kept.read_exact(&mut status).expect("it is not reset");
        assert_eq!(&status, b"HTTP/1.1 200");
        hearing.pop();
        // As soon as it is noticed that one has gone.
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while !hear(address).1.starts_with("HTTP/1.1 200") {
            assert!(
                std::time::Instant::now() < deadline,
                "its place is free again"
            );
        }
    });
    heard.await.expect("heard");
    let answer = ask(&page, "/", HERE).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
