//! A scraper may look for an Envoy that is off each minute of a winter. Alone in its process, whose threads
//! and files it counts.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use discovery::Browser;

fn count(directory: &str) -> usize {
    std::fs::read_dir(directory).unwrap().count()
}

/// Threads and open files of this process.
fn held() -> (usize, usize) {
    (count("/proc/self/task"), count("/proc/self/fd"))
}

#[tokio::test]
async fn a_look_leaves_no_thread_and_no_socket_behind() {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    let browser = Browser::at_port(socket.local_addr().unwrap().port());
    drop(socket);
    let before = held();
    for _ in 0..50 {
        let found = browser.look(Duration::from_millis(20)).await.unwrap();
        assert!(found.is_empty());
    }
    // The thread of the last one ends by itself.
    let deadline = Instant::now() + Duration::from_secs(30);
    while held() != before {
        assert!(Instant::now() < deadline, "{:?}, before {before:?}", held());
        tokio::task::yield_now().await;
    }
}
