#![allow(clippy::unwrap_used)]

use reqwest::header::HeaderValue;

use super::*;

const NOW: &str = "2026-11-23T09:15:00Z";

fn verdict(status: u16, headers: &HeaderMap, body: &str) -> Verdict {
    let status = StatusCode::from_u16(status).unwrap();
    judge(status, headers, body.as_bytes(), NOW.parse().unwrap())
}

fn plain(status: u16, body: &str) -> Verdict {
    verdict(status, &HeaderMap::new(), body)
}

#[test]
fn only_204_means_stored() {
    assert_eq!(plain(204, ""), Verdict::Stored);
    for status in [200, 201, 202, 206, 301, 302, 405, 418] {
        let verdict = plain(status, "<html>Please log in</html>");
        assert!(matches!(verdict, Verdict::Configuration { .. }), "{status}");
    }
}

#[test]
fn refused_lines() {
    let body = r#"{"code":"invalid","message":"unable to parse 'nonsense': missing fields"}"#;
    for status in [400, 422] {
        let Verdict::Refused(refusal) = plain(status, body) else {
            panic!("{status}");
        };
        assert!(!refusal.is_retention);
        assert_eq!(
            refusal.reason,
            format!("it answered {status}: unable to parse 'nonsense': missing fields")
        );
    }
}

/// The body that version 2.7.12 answers for two points of 2020 in a bucket of 30 days.
const OUTSIDE_RETENTION: &str = r#"{"code":"unprocessable entity","message":"failure writing points to database: partial write: dropped 2 points outside retention policy of duration 720h0m0s - oldest point inverterPower,envoySerial=1,serial=3,type=1 at 2020-09-13T12:26:40Z dropped because it violates a Retention Policy Lower Bound at 2026-10-24T22:54:58.308242172Z, newest point inverterPower,envoySerial=1,serial=3,type=1 at 2020-09-13T12:26:40Z dropped because it violates a Retention Policy Lower Bound at 2026-10-24T22:54:58.308242172Z dropped=1 for database: 1e15b3ab85bdd767 for retention policy: autogen"}"#;

#[test]
fn points_outside_retention_are_told_apart() {
    let Verdict::Refused(refusal) = plain(422, OUTSIDE_RETENTION) else {
        panic!("not refused");
    };
    let bound: Timestamp = "2026-10-24T22:54:58Z".parse().unwrap();
    assert!(refusal.is_retention);
    assert_eq!(refusal.oldest_kept, Some(bound.as_second()));
}

#[test]
fn points_outside_the_retention_of_version_1() {
    let body = r#"{"error":"partial write: points beyond retention policy dropped=1"}"#;
    let Verdict::Refused(refusal) = plain(400, body) else {
        panic!("not refused");
    };
    assert!(refusal.is_retention);
    assert_eq!(refusal.oldest_kept, None);
}

#[test]
fn a_fault_of_the_set_up_comes_with_its_remedy() {
    // The bodies of version 2.7.12, of 1.8, and of a proxy.
    for (status, body, expected, named) in [
        (
            401,
            r#"{"code":"unauthorized","message":"unauthorized access"}"#,
            Fault::Token,
            "INFLUX_TOKEN",
        ),
        (
            401,
            r#"{"error":"authorization failed"}"#,
            Fault::Token,
            "INFLUX_TOKEN",
        ),
        (
            403,
            r#"{"code":"forbidden","message":"insufficient permissions for write"}"#,
            Fault::Right,
            "right to write",
        ),
        (
            404,
            r#"{"code":"not found","message":"organization name \"nope\" not found"}"#,
            Fault::Organisation,
            "check INFLUX_ORG",
        ),
        (
            404,
            r#"{"code":"not found","message":"bucket \"nope\" not found"}"#,
            Fault::Bucket,
            "check INFLUX_BUCKET",
        ),
        (
            404,
            r#"{"error":"database not found: \"nope\""}"#,
            Fault::Bucket,
            "check INFLUX_BUCKET",
        ),
        (
            404,
            "<html><h1>404 Not Found</h1></html>",
            Fault::Address,
            "path in INFLUX_URL",
        ),
    ] {
        let Verdict::Configuration {
            fault,
            problem,
            remedy,
        } = plain(status, body)
        else {
            panic!("{status} {body}");
        };
        assert_eq!(fault, expected, "{body}");
        assert!(
            problem.starts_with(&format!("it answered {status}: ")),
            "{problem}"
        );
        assert!(remedy.contains(named), "{remedy}");
    }
}

#[test]
fn a_server_with_tls_that_is_asked_without_is_no_bad_line() {
    for body in [
        "Client sent an HTTP request to an HTTPS server.\n",
        "<html>400 The plain HTTP request was sent to HTTPS port</html>",
    ] {
        let verdict = plain(400, body);
        assert!(
            matches!(&verdict, Verdict::Configuration { fault: Fault::Address, remedy, .. }
                if remedy.contains("https://")),
            "{verdict:?}"
        );
    }
}

#[test]
fn a_limit_on_series_is_no_fault_of_the_lines() {
    for words in [
        "max-series-per-database limit exceeded: (1000000)",
        "max-values-per-tag limit exceeded (100000/100000): measurement=\\\"inverterPower\\\"",
    ] {
        let verdict = plain(
            400,
            &format!(r#"{{"error":"partial write: {words} dropped=1"}}"#),
        );
        assert!(
            matches!(&verdict, Verdict::Configuration { fault: Fault::Limit, problem, .. }
                if problem.contains("limit exceeded")),
            "{verdict:?}"
        );
    }
}

#[test]
fn an_answer_that_is_not_unicode_is_quoted_all_the_same() {
    let verdict = judge(
        StatusCode::BAD_GATEWAY,
        &HeaderMap::new(),
        b"Pas de r\xe9ponse \xff",
        NOW.parse().unwrap(),
    );
    assert!(
        matches!(&verdict, Verdict::Unavailable { problem, .. }
            if problem == "it answered 502: Pas de r\u{fffd}ponse \u{fffd}"),
        "{verdict:?}"
    );
}

#[test]
fn a_redirect_names_where_it_leads() {
    let mut headers = HeaderMap::new();
    headers.insert(LOCATION, HeaderValue::from_static("https://db/login"));
    let Verdict::Configuration { problem, .. } = verdict(302, &headers, "") else {
        panic!("not the set-up");
    };
    assert!(problem.contains("https://db/login"), "{problem}");
}

#[test]
fn a_busy_or_broken_server_is_unavailable() {
    for status in [408, 425, 429, 500, 502, 503, 504, 599] {
        assert!(matches!(
            plain(status, ""),
            Verdict::Unavailable { retry_after: None, problem }
                if problem == format!("it answered {status}: (no message)")
        ));
    }
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    for (value, seconds) in [
        ("7", Some(7)),
        (" 0 ", Some(0)),
        ("99999999", Some(3600)),
        ("Mon, 23 Nov 2026 09:16:30 GMT", Some(90)),
        ("Mon, 23 Nov 2026 09:00:00 GMT", Some(0)),
        ("Tue, 23 Nov 2027 09:00:00 GMT", Some(3600)),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
        for status in [429, 503] {
            assert!(
                matches!(
                    verdict(status, &headers, ""),
                    Verdict::Unavailable { retry_after, .. }
                        if retry_after == seconds.map(Duration::from_secs)
                ),
                "{value}"
            );
        }
    }
}

#[test]
fn a_request_that_is_too_large() {
    assert!(matches!(plain(413, "nginx"), Verdict::TooLarge { .. }));
}

#[test]
fn an_answer_is_quoted_bounded_and_on_one_line() {
    let Verdict::Unavailable { problem, .. } =
        plain(500, &format!("<html>\r\n\x1b[31m{}", "é".repeat(5000)))
    else {
        panic!("not unavailable");
    };
    assert!(problem.chars().count() < 350, "{problem}");
    assert!(!problem.contains(char::is_control), "{problem:?}");
}
