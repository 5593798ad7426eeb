use serde_json::json;

use super::*;

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
    for text in ["abc", "a.b.c", "a.!!.c", "..", "a.bnVsbA.c"] {
        let token = Token::parse(&text.into()).expect(text);
        assert_eq!(token.claims, Claims::default(), "{text}");
    }
    let odd = claims(&json!({"aud": ["1"], "exp": 1e300, "enphaseUser": "a b\n"}));
    assert_eq!((odd.audience, odd.role), (None, None));
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
        assert!(matches!(refusal, Err(Credentials::NotAToken)), "{text:?}");
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
    for text in ["first\n", "second"] {
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

proptest::proptest! {
    #[test]
    fn no_token_brings_us_down(text in "[!-~]{0,40}\\.[A-Za-z0-9_-]{0,60}\\.x?") {
        let _ = Token::parse(&text.into());
    }
}
