//! Enphase's cloud: three ways to a token, and what is in each of them.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use simulator::{
    CloudOptions, CloudRequest, CloudSwitch, Options, Role, Simulator, SiteOptions, Source,
};

use crate::client::{ask, http};

mod tokens;

const INVERTERS: &str = "/api/v1/production/inverters";
const SERIAL: &str = "122012345678";

async fn start(cloud: CloudOptions) -> Simulator {
    Simulator::start(Options {
        source: Source::Site(SiteOptions::default()),
        cloud: Some(cloud),
        ..Options::default()
    })
    .await
    .unwrap()
}

fn post(simulator: &Simulator, path: &str) -> RequestBuilder {
    http().post(format!("{}{path}", simulator.cloud_url().unwrap()))
}

fn form(request: RequestBuilder, fields: &[(&str, &str)]) -> RequestBuilder {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    request
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(body)
}

async fn log_in(simulator: &Simulator, password: &str) -> Response {
    let fields = [
        ("user[email]", CloudOptions::USERNAME),
        ("user[password]", password),
    ];
    let request = post(simulator, "/login/login.json?");
    form(request, &fields).send().await.unwrap()
}

async fn body(response: Response) -> Value {
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

async fn session(simulator: &Simulator) -> String {
    let logged_in = log_in(simulator, CloudOptions::PASSWORD).await;
    assert_eq!(logged_in.status(), 200);
    let said = body(logged_in).await;
    said["session_id"].as_str().unwrap().to_owned()
}

async fn token(simulator: &Simulator, session: &str, serial: &str) -> Response {
    let wanted = json!({
        "session_id": session, "serial_num": serial, "username": CloudOptions::USERNAME,
    });
    post(simulator, "/tokens")
        .header(CONTENT_TYPE, "application/json")
        .body(wanted.to_string())
        .send()
        .await
        .unwrap()
}

async fn log_in_to_entrez(simulator: &Simulator, password: &str) -> Response {
    let fields = [("username", CloudOptions::USERNAME), ("password", password)];
    let request = post(simulator, "/login");
    form(request, &fields).send().await.unwrap()
}

async fn token_page(simulator: &Simulator, cookie: &str, serial: &str) -> Response {
    let request = post(simulator, "/entrez_tokens").header(COOKIE, cookie);
    form(request, &[("serialNum", serial)])
        .send()
        .await
        .unwrap()
}

/// A cookie as it is sent back.
fn cookie(response: &Response) -> String {
    let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

fn claims(token: &str) -> Value {
    let claims = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

/// How long a token is good for, in seconds.
fn lifetime_s(token: &str) -> i64 {
    let claims = claims(token);
    claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap()
}

async fn lets_in(simulator: &Simulator, token: &str) {
    let answer = ask(simulator, INVERTERS, format!("Bearer {token}")).await;
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn a_session_of_enlighten_gives_a_bare_token_that_the_gateway_takes() {
    let simulator = start(CloudOptions::default()).await;
    let answer = token(&simulator, &session(&simulator).await, SERIAL).await;
    assert_eq!(answer.status(), 200);
    let token = answer.text().await.unwrap();
    lets_in(&simulator, &token).await;
    let claims = claims(&token);
    assert_eq!(claims["aud"], SERIAL);
    assert_eq!(claims["iss"], "Entrez");
    assert_eq!(claims["enphaseUser"], "owner");
    assert_eq!(claims["username"], CloudOptions::USERNAME);
    assert_eq!(lifetime_s(&token), 31_536_000);
}

#[tokio::test]
async fn the_cookie_of_enlighten_gives_a_token_in_json() {
    let simulator = start(CloudOptions::default()).await;
    let cookie = cookie(&log_in(&simulator, CloudOptions::PASSWORD).await);
    assert!(cookie.starts_with("_enlighten_4_session="), "{cookie}");
    let get = async |serial: &str, cookie: &str| {
        let url = simulator.cloud_url().unwrap();
        let request = http().get(format!("{url}/entrez-auth-token?serial_num={serial}"));
        request.header(COOKIE, cookie).send().await.unwrap()
    };
    let said = body(get(SERIAL, &cookie).await).await;
    lets_in(&simulator, said["token"].as_str().unwrap()).await;
    let at = |key: &str| said[key].as_i64().unwrap();
    assert_eq!(at("expires_at") - at("generation_time"), 31_536_000);

    assert_eq!(get("122012345679", &cookie).await.status(), 403);
    assert_eq!(get(SERIAL, "_enlighten_4_session=0").await.status(), 401);
}

#[tokio::test]
async fn the_form_of_entrez_gives_a_token_in_a_text_area() {
    let simulator = start(CloudOptions::default()).await;
    let logged_in = log_in_to_entrez(&simulator, CloudOptions::PASSWORD).await;
    let cookie = cookie(&logged_in);
    assert!(cookie.starts_with("SESSION="), "{cookie}");
    let area = async |serial: &str| {
        let page = token_page(&simulator, &cookie, serial).await;
        assert_eq!(page.status(), 200);
        let page = page.text().await.unwrap();
        let (_, area) = page.split_once("<textarea name=\"accessToken\"").unwrap();
        let (_, content) = area.split_once('>').unwrap();
        content.split_once("</textarea>").unwrap().0.to_owned()
    };
    lets_in(&simulator, &area(SERIAL).await).await;
    let refusal = area("122012345679").await;
    assert!(refusal.starts_with("Error"), "{refusal}");

    let refused = log_in_to_entrez(&simulator, "wrong").await;
    assert_eq!(refused.status(), 200, "the form, once more");
    assert!(!refused.headers().contains_key(SET_COOKIE));
    assert_eq!(
        token_page(&simulator, "SESSION=0", SERIAL).await.status(),
        401
    );
}

#[tokio::test]
async fn who_is_not_known_gets_neither_session_nor_token() {
    let simulator = start(CloudOptions::default()).await;
    assert_eq!(log_in(&simulator, "wrong").await.status(), 401);
    assert_eq!(token(&simulator, "0", SERIAL).await.status(), 401);
    let session = session(&simulator).await;
    assert_eq!(
        token(&simulator, &session, "122012345679").await.status(),
        403
    );
    let fields = [("session_id", session.as_str()), ("serial_num", SERIAL)];
    let as_form = form(post(&simulator, "/tokens"), &fields).send().await;
    assert_eq!(
        as_form.unwrap().status(),
        403,
        "a form has not been good here since 2025"
    );
}

#[tokio::test]
async fn a_second_factor_or_too_many_sessions_give_no_session_with_status_200() {
    let simulator = start(CloudOptions::default()).await;
    let switch = |text: &str| simulator.switch_cloud(text.parse().unwrap()).unwrap();
    switch("mfa on");
    let asked = log_in(&simulator, CloudOptions::PASSWORD).await;
    assert_eq!(asked.status(), 200);
    assert!(cookie(&asked).starts_with("login_otp_nonce="));
    assert_eq!(
        body(asked).await,
        json!({"success": true, "isBlocked": false})
    );
    let asked = log_in_to_entrez(&simulator, CloudOptions::PASSWORD).await;
    assert!(!asked.headers().contains_key(SET_COOKIE));
    assert_eq!(log_in(&simulator, "wrong").await.status(), 401);
    switch("mfa off");

    switch("too-many-sessions on");
    let refused = log_in(&simulator, CloudOptions::PASSWORD).await;
    assert_eq!(refused.status(), 200);
    assert_eq!(
        body(refused).await,
        json!({"message": "Too many active sessions.."})
    );
    let form = log_in_to_entrez(&simulator, CloudOptions::PASSWORD).await;
    assert!(form.headers().contains_key(SET_COOKIE));
    switch("too-many-sessions everywhere");
    let form = log_in_to_entrez(&simulator, CloudOptions::PASSWORD).await;
    assert!(!form.headers().contains_key(SET_COOKIE));
    switch("too-many-sessions off");

    switch("blocked on");
    let refused = log_in(&simulator, CloudOptions::PASSWORD).await;
    assert_eq!(refused.status(), 200);
    assert_eq!(body(refused).await["isBlocked"], true);
    let form = log_in_to_entrez(&simulator, CloudOptions::PASSWORD).await;
    assert!(!form.headers().contains_key(SET_COOKIE));
    switch("blocked off");
    session(&simulator).await;
}

#[tokio::test]
async fn a_cloud_that_is_down_says_503_to_everything() {
    let simulator = start(CloudOptions::default()).await;
    let known = session(&simulator).await;
    simulator.switch_cloud(CloudSwitch::Down(true)).unwrap();
    assert_eq!(
        log_in(&simulator, CloudOptions::PASSWORD).await.status(),
        503
    );
    assert_eq!(token(&simulator, &known, SERIAL).await.status(), 503);
    simulator.switch_cloud(CloudSwitch::Down(false)).unwrap();
    assert_eq!(token(&simulator, &known, SERIAL).await.status(), 200);
}

#[tokio::test]
async fn a_new_password_ends_the_sessions_of_the_old_one() {
    let simulator = start(CloudOptions::default()).await;
    let known = session(&simulator).await;
    let switch = CloudSwitch::Password("new one".into());
    simulator.switch_cloud(switch).unwrap();
    assert_eq!(token(&simulator, &known, SERIAL).await.status(), 401);
    assert_eq!(
        log_in(&simulator, CloudOptions::PASSWORD).await.status(),
        401
    );
    assert_eq!(log_in(&simulator, "new one").await.status(), 200);
}

#[tokio::test]
async fn every_request_is_noted_without_what_was_secret_in_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("requests");
    let simulator = start(CloudOptions {
        requests: Some(path.clone()),
        ..CloudOptions::default()
    })
    .await;
    log_in(&simulator, "wrong").await;
    let session = session(&simulator).await;
    token(&simulator, &session, SERIAL).await;
    let noted = simulator.cloud_requests().unwrap();
    let told: Vec<(&str, u16, bool)> = noted
        .iter()
        .map(|request| (request.path.as_str(), request.status, request.granted))
        .collect();
    let expected = [
        ("/login/login.json", 401, false),
        ("/login/login.json", 200, true),
        ("/tokens", 200, true),
    ];
    assert_eq!(told, expected);
    let file = std::fs::read_to_string(path).unwrap();
    let lines = file
        .lines()
        .map(|line| serde_json::from_str::<CloudRequest>(line).unwrap());
    assert_eq!(lines.collect::<Vec<_>>(), noted);
    assert!(!file.contains(&session) && !file.contains(CloudOptions::PASSWORD));
}

#[tokio::test]
async fn without_a_cloud_there_is_nothing_to_switch() {
    let simulator = crate::client::start(SiteOptions::default()).await;
    assert_eq!(simulator.cloud_url(), None);
    let refused = simulator.switch_cloud(CloudSwitch::Mfa(true)).unwrap_err();
    assert!(refused.to_string().contains("--cloud"), "{refused}");
}
