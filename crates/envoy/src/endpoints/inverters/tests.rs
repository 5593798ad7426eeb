use serde_json::{Value, json};

use super::super::MOST_VALUES;
use super::*;

fn parsed(list: &Value) -> Inverters {
    parse(list.to_string().as_bytes()).expect("a list")
}

fn entry(serial: &str, date: i64, watts: i32) -> Value {
    json!({"serialNumber": serial, "lastReportDate": date, "devType": 1,
           "lastReportWatts": watts, "maxReportWatts": 300})
}

#[test]
fn a_usual_entry_is_read_whole() {
    let inverters = parsed(&json!([entry("122219085275", 1_691_416_241, 209)]));
    assert_eq!(
        inverters.reports,
        [InverterReport {
            serial: "122219085275".to_owned(),
            reported_at: 1_691_416_241,
            device_type: Some(1),
            power_w: 209,
            peak_power_w: 300,
        }]
    );
    assert_eq!((inverters.never_reported, inverters.refused.len()), (0, 0));
}

#[test]
fn what_firmwares_do_differently_is_understood() {
    let inverters = parsed(&json!([
        {"serialNumber": "1", "lastReportDate": 1_691_416_241.0, "lastReportWatts": "-4",
         "maxReportWatts": 0.4, "isNew": {"yes": true}},
        {"serialNumber": 202_312_345_678_u64, "lastReportDate": "1691416242", "devType": "11",
         "lastReportWatts": -1500.0, "maxReportWatts": "1500"},
    ]));
    assert_eq!(inverters.refused, []);
    let [first, second] = inverters.reports.try_into().expect("two reports");
    assert_eq!(
        (first.device_type, first.power_w, first.peak_power_w),
        (None, -4, 0)
    );
    assert_eq!(first.reported_at, 1_691_416_241);
    assert_eq!(second.serial, "202312345678");
    assert_eq!((second.device_type, second.power_w), (Some(11), -1500));
}

#[test]
fn one_bad_entry_costs_only_itself() {
    let mut long = entry("x", 1_691_416_241, 1);
    long["serialNumber"] = json!("9".repeat(33));
    let mut no_watts = entry("n", 1_691_416_241, 1);
    no_watts["lastReportWatts"] = json!(null);
    let mut many_watts = entry("m", 1_691_416_241, 1);
    many_watts["maxReportWatts"] = json!(3_000_000_000_u32);
    let inverters = parsed(&json!([
        entry("good-1", 1_691_416_241, 1),
        "nonsense",
        entry("a/b", 1_691_416_241, 1),
        long,
        {"lastReportDate": 0},
        no_watts,
        many_watts,
        entry("early", 1_199_145_599, 1),
        entry("negative", -1, 1),
        {"serialNumber": "no-date", "lastReportWatts": 1, "maxReportWatts": 2},
        entry("good_2", 1_199_145_600, 2),
    ]));
    let serials: Vec<_> = inverters
        .reports
        .iter()
        .map(|report| &*report.serial)
        .collect();
    assert_eq!(serials, ["good-1", "good_2"]);
    let refused: Vec<_> = inverters
        .refused
        .iter()
        .map(|refused| {
            (
                refused.position,
                refused.serial.as_deref(),
                refused.reason.clone(),
            )
        })
        .collect();
    assert_eq!(
        refused,
        [
            (1, None, Reason::NotAnObject),
            (2, None, Reason::Serial),
            (3, None, Reason::Serial),
            (4, None, Reason::Serial),
            (5, Some("n"), Reason::Number("lastReportWatts")),
            (6, Some("m"), Reason::Number("maxReportWatts")),
            (7, Some("early"), Reason::Time(1_199_145_599)),
            (8, Some("negative"), Reason::Time(-1)),
            (9, Some("no-date"), Reason::Number("lastReportDate")),
        ]
    );
}

#[test]
fn a_broken_character_costs_only_its_entry() {
    let body = json!([
        entry("broken#", 1_691_416_241, 1),
        entry("good", 1_691_416_241, 2)
    ]);
    let bytes: Vec<u8> = body
        .to_string()
        .bytes()
        .map(|byte| if byte == b'#' { 0xd8 } else { byte })
        .collect();
    let inverters = parse(&bytes).expect("a list");
    assert_eq!((inverters.reports.len(), inverters.refused.len()), (1, 1));
}

#[test]
fn a_device_that_never_reported_is_counted_apart() {
    let inverters = parsed(&json!([
        entry("ghost", 0, 0),
        {"serialNumber": "bare-ghost", "lastReportDate": 0},
        entry("alive", 1_691_416_241, 0),
    ]));
    assert_eq!(inverters.never_reported, 2);
    assert_eq!((inverters.reports.len(), inverters.refused.len()), (1, 0));
}

#[test]
fn of_two_reports_of_one_inverter_the_newest_counts() {
    let inverters = parsed(&json!([
        entry("twice", 1_691_416_241, 1),
        entry("once", 1_691_416_241, 2),
        entry("twice", 1_691_416_300, 3),
        entry("twice", 1_691_416_299, 4),
    ]));
    let powers: Vec<_> = inverters
        .reports
        .iter()
        .map(|report| report.power_w)
        .collect();
    assert_eq!(powers, [3, 2]);
}

#[test]
fn an_empty_list_is_an_answer() {
    assert_eq!(parse(b"[\n\n]\n").expect("a list"), Inverters::default());
    assert_eq!(
        parse(b"\xef\xbb\xbf \r\n[]").expect("a list"),
        Inverters::default()
    );
}

#[test]
fn what_is_no_list_is_an_error() {
    let refusal = |body: &str| parse(body.as_bytes()).expect_err(body);
    let error = r#"{ "error" : "404 - Not Found" }"#;
    assert!(matches!(refusal(error), Malformed::ErrorObject));
    assert!(matches!(refusal(r#"{"status":401}"#), Malformed::Shape(_)));
    assert!(matches!(refusal("null"), Malformed::Shape(_)));
    assert!(matches!(refusal(""), Malformed::Json(_)));
    assert!(matches!(
        refusal("<html><body>401</body></html>"),
        Malformed::Json(_)
    ));
    let whole = json!([entry("cut", 1_691_416_241, 1)]).to_string();
    assert!(matches!(
        refusal(&whole[..whole.len() - 1]),
        Malformed::Json(_)
    ));
}

#[test]
fn a_report_from_the_future_of_the_envoys_clock_is_refused() {
    let now = 1_691_416_241;
    let mut inverters = parsed(&json!([
        entry("in-time", now + 86_400, 1),
        entry("ahead", now + 86_401, 2),
        entry("past", now - 900, 3),
    ]));
    inverters.refuse_later_than(now);
    let serials: Vec<_> = inverters.reports.iter().map(|r| &*r.serial).collect();
    assert_eq!(serials, ["in-time", "past"]);
    let reasons: Vec<_> = inverters.refused.into_iter().map(|r| r.reason).collect();
    assert_eq!(reasons, [Reason::Ahead(now + 86_401)]);
}

#[test]
fn a_list_of_more_than_any_envoy_has_is_refused_before_it_is_read() {
    let list = format!("[{}{{}}]", "{},".repeat(100_000));
    let refusal = parse(list.as_bytes()).expect_err("no Envoy's");
    assert!(matches!(refusal, Malformed::TooMuch), "{refusal}");
    let most = "[".repeat(MOST_VALUES);
    let refusal = parse(format!("{most}[").as_bytes()).expect_err("no Envoy's");
    assert!(matches!(refusal, Malformed::TooMuch), "{refusal}");
    assert!(matches!(parse(most.as_bytes()), Err(Malformed::Json(_))));
    let nested = "[".repeat(10_000);
    assert!(matches!(parse(nested.as_bytes()), Err(Malformed::Json(_))));
}

proptest::proptest! {
    #[test]
    fn no_body_brings_the_parser_down(body in proptest::collection::vec(0_u8.., 0..200)) {
        let _ = parse(&body);
        let _ = parse(&[b"[{\"serialNumber\":", body.as_slice(), b"}]"].concat());
    }
}
