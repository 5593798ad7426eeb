use reqwest::StatusCode;
use reqwest::header::{CONNECTION, COOKIE, SET_COOKIE, WWW_AUTHENTICATE};
use secrecy::ExposeSecret;
use simulator::SiteOptions;

use crate::client::{answer, ask, challenge, http, start, with_password, with_token};

const INVERTERS: &str = "/api/v1/production/inverters";

fn site(firmware: &str) -> SiteOptions {
    SiteOptions {
        firmware: firmware.parse().unwrap(),
        serial: "122112123456".parse().unwrap(),
        ..SiteOptions::default()
    }
}

async fn status(simulator: &simulator::Simulator, authorization: String) -> StatusCode {
    ask(simulator, INVERTERS, authorization).await.status()
}

#[tokio::test]
async fn below_7_installer_and_envoy_read_the_inverters_and_nobody_else_does() {
    for firmware in ["3.9.36", "3.18.10", "4.2.33", "5.0.62"] {
        let simulator = start(site(firmware)).await;
        for (user, password, expected) in [
            ("installer", "d525d2jh", 200),
            ("envoy", "123456", 200),
            ("envoy", "d525d2jh", 401),
            ("installer", "123456", 401),
            ("owner", "123456", 401),
        ] {
            let response = with_password(&simulator, INVERTERS, user, password).await;
            assert_eq!(response.status(), expected, "{firmware} {user} {password}");
            assert_eq!(response.headers()[CONNECTION], "close");
        }
        simulator.stop().await;
    }
}

#[tokio::test]
async fn a_challenge_is_good_for_one_answer_to_its_own_request() {
    let simulator = start(site("5.0.62")).await;
    let good = |challenge: &str| answer(challenge, INVERTERS, "installer", "d525d2jh");

    let first = good(&challenge(&simulator, INVERTERS).await);
    assert_eq!(status(&simulator, first.clone()).await, 200);
    assert_eq!(status(&simulator, first).await, 401, "its nonce is used up");

    let invented = r#"Digest qop="auth", realm="enphaseenergy.com", nonce="abc""#;
    assert_eq!(status(&simulator, good(invented)).await, 401);

    let new = challenge(&simulator, INVERTERS).await;
    let of_other_path = answer(&new, "/api/v1/production", "installer", "d525d2jh");
    assert_eq!(status(&simulator, of_other_path).await, 401);
    let counted_twice = good(&new).replace("nc=00000001", "nc=00000002");
    assert_eq!(status(&simulator, counted_twice).await, 401);
    assert_eq!(
        status(&simulator, good(&new)).await,
        200,
        "neither used the nonce up"
    );
}

#[tokio::test]
async fn challenges_look_as_their_generation_writes_them() {
    let old = start(site("3.18.10")).await;
    let nonce = challenge(&old, INVERTERS).await;
    let nonce = nonce
        .strip_prefix(r#"Digest qop="auth", realm="enphaseenergy.com", nonce=""#)
        .unwrap();
    let second: i64 = nonce.strip_suffix('"').unwrap().parse().unwrap();
    assert!((second - jiff::Timestamp::now().as_second()).abs() < 60);

    let newer = start(site("5.0.62")).await;
    let nonce = challenge(&newer, INVERTERS).await;
    assert!(nonce.ends_with("=\""), "{nonce}");

    // And 3.9 answers a wrong password with bytes that are no challenge.
    let oldest = start(site("3.9.36")).await;
    let refused = with_password(&oldest, INVERTERS, "installer", "wrong").await;
    assert_eq!(
        refused.headers()[WWW_AUTHENTICATE].as_bytes(),
        b"\xd8\xc9\xc6A"
    );
}

#[tokio::test]
async fn below_7_everything_else_is_open() {
    let simulator = start(site("5.0.62")).await;
    for (path, expected) in [
        ("/info", 200),
        ("/info.xml", 200),
        ("/api/v1/production", 200),
        ("/production.json", 200),
        ("/production", 401),
        ("/ivp/meters", 200),
        ("/ivp/ensemble/inventory", 404),
        ("/auth/check_jwt", 404),
    ] {
        let response = http()
            .get(format!("{}{path}", simulator.url()))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), expected, "{path}");
    }
}

#[tokio::test]
async fn from_7_on_only_info_is_open_and_a_401_is_a_page_without_a_challenge() {
    let simulator = start(site("7.6.175")).await;
    assert!(simulator.url().starts_with("https://"));
    for (path, expected) in [
        ("/info", 200),
        ("/info.xml", 200),
        ("/api/v1/production", 401),
        (INVERTERS, 401),
        ("/nope", 401),
    ] {
        let response = http()
            .get(format!("{}{path}", simulator.url()))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), expected, "{path}");
        assert!(!response.headers().contains_key(WWW_AUTHENTICATE));
        if expected == 401 {
            let page = response.text().await.unwrap();
            assert!(page.contains("401 Authorization Required") && page.contains("/home"));
        }
    }
    assert_eq!(with_token(&simulator, INVERTERS).await.status(), 200);
    assert_eq!(with_token(&simulator, "/nope").await.status(), 404);
}

#[tokio::test]
async fn a_token_begins_a_session_whose_cookie_is_enough() {
    let simulator = start(site("8.3.5169")).await;
    let checked = with_token(&simulator, "/auth/check_jwt").await;
    assert_eq!(checked.status(), 200);
    let cookie = checked.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    assert!(cookie.starts_with("sessionId=") && cookie.ends_with("; Secure; HttpOnly; path=/"));
    assert_eq!(
        checked.text().await.unwrap(),
        "<!DOCTYPE html><h2>Valid token.</h2>\n"
    );

    let url = format!("{}{INVERTERS}", simulator.url());
    let session = cookie.split(';').next().unwrap().to_owned();
    let known = http()
        .get(&url)
        .header(COOKIE, session)
        .send()
        .await
        .unwrap();
    assert_eq!(known.status(), 200);
    let unknown = http()
        .get(&url)
        .header(COOKIE, "sessionId=1234")
        .send()
        .await
        .unwrap();
    assert_eq!(unknown.status(), 401);
}

#[tokio::test]
async fn a_token_of_another_gateway_or_a_broken_one_is_refused() {
    let simulator = start(site("8.2.4345")).await;
    let other = SiteOptions {
        serial: "122112123457".parse().unwrap(),
        ..site("8.2.4345")
    };
    let other = start(other).await;
    let token = |simulator: &simulator::Simulator| simulator.token().expose_secret().to_owned();
    assert_eq!(
        status(&simulator, format!("Bearer {}", token(&simulator))).await,
        200
    );
    assert_eq!(
        status(&simulator, format!("Bearer {}", token(&other))).await,
        401
    );
    assert_eq!(
        status(&simulator, format!("Bearer {}x", token(&simulator))).await,
        401
    );
    assert_eq!(
        status(&simulator, format!("Basic {}", token(&simulator))).await,
        401
    );
}
