//! The gateway's two ports, and its only one.

use super::*;

async fn with_both_ports(firmware: &str) -> Simulator {
    Simulator::start(Options {
        source: Source::Site(site(firmware)),
        http_listen: Some("127.0.0.1:0".parse().unwrap()),
        ..Options::default()
    })
    .await
    .unwrap()
}

async fn is_refused(url: &str) -> bool {
    let (_, address) = url.split_once("://").unwrap();
    match TcpStream::connect(address).await {
        Ok(_) => false,
        Err(error) => error.kind() == ErrorKind::ConnectionRefused,
    }
}

/// A port is closed a moment after the update.
async fn comes_to_be_refused(url: &str) {
    let refused = async { while !is_refused(url).await {} };
    timeout(DEADLINE, refused).await.unwrap();
}

#[tokio::test]
async fn with_two_addresses_each_does_what_its_port_does_on_that_firmware() {
    let simulator = with_both_ports("5.0.62").await;
    let clear = simulator.http_url().unwrap();
    assert_eq!(simulator.url(), clear);
    assert_eq!(list(&simulator).await.len(), 12);

    update(&simulator, "7.6.175");
    let secure = simulator.url();
    assert!(secure.starts_with("https://"), "{secure}");
    let opened = async { while is_refused(&secure).await {} };
    timeout(DEADLINE, opened).await.unwrap();
    assert_eq!(list(&simulator).await.len(), 12);
    let get = async |path: &str| http().get(format!("{clear}{path}")).send().await.unwrap();
    let info = get("/info").await;
    assert_eq!(info.status(), 200);
    assert!(info.text().await.unwrap().contains("<web-tokens>true"));
    for path in [INVERTERS, "/info.xml", "/production.json?details=1", "/"] {
        let moved = get(path).await;
        assert_eq!(moved.status(), 301, "{path}");
        assert_eq!(moved.headers()["location"], format!("{secure}{path}"));
        assert!(
            moved
                .text()
                .await
                .unwrap()
                .contains("301 Moved Permanently")
        );
    }

    update(&simulator, "8.3.5286");
    comes_to_be_refused(&clear).await;
    assert_eq!(list(&simulator).await.len(), 12);

    update(&simulator, "5.0.62");
    comes_to_be_refused(&secure).await;
    let opened = async { while is_refused(&clear).await {} };
    timeout(DEADLINE, opened).await.unwrap();
    assert_eq!(list(&simulator).await.len(), 12);
}

#[tokio::test]
async fn late_firmware_has_its_second_address_closed_from_the_start() {
    let simulator = with_both_ports("8.3.5433").await;
    assert!(is_refused(&simulator.http_url().unwrap()).await);
    assert_eq!(list(&simulator).await.len(), 12);
    update(&simulator, "7.6.175");
    let clear = simulator.http_url().unwrap();
    let opened = async { while is_refused(&clear).await {} };
    timeout(DEADLINE, opened).await.unwrap();
}

#[tokio::test]
async fn http_in_clear_at_the_port_for_tls_is_a_400_that_says_so() {
    let simulator = start(site("8.3.5169")).await;
    let clear = simulator.url().replace("https:", "http:");
    for path in ["/info", INVERTERS] {
        let response = http().get(format!("{clear}{path}")).send().await.unwrap();
        assert_eq!(response.status(), 400, "{path}");
        assert_eq!(response.headers()["connection"], "close");
        let page = response.text().await.unwrap();
        assert!(
            page.contains("plain HTTP request was sent to HTTPS port"),
            "{page}"
        );
    }
    update(&simulator, "5.0.62");
    let tls = simulator.url().replace("http:", "https:");
    let refused = http().get(format!("{tls}/info")).send().await;
    assert!(refused.is_err(), "TLS is Greek to it");
}

#[tokio::test]
async fn a_gateway_that_moves_answers_at_its_next_address_alone() {
    let simulator = Simulator::start(Options {
        source: Source::Site(site("5.0.62")),
        next_listen: Some("127.0.0.1:0".parse().unwrap()),
        ..Options::default()
    });
    let simulator = simulator.await.unwrap();
    assert_eq!(list(&simulator).await.len(), 12);
    let before = simulator.url();
    simulator.move_on();
    assert_ne!(simulator.url(), before);
    comes_to_be_refused(&before).await;
    let opened = async { while is_refused(&simulator.url()).await {} };
    timeout(DEADLINE, opened).await.unwrap();
    assert_eq!(list(&simulator).await.len(), 12);
}
