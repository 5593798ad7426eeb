use serde_json::json;

use super::*;
use crate::lines::Lines;

fn jwt(claims: &Value) -> SecretString {
    let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
    format!("eyJhbGciOiJFUzI1NiJ9.{payload}.c2lnbmF0dXJl").into()
}

fn claims(claims: &Value) -> Claims {
    Token::parse(&jwt(claims)).expect("a token").claims
}

#[test]
fn a_tokens_claims_are_read() {
    let claims = claims(&json!({"aud": "122012345678", "iss": "Entrez",
        "enphaseUser": "owner", "exp": 1_728_900_200, "iat": 1_697_364_200}));
    assert_eq!(claims.audience.as_deref(), Some("122012345678"));
    assert_eq!(claims.role.as_deref(), Some("owner"));
    assert_eq!(claims.expires_at, Some(1_728_900_200));
}

#[test]
fn a_refusal_is_explained_by_the_token() {
    let token = claims(&json!({"aud": "1", "enphaseUser": "owner", "exp": 2_000}));
    assert!(matches!(
        token.explain_refusal("1", 2_000),
        Credentials::TokenExpired { expired_at: 2_000 }
    ));
    assert!(matches!(
        token.explain_refusal("2", 1_999),
        Credentials::TokenOfAnother { found, serial } if found == "1" && serial == "2"
    ));
    assert!(matches!(
        token.explain_refusal("1", 1_999),
        Credentials::TokenRejected { role: Some(role) } if role == "owner"
    ));
    assert!(matches!(
        Claims::default().explain_refusal("1", 0),
        Credentials::TokenRejected { role: None }
    ));
}

#[test]
fn a_token_that_can_not_be_read_is_sent_all_the_same() {
    for text in ["eyJ.b.c", "eyJ.!!.c", "eyJ..", "eyJ.bnVsbA.c"] {
        let token = Token::parse(&text.into()).expect(text);
        assert_eq!(token.claims, Claims::default(), "{text}");
    }
    let odd = claims(&json!({"aud": ["1", "2"], "exp": 1e300, "enphaseUser": "a b\n"}));
    assert_eq!((odd.audience, odd.role), (None, None));
}

#[test]
fn an_audience_in_a_list_of_its_own_counts() {
    let token = claims(&json!({"aud": ["1"]}));
    assert_eq!(token.audience.as_deref(), Some("1"));
}

#[test]
fn what_can_not_be_a_token_is_refused() {
    for text in [
        "",
        " \n",
        "two words",
        "Bearer eyJ",
        "eyJ\r\nX-Evil: 1",
        "é",
    ] {
        let refusal = Token::parse(&text.into());
        assert!(
            matches!(refusal, Err(Credentials::NotAToken(_))),
            "{text:?}"
        );
    }
}

#[test]
fn no_token_is_shown_by_debug() {
    let secret = jwt(&json!({"aud": "1"}));
    let token = Token::parse(&secret).expect("a token");
    let shown = format!("{token:?} {:?}", TokenSource::given(secret.clone()));
    assert!(
        !shown.contains("c2lnbmF0dXJl") && !shown.contains("eyJ"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_file_is_read_again_each_time() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let source = TokenSource::file(file.path());
    for text in ["eyJ.first.c\n", "eyJ.second.c"] {
        std::fs::write(file.path(), text).expect("written");
        let token = source.read("1").await.expect("a token");
        assert_eq!(token.bearer, format!("Bearer {}", text.trim()));
    }
}

#[tokio::test]
async fn a_file_that_is_not_there_is_named() {
    let error = TokenSource::file("/no/such/token").read("1").await;
    let error = error.expect_err("no file").to_string();
    assert!(error.contains("/no/such/token"), "{error}");
}

#[tokio::test]
async fn a_file_that_turns_bad_is_said_once_for_each_reason_and_so_is_its_end() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let source = TokenSource::file(file.path());
    let lines = Lines::from(tracing::Level::INFO);
    // Each place that logs asks once whether anybody listens: a first time, then, for nothing.
    for _ in 0..2 {
        let _listening = tracing::subscriber::set_default(lines.clone());
        tracing::callsite::rebuild_interest_cache();
        lines.take();
        for text in [
            "eyJ.b.c",
            "Bearer eyJ.b.c",
            "Bearer eyJ.b.d",
            "",
            "",
            "eyJ.b.e",
            "eyJ.b.e",
        ] {
            std::fs::write(file.path(), text).expect("written");
            let _ = source.newest("1").await;
        }
    }
    let said = lines.take();
    let parts = ["the word Bearer", "begin with eyJ", "can be used again"];
    assert_eq!(said.len(), parts.len(), "{said:#?}");
    for (line, part) in said.iter().zip(parts) {
        assert!(line.contains(part), "{part}: {line}");
        assert!(!line.contains("eyJ.b"), "{line}");
    }
}

#[tokio::test]
async fn a_pipe_that_nobody_writes_to_is_no_file_of_a_token() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("token");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.expect("mkfifo").success());
    let error = TokenSource::file(path)
        .read("1")
        .await
        .expect_err("no file");
    let source = std::error::Error::source(&error).expect("a reason");
    assert!(source.to_string().contains("no regular file"), "{source}");
}

proptest::proptest! {
    #[test]
    fn no_token_brings_us_down(text in "eyJ[!-~]{0,40}\\.[A-Za-z0-9_-]{0,60}\\.x?") {
        let _ = Token::parse(&text.into());
    }
}
