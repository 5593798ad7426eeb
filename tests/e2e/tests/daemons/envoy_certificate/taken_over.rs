//! Somebody else takes the Envoy's address, with its serial and its pages.

use rig::gateway::Gateway;
use rig::leaks::Secrets;
use rig::programs::{Binary, Start};
use rig::wait;

use super::impostor::Impostor;
use super::{NO_BROKER, POLLED, Scene, says_more};
use crate::ARRIVAL;

const INVERTERS: &str = "/api/v1/production/inverters";

/// A secret that the impostor would have found in what he heard, or a header that carries one.
fn found(impostor: &Impostor, secrets: &Secrets) -> Vec<String> {
    let heard = impostor.heard();
    let lines: Vec<String> = heard.lines().map(str::to_owned).collect();
    let leaks = secrets.leaks(&lines).into_iter();
    let mut found: Vec<_> = leaks.map(|leak| format!("{leak:?}")).collect();
    for header in ["authorization:", "cookie:"] {
        if heard.to_lowercase().contains(header) {
            found.push(header.to_owned());
        }
    }
    found
}

async fn is_asked(impostor: &Impostor, path: &str, times: usize) {
    let before = impostor.asked_for(path);
    let what = format!("{path}, {times} times more");
    wait::until_true(&what, ARRIVAL, async || {
        impostor.asked_for(path) >= before + times
    })
    .await;
}

/// The token, as what must not be found.
fn token(gateway: &Gateway) -> Secrets {
    let file = gateway.token_file().expect("firmware 8 has tokens");
    let token = std::fs::read_to_string(file).expect("it can be read");
    Secrets::new().with("the Envoy's token", token.trim())
}

#[tokio::test]
async fn a_pinned_envoy_s_token_never_reaches_who_takes_over_its_address() {
    let scene = Scene::new("202400000044", "pinned");
    let gateway = scene.gateway().await;
    let secrets = token(&gateway);
    let start = scene.scraper(&gateway);
    let mut scraper = start.spawn();
    says_more(&scraper, POLLED, 2).await;
    let pinned = scene.pinned();

    let address = gateway.url().replace("https://", "");
    // Its token file stays, since the gateway's place does.
    let place = gateway.stop().await;
    let impostor = Impostor::with_tls(&address, scene.serial).await;
    let line = scraper.stderr_line("is pinned, so nothing secret").await;
    let file = scene.pin_file().display().to_string();
    let parts = [
        "ERROR",
        &pinned,
        &impostor.fingerprint,
        &file,
        "ENVOY_CERTIFICATE",
    ];
    for part in parts {
        assert!(line.contains(part), "{line} lacks {part}");
    }
    is_asked(&impostor, "/info", 3).await;

    // Nor after a restart.
    assert!(scraper.terminate().await.success());
    let mut scraper = start.spawn();
    is_asked(&impostor, "/info", 3).await;
    assert_eq!(found(&impostor, &secrets), [""; 0]);
    assert_eq!(impostor.asked_for(INVERTERS), 0);
    assert_eq!(scene.pinned(), pinned);

    // Until somebody accepts him as the message says; what he hears then would have been found.
    std::fs::remove_file(scene.pin_file()).expect("a pin");
    is_asked(&impostor, INVERTERS, 1).await;
    assert_eq!(scene.pinned(), impostor.fingerprint);
    assert!(!found(&impostor, &secrets).is_empty());
    assert!(scraper.terminate().await.success());
    drop(place);
}

#[tokio::test]
async fn a_given_fingerprint_lets_in_nobody_else() {
    let mut scene = Scene::new("202400000045", "accept-new");
    let gateway = scene.gateway().await;
    let mut scraper = scene.scraper(&gateway).spawn();
    scraper.stderr_line(POLLED).await;
    let known = scene.pinned();
    assert!(scraper.terminate().await.success());

    scene.policy = format!("pinned:{known}");
    let mut scraper = scene.scraper(&gateway).spawn();
    scraper.stderr_line(POLLED).await;
    gateway.renew_certificate().await;
    let line = scraper.stderr_line("is pinned, so nothing secret").await;
    // What to write is in the message.
    let (_, behind) = line.split_once("give the policy ").expect("a remedy");
    let new = behind.split(' ').next().expect("a word");
    assert!(scraper.terminate().await.success());
    scene.policy = new.to_owned();
    let mut scraper = scene.scraper(&gateway).spawn();
    scraper.stderr_line(POLLED).await;
    assert!(scraper.terminate().await.success());
}

#[tokio::test]
async fn no_password_crosses_in_clear_also_where_only_that_is_asked_for() {
    let password = "a-passw0rd-of-an-envoy";
    let serial = "121500000046";
    let impostor = Impostor::in_clear(serial).await;
    let start = |start: Start| {
        start
            .env("ENVOY_HOST", &impostor.address)
            .env("ENVOY_USERNAME", "installer")
            .env("MQTT_URL", NO_BROKER)
    };
    let mut with_one = start(Start::new(Binary::Scraper))
        .env("ENVOY_PASSWORD", password)
        .spawn();
    let line = with_one.stderr_line("the Envoy refuses the user").await;
    assert!(line.contains("does not ask for a digest"), "{line}");
    assert!(with_one.terminate().await.success());
    // Nor the one that follows from the serial.
    let mut computed = start(Start::new(Binary::Scraper)).spawn();
    computed.stderr_line("the Envoy refuses the user").await;
    assert!(computed.terminate().await.success());

    let installer = Start::new(Binary::Scraper)
        .args(["password", serial])
        .to_end();
    let installer = String::from_utf8(installer.stdout).expect("a password is text");
    let secrets = Secrets::new()
        .with("the Envoy's password", password)
        .with("the installer password", installer.trim());
    assert!(impostor.asked_for(INVERTERS) >= 2);
    assert_eq!(found(&impostor, &secrets), [""; 0]);
}
