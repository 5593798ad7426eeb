use super::*;

fn cookie(values: &[&str]) -> Option<HeaderValue> {
    let headers = values
        .iter()
        .map(|value| (SET_COOKIE, HeaderValue::from_str(value).expect("a header")))
        .collect();
    session_cookie(&headers)
}

#[test]
fn only_the_sessions_cookie_is_kept() {
    assert_eq!(
        cookie(&["sessionId=abc123; Secure; HttpOnly; path=/"]),
        Some(HeaderValue::from_static("sessionId=abc123"))
    );
    assert_eq!(
        cookie(&["sessionId=old", "x=y"]),
        Some(HeaderValue::from_static("sessionId=old"))
    );
    assert_eq!(cookie(&["other=1; sessionId=2"]), None);
    assert_eq!(cookie(&["sessionId=; Max-Age=0"]), None);
    assert_eq!(cookie(&[&format!("sessionId={}", "x".repeat(5_000))]), None);
    assert_eq!(cookie(&[]), None);
}

#[test]
fn the_cookie_is_not_shown_by_debug() {
    assert_eq!(
        format!("{:?}", cookie(&["sessionId=abc"])),
        "Some(Sensitive)"
    );
}
