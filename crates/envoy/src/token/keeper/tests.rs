use std::sync::atomic::{AtomicI64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;

const SERIAL: &str = "122012345678";
const YEAR: i64 = 31_536_000;

/// A keeper whose cloud nobody can reach, and its clock.
fn keeper(files: StateFiles) -> (Arc<Keeper>, Arc<AtomicI64>) {
    let cloud: url::Url = "http://127.0.0.1:9".parse().expect("a URL");
    let account = Account {
        username: "owner@example.org".to_owned(),
        password: "secret".into(),
        enlighten: cloud.clone(),
        entrez: cloud,
    };
    let now = Arc::new(AtomicI64::new(0));
    let shown = Arc::clone(&now);
    let clock = Clock::new(move || {
        Timestamp::from_second(shown.load(Ordering::Relaxed)).expect("a small number of seconds")
    });
    (Arc::new(Keeper::new(account, files, clock)), now)
}

/// A token for this Envoy that expires at this second.
fn token(expires_at: i64) -> (Token, SecretString) {
    let claims = format!(r#"{{"aud":"{SERIAL}","iat":0,"exp":{expires_at}}}"#);
    let text = SecretString::from(format!("eyJh.{}.c2ln", URL_SAFE_NO_PAD.encode(claims)));
    (Token::parse(&text).expect("a token"), text)
}

fn on_disk(state: &tempfile::TempDir) -> String {
    std::fs::read_to_string(state.path().join(format!("token-{SERIAL}"))).expect("a file")
}

#[tokio::test]
async fn a_renewed_token_that_the_envoy_refuses_is_renewed_again_while_the_one_before_is_used() {
    let state = tempfile::tempdir().expect("a directory");
    let (keeper, now) = keeper(StateFiles::inside(state.path()));
    let ((first, text), (second, newer)) = (token(YEAR), token(2 * YEAR));
    keeper.take(SERIAL, &first, text).await;
    now.store(YEAR - 86_400, Ordering::Relaxed);
    keeper.take(SERIAL, &second, newer).await;
    assert!(
        !keeper
            .state()
            .token
            .as_ref()
            .is_some_and(|token| token.is_due(keeper.clock.now()))
    );

    keeper.refused(SERIAL, &second).await;
    let newest = keeper.state().token.clone().expect("a token");
    assert_eq!(newest, first);
    assert!(newest.is_due(keeper.clock.now()), "renewal goes on");
    keeper.accepted(SERIAL, &first).await;
    assert_eq!(
        Token::parse(&on_disk(&state).into()).expect("a token"),
        first
    );
}

#[tokio::test]
async fn a_token_that_the_disk_did_not_take_is_written_when_it_can_be() {
    let state = tempfile::tempdir().expect("a directory");
    let place = state.path().join("state");
    std::fs::write(&place, "no directory").expect("a file");
    let (keeper, _) = keeper(StateFiles::inside(&place));
    let (first, text) = token(YEAR);
    keeper.take(SERIAL, &first, text).await;
    keeper.accepted(SERIAL, &first).await;

    std::fs::remove_file(&place).expect("it is there");
    keeper.accepted(SERIAL, &first).await;
    let kept = StateFiles::as_found_in(&place).read(Kind::Token, SERIAL);
    assert!(kept.expect("readable").is_some());
    assert!(keeper.state().unkept.is_none());
}

/// Whether a login is tried now. Each fails: nobody can reach this cloud.
async fn tries_to_log_in(keeper: &Keeper) -> bool {
    match keeper.token(SERIAL).await.expect_err("no cloud") {
        Credentials::NotFetched { .. } => true,
        Credentials::NotNoted { .. } => false,
        error => panic!("{error}"),
    }
}

#[tokio::test]
async fn where_an_attempt_cant_be_noted_the_first_login_waits_so_that_restarts_make_none() {
    let state = tempfile::tempdir().expect("a directory");
    let place = state.path().join("state");
    std::fs::write(&place, "no directory").expect("a file");
    for _ in 0..10 {
        // Each time another process.
        let (keeper, now) = keeper(StateFiles::inside(&place));
        for second in [0, 60, 14 * 60] {
            now.store(second, Ordering::Relaxed);
            assert!(!tries_to_log_in(&keeper).await, "after {second} s");
        }
    }
    // One that lasts is served all the same.
    let (keeper, now) = keeper(StateFiles::inside(&place));
    now.store(15 * 60, Ordering::Relaxed);
    assert!(tries_to_log_in(&keeper).await);
}

#[tokio::test]
async fn as_soon_as_an_attempt_can_be_noted_it_is_made() {
    let state = tempfile::tempdir().expect("a directory");
    let place = state.path().join("state");
    std::fs::write(&place, "no directory").expect("a file");
    let (waits, now) = keeper(StateFiles::inside(&place));
    assert!(!tries_to_log_in(&waits).await);
    std::fs::remove_file(&place).expect("it is there");
    now.store(60, Ordering::Relaxed);
    assert!(tries_to_log_in(&waits).await);
    // Who keeps nothing is no daemon that is started again.
    let (nowhere, _) = keeper(StateFiles::nowhere());
    assert!(tries_to_log_in(&nowhere).await);
}

#[tokio::test]
async fn a_token_that_is_written_late_does_not_take_the_turn_of_one_that_came_meanwhile() {
    let state = tempfile::tempdir().expect("a directory");
    let place = state.path().join("state");
    std::fs::write(&place, "no directory").expect("a file");
    let (keeper, _) = keeper(StateFiles::inside(&place));
    let ((first, text), (second, newer)) = (token(YEAR), token(2 * YEAR));
    keeper.take(SERIAL, &first, text.clone()).await;
    keeper.take(SERIAL, &second, newer).await;
    // That of the first one comes to its end only now, and in vain.
    keeper.keep(SERIAL, &first, text).await;

    std::fs::remove_file(&place).expect("it is there");
    keeper.accepted(SERIAL, &second).await;
    let kept = StateFiles::as_found_in(&place).read(Kind::Token, SERIAL);
    let kept = kept.expect("readable").expect("a token");
    assert_eq!(Token::parse(&kept.into()).expect("a token"), second);
}
