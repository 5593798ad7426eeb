use tokio::time::timeout;

use super::*;

const SOON: Duration = Duration::from_secs(10);

/// A server that answers each byte with the same one, and a link to it.
async fn linked() -> (Link, JoinSet<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let mut server = JoinSet::new();
    server.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            connections.spawn(async move {
                let (mut from, mut to) = stream.split();
                let _ = tokio::io::copy(&mut from, &mut to).await;
            });
        }
    });
    (Link::to(&address).await, server)
}

async fn connected(link: &Link) -> TcpStream {
    TcpStream::connect(link.address())
        .await
        .expect("the link listens")
}

/// What comes back of `sent`, up to the end of the connection; `None` when that is none in time.
async fn echo(stream: &mut TcpStream, sent: &[u8]) -> Option<std::io::Result<Vec<u8>>> {
    stream.write_all(sent).await.expect("the link takes it");
    let mut answer = vec![0; sent.len()];
    let mut length = 0;
    timeout(SOON, async {
        while length < answer.len() {
            match stream.read(&mut answer[length..]).await? {
                0 => break,
                more => length += more,
            }
        }
        answer.truncate(length);
        Ok(answer)
    })
    .await
    .ok()
}

#[tokio::test]
async fn a_good_link_and_a_slow_one_carry_everything() {
    let (link, _server) = linked().await;
    let mut stream = connected(&link).await;
    assert_eq!(
        echo(&mut stream, b"hello").await.unwrap().unwrap(),
        b"hello"
    );
    link.becomes(Quality::Slow);
    let long = vec![7; 450];
    assert_eq!(echo(&mut stream, &long).await.unwrap().unwrap(), long);
}

#[tokio::test]
async fn a_cut_link_closes_its_connections_and_takes_no_new_ones() {
    let (link, _server) = linked().await;
    let mut stream = connected(&link).await;
    assert_eq!(
        echo(&mut stream, b"hello").await.unwrap().unwrap(),
        b"hello"
    );
    link.becomes(Quality::Cut);
    let mut end = [0];
    assert_eq!(
        timeout(SOON, stream.read(&mut end))
            .await
            .unwrap()
            .unwrap_or(0),
        0
    );
    let mut another = connected(&link).await;
    assert_eq!(
        timeout(SOON, another.read(&mut end))
            .await
            .unwrap()
            .unwrap_or(0),
        0
    );
    link.becomes(Quality::Good);
    let mut third = connected(&link).await;
    assert_eq!(echo(&mut third, b"again").await.unwrap().unwrap(), b"again");
}

#[tokio::test(start_paused = true)]
async fn a_half_open_link_carries_nothing_and_is_forgotten_when_that_ends() {
    let (link, _server) = linked().await;
    let mut stream = connected(&link).await;
    link.becomes(Quality::HalfOpen);
    assert!(echo(&mut stream, b"hello").await.is_none());
    link.becomes(Quality::Good);
    let mut end = [0];
    assert!(stream.read(&mut end).await.is_err(), "it was reset");
}

#[tokio::test]
async fn a_resetting_link_carries_half_of_a_piece() {
    let (link, _server) = linked().await;
    let mut stream = connected(&link).await;
    link.becomes(Quality::Resetting);
    let answer = echo(&mut stream, b"12345678").await.expect("an end");
    assert!(answer.is_err() || answer.is_ok_and(|answer| answer.len() < 8));
}
