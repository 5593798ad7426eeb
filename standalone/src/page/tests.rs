mod admission;
mod flows;
mod listed;
mod streams;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use store::MarkedStore as _;
use store::Marks;

use super::*;

/// A page over a store with one inverter, and no broker.
async fn page(directory: &std::path::Path) -> Page {
    page_for(directory, None).await
}

async fn page_for(directory: &std::path::Path, account: Option<Account>) -> Page {
    let store = Sqlite::open(directory.join("readings.sqlite")).expect("a store");
    let readings = [reading(1_795_000_200, 0), reading(1_795_000_500, 120)];
    let _ = store
        .store(&readings, &Marks::default())
        .await
        .expect("stored");
    let place = Place {
        listen: Some((Ipv4Addr::LOCALHOST, 0).into()),
        account,
    };
    let nowhere = (Ipv4Addr::LOCALHOST, 1).into();
    let service = Service::of_process();
    let kept = (store, directory.to_owned());
    start(&place, kept, (nowhere, None), &service, true)
        .await
        .expect("a page")
}

/// A report of the inverter.
fn reading(at: i64, power_w: i32) -> wire::Reading {
    wire::Reading {
        envoy: "122012345678".parse().expect("a serial"),
        measured: wire::Inverter {
            serial: "482012345678".parse().expect("a serial"),
            reported_at: wire::ReportTime::from_unix_seconds(at).expect("a time"),
            device_type: Some(1),
            power_w,
            peak_power_w: 296,
            detail: None,
        }
        .into(),
        journal: "k3x9m2pq".parse().expect("an id"),
        seq: 1,
    }
}

/// The whole answer to a request for `path` with these lines in its head.
async fn ask(page: &Page, path: &str, head: &str) -> String {
    ask_by(page, "GET", path, head).await
}

async fn ask_by(page: &Page, method: &str, path: &str, head: &str) -> String {
    let address = page.address;
    let request = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n{head}\r\n");
    let asked = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).expect("a connection");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    });
    asked.await.expect("asked")
}

const HERE: &str = "Host: localhost:8340\r\n";

#[tokio::test]
async fn a_series_has_the_average_power_of_each_span_and_the_energy_of_all() {
    let directory = tempfile::tempdir().expect("a directory");
    let page = page(directory.path()).await;
    let range = "from=1795000200&until=1795000800&step=300";
    for path in ["site", "inverters/482012345678"] {
        let answer = ask(&page, &format!("/api/v1/{path}?{range}"), HERE).await;
        assert!(answer.contains(r#""power_w":[120,null]"#), "{answer}");
        assert!(answer.contains(r#""energy_wh":10"#), "{answer}");
    }
}

#[tokio::test]
async fn what_nobody_read_is_unknown_and_at_night_nothing_is_made() {
    let directory = tempfile::tempdir().expect("a directory");
    let page = page(directory.path()).await;
    let store = Sqlite::open(directory.path().join("readings.sqlite")).expect("a store");
    // Evening at 1,795,020,000, ten hours of night, the same a day later, and at the noon between a pause of an hour.
    let day = |at: i64| [at, at + 86_400].into_iter();
    let watts = |i: i64| i32::try_from(i).expect("few");
    let evening =
        day(1_795_020_000).flat_map(|at| (0..6).map(move |i| (at + i * 300, watts(6 - i))));
    let morning = day(1_795_056_000).flat_map(|at| (0..6).map(move |i| (at + i * 300, watts(i))));
    let noon = [1_795_065_000, 1_795_065_300, 1_795_068_900, 1_795_069_200].map(|at| (at, 250));
    let all = evening.chain(morning).chain(noon);
    let readings: Vec<_> = all.map(|(at, power_w)| reading(at, power_w)).collect();
    let _ = store
        .store(&readings, &Marks::default())
        .await
        .expect("stored");
    for path in ["site", "inverters/482012345678"] {
        for (what, range, expected) in [
            (
                "before all",
                "from=1794990000&until=1794993600",
                "[null,null,null,null]",
            ),
            ("night", "from=1795040100&until=1795043700", "[0,0,0,0]"),
            (
                "noon",
                "from=1795065300&until=1795068900",
                "[null,null,null,250]",
            ),
            (
                "to come",
                "from=4000000000&until=4000003600",
                "[null,null,null,null]",
            ),
        ] {
            let answer = ask(&page, &format!("/api/v1/{path}?{range}&step=900"), HERE).await;
            let expected = format!(r#""power_w":{expected}"#);
            assert!(answer.contains(&expected), "{what}: {answer}");
        }
    }
}

#[tokio::test]
async fn a_series_of_hours_is_made_of_whole_ones() {
    let directory = tempfile::tempdir().expect("a directory");
    let page = page(directory.path()).await;
    for path in ["site", "inverters/482012345678"] {
        let range = "from=1795000200&until=1795003300&step=3600";
        let answer = ask(&page, &format!("/api/v1/{path}?{range}"), HERE).await;
        for part in [
            r#""from":1794999600"#,
            r#""until":1795006800"#,
            r#""power_w":[10,null]"#,
            r#""energy_wh":10"#,
        ] {
            assert!(answer.contains(part), "{part}: {answer}");
        }
    }
}

#[tokio::test]
async fn an_inverter_that_was_forgotten_is_not_shown_as_current_and_what_is_stored_of_it_stays() {
    let directory = tempfile::tempdir().expect("a directory");
    let page = page(directory.path()).await;
    let file = directory.path().join("forgotten-122012345678.json");
    std::fs::write(&file, r#"{"482012345678":null}"#).expect("written");
    let answer = ask(&page, "/api/v1/now", HERE).await;
    for part in [r#""inverters_total":0"#, r#""inverters":[]"#] {
        assert!(answer.contains(part), "{answer}");
    }
    let range = "from=1795000200&until=1795000800&step=300";
    for path in ["site", "inverters/482012345678"] {
        let answer = ask(&page, &format!("/api/v1/{path}?{range}"), HERE).await;
        assert!(answer.contains(r#""power_w":[120,null]"#), "{answer}");
    }
    std::fs::write(&file, "{}").expect("written");
    let answer = ask(&page, "/api/v1/now", HERE).await;
    assert!(answer.contains(r#""inverters_total":1"#), "it is back");
}

#[tokio::test]
async fn years_have_the_sums_of_the_site_and_of_an_inverter() {
    let directory = tempfile::tempdir().expect("a directory");
    let page = page(directory.path()).await;
    for (path, highest) in [
        ("years?years=50", false),
        ("years?years=50&inverter=482012345678", true),
    ] {
        let answer = ask(&page, &format!("/api/v1/{path}"), HERE).await;
        for part in [r#""energy_wh":10"#, r#""reports":2"#, r#""year":"2026""#] {
            assert!(answer.contains(part), "{answer}");
        }
        assert_eq!(answer.contains(r#""highest_w":120"#), highest, "{answer}");
    }
}

#[tokio::test]
async fn now_lists_an_inverter_that_has_been_silent_for_long_as_not_reporting() {
    let directory = tempfile::tempdir().expect("a directory");
    let page = page(directory.path()).await;
    let answer = ask(&page, "/api/v1/now", HERE).await;
    for part in [
        r#""inverters_total":1"#,
        r#""serial":"482012345678""#,
        r#""simulated":true"#,
        r#""reporting":false"#,
        r#""inverters_reporting":0"#,
        r#""power_w":0"#,
    ] {
        assert!(answer.contains(part), "{answer}");
    }
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused_with_the_remedy() {
    let directory = tempfile::tempdir().expect("a directory");
    let page = page(directory.path()).await;
    for (path, status, remedy) in [
        ("site?from=2&until=1", 400, "until has to be after from"),
        ("site?from=1&until=99999999", 400, "at most 32 days"),
        (
            "site?until=1795000800&step=1",
            400,
            "step is no whole number from 60",
        ),
        (
            "site?from=1794000000&until=1795000000&step=60",
            400,
            "a longer step",
        ),
        ("site?form=1", 400, "here there is from, until, step"),
        ("now?days=1", 400, "here there is none"),
        ("events?x=1", 400, "here there is none"),
        ("days?days=2&days=3", 400, "days is given twice"),
        ("inverters/%FF", 400, "{\"error\""),
        ("site?from=yesterday", 400, "from is no whole number"),
        ("flows?from=2&until=1", 400, "until has to be after from"),
        ("flows?from=1&until=99999999", 400, "at most 32 days"),
        ("days?days=367", 400, "from 1 to 366"),
        ("months?months=0", 400, "from 1 to 240"),
        ("years?years=51", 400, "from 1 to 50"),
        ("months?zone=Mars/Olympus", 400, "such as Europe/Berlin"),
        ("years?inverter=1", 404, "/api/v1/now lists them"),
        ("years?inverter=%3Cscript%3E", 400, "is not a serial number"),
        ("days?zone=Mars/Olympus", 400, "such as Europe/Berlin"),
        ("inverters/1", 404, "/api/v1/now lists them"),
        ("inverters/%3Cscript%3E", 400, "is not a serial number"),
        ("nothing", 404, "there is /api/v1/now"),
    ] {
        let answer = ask(&page, &format!("/api/v1/{path}"), HERE).await;
        let begins = format!("HTTP/1.1 {status}");
        assert!(answer.starts_with(&begins), "{path}: {answer}");
        assert!(answer.contains(remedy), "{path}: {answer}");
    }
}

#[tokio::test]
async fn only_what_is_asked_by_get_is_answered() {
    let directory = tempfile::tempdir().expect("a directory");
    let page = page(directory.path()).await;
    let answer = ask_by(&page, "POST", "/api/v1/now", HERE).await;
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
    assert!(answer.contains(r#"{"error""#), "{answer}");
}

#[tokio::test]
async fn a_page_that_has_died_says_so_and_one_that_lives_does_not() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut page = page(directory.path()).await;
    let lives = tokio::time::timeout(Duration::ZERO, page.ended()).await;
    assert!(lives.is_err(), "it lives");
    page.serving.abort();
    let error = tokio::time::timeout(Duration::from_secs(10), page.ended()).await;
    let error = error.expect("in time").to_string();
    assert!(error.contains("what serves the page ended"), "{error}");
}
