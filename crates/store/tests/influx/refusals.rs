//! Whose fault a refusal is: the line's, or the server's and its set-up's.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use store::{Store, WriteError, line};

use crate::{has_bad, reading, readings, store};
use scripted::influx::{Reply, Request, Server};

/// Refuses requests that have a bad line: 400 refuses all of them, 422 only that line.
fn influx(status: u16) -> impl Fn(&Request, &[Request]) -> Reply {
    move |request, _| {
        if has_bad(&request.lines) {
            Reply::error(status, "unable to parse 'bad'")
        } else {
            Reply::stored()
        }
    }
}

fn indexes(written: &store::Written) -> Vec<usize> {
    let unstorable = written.unstorable.iter();
    unstorable.map(|unstorable| unstorable.index).collect()
}

#[tokio::test]
async fn exactly_the_bad_lines_of_a_batch_are_given_up() {
    for status in [400, 422] {
        let server = Server::start(influx(status)).await;
        let bad = [0, 7, 8, 999];
        let readings = readings(1_000, &bad);
        let written = store(&server).write(&readings).await.unwrap();
        assert_eq!(indexes(&written), bad);
        assert_eq!(written.outside_retention, 0);
        assert!(written.unstorable[0].reason.contains("unable to parse"));
        let requests = server.requests();
        let mut stored: Vec<_> = requests
            .iter()
            .filter(|request| !has_bad(&request.lines))
            .flat_map(|request| request.lines.clone())
            .collect();
        stored.sort();
        stored.dedup();
        let mut good: Vec<_> = readings.iter().map(line::render).collect();
        good.retain(|line| !line.contains("serial=bad"));
        good.sort();
        assert_eq!(stored, good);
        assert!(!has_bad(&requests.last().unwrap().lines), "no witness");
    }
}

/// Version 1.8 says 400 where 2.x says 422: all but the bad lines are stored.
#[tokio::test]
async fn a_400_that_stored_the_good_lines_gives_up_the_bad_ones_only() {
    let kept = Arc::new(Mutex::new(BTreeSet::new()));
    let stored = Arc::clone(&kept);
    let server = Server::start(move |request, _| {
        let is_bad = |line: &String| has_bad(std::slice::from_ref(line));
        let (bad, good): (Vec<_>, Vec<_>) = request.lines.iter().cloned().partition(is_bad);
        kept.lock().unwrap().extend(good);
        match bad.len() {
            0 => Reply::stored(),
            dropped => Reply::Answer(
                400,
                Vec::new(),
                format!(
                    r#"{{"error":"partial write: field type conflict: input field \"power\" on measurement \"inverterPower\" is type integer, already exists as type float dropped={dropped}"}}"#
                ),
            ),
        }
    })
    .await;
    let bad = [3, 60, 61];
    let batch = readings(100, &bad);
    let written = store(&server).write(&batch).await.unwrap();
    assert_eq!(indexes(&written), bad);
    assert_eq!(stored.lock().unwrap().len(), 97);
}

#[tokio::test]
async fn a_limit_on_series_gives_nothing_up() {
    let server = Server::start(|_, before| match before.len() {
        0 => Reply::stored(),
        _ => Reply::Answer(
            400,
            Vec::new(),
            r#"{"error":"partial write: max-series-per-database limit exceeded: (1000000) dropped=1"}"#
                .into(),
        ),
    })
    .await;
    let store = store(&server);
    let _ = store.write(&[reading("first", 1)]).await.unwrap();
    let error = store.write(&readings(2, &[])).await.unwrap_err();
    assert!(
        matches!(&error, WriteError::Configuration { remedy, .. } if remedy.contains("limit")),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_bad_line_alone_is_given_up_once_another_was_accepted() {
    let server = Server::start(influx(422)).await;
    let store = store(&server);
    let bad = readings(1, &[0]);
    let error = store.write(&bad).await.unwrap_err();
    assert!(matches!(error, WriteError::Unproven { .. }), "{error:?}");
    let _ = store.write(&readings(1, &[])).await.unwrap();
    let written = store.write(&bad).await.unwrap();
    assert_eq!(indexes(&written), [0]);
}

#[tokio::test]
async fn a_server_that_refuses_everything_from_the_start_is_not_trusted() {
    let server =
        Server::start(|_, _| Reply::error(400, "Please provide either orgID or org")).await;
    let error = store(&server)
        .write(&readings(5_000, &[]))
        .await
        .unwrap_err();
    let WriteError::Unproven { problem, remedy } = error else {
        panic!("{error:?}");
    };
    assert!(problem.contains("Please provide either orgID or org"));
    assert!(remedy.contains("INFLUX_ORG"));
    assert!(server.requests().len() < 300, "{}", server.requests().len());
}

#[tokio::test]
async fn a_server_that_refuses_what_it_accepted_before_is_at_fault() {
    let server = Server::start(|_, before| match before.len() {
        0 => Reply::stored(),
        _ => Reply::error(422, "field type conflict"),
    })
    .await;
    let store = store(&server);
    let _ = store.write(&readings(2, &[])).await.unwrap();
    let error = store.write(&readings(5_000, &[])).await.unwrap_err();
    assert!(
        matches!(&error, WriteError::Configuration { problem, .. } if problem.contains("conflict")),
        "{error:?}"
    );
    // The batch and the witness: no line was tried on its own.
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_fault_that_begins_after_the_first_lines_makes_no_dead_letters() {
    // The first half is accepted; then a proxy begins to refuse everything.
    let server = Server::start(|request, before| match before.len() {
        0 => Reply::error(400, "one line is bad"),
        1 => Reply::stored(),
        _ => Reply::Answer(400, Vec::new(), format!("proxy: {}", request.target)),
    })
    .await;
    let error = store(&server).write(&readings(4, &[])).await.unwrap_err();
    assert!(
        matches!(error, WriteError::Configuration { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_fault_that_begins_half_way_is_noticed_before_each_line_was_tried() {
    let server = Server::start(|_, before| match before.len() {
        0 | 1 => Reply::stored(),
        _ => Reply::error(400, "proxy"),
    })
    .await;
    let batch = readings(15_000, &[]);
    let error = store(&server).write(&batch).await.unwrap_err();
    assert!(
        matches!(error, WriteError::Configuration { .. }),
        "{error:?}"
    );
    assert!(server.requests().len() < 300, "{}", server.requests().len());
}

#[tokio::test]
async fn a_fault_that_passes_makes_no_dead_letters() {
    // Everything but the witness is refused for a while.
    let server = Server::start(|request, before| {
        let is_witness = request
            .lines
            .iter()
            .any(|line| line.contains("serial=first"));
        if is_witness || before.len() > 6 {
            Reply::stored()
        } else {
            Reply::error(400, "for a while")
        }
    })
    .await;
    let store = store(&server);
    let _ = store.write(&[reading("first", 1)]).await.unwrap();
    let written = store.write(&readings(3, &[])).await.unwrap();
    assert_eq!(written, store::Written::default());
    let requests = server.requests();
    for reading in readings(3, &[]) {
        let line = line::render(&reading);
        let alone = |request: &&Request| request.lines == [line.clone()];
        assert!(requests.iter().skip(7).find(alone).is_some(), "{line}");
    }
}

fn outside(dropped: usize) -> Reply {
    Reply::error(
        422,
        &format!(
            "partial write: dropped {dropped} points outside retention policy of duration 720h0m0s \
             - oldest point x at 2020-09-13T12:26:40Z dropped because it violates a Retention \
             Policy Lower Bound at 2026-10-24T22:54:58.308242172Z, newest point x"
        ),
    )
}

#[tokio::test]
async fn points_outside_the_retention_are_settled_and_no_dead_letters() {
    let is_old = |line: &String| line.ends_with(" 1600000000");
    let server = Server::start(move |request, _| {
        match request.lines.iter().filter(|line| is_old(line)).count() {
            0 => Reply::stored(),
            dropped => outside(dropped),
        }
    })
    .await;
    let store = store(&server);
    let mut batch = readings(100, &[]);
    for index in [3, 50, 99] {
        batch[index] = reading("old", 1_600_000_000);
    }
    let written = store.write(&batch).await.unwrap();
    assert_eq!((indexes(&written), written.outside_retention), (vec![], 3));
    assert_eq!(server.requests().len(), 2);

    let all_old = vec![reading("old", 1_600_000_000); 1_000];
    let written = store.write(&all_old).await.unwrap();
    assert_eq!(
        (indexes(&written), written.outside_retention),
        (vec![], 1_000)
    );
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_bad_line_behind_old_ones_is_found() {
    // The server names the first reason only.
    let server = Server::start(|request, _| {
        if request
            .lines
            .iter()
            .any(|line| line.ends_with(" 1600000000"))
        {
            outside(1)
        } else if has_bad(&request.lines) {
            Reply::error(422, "field type conflict")
        } else {
            Reply::stored()
        }
    })
    .await;
    let mut batch = readings(10, &[4]);
    batch[0] = reading("old", 1_600_000_000);
    let written = store(&server).write(&batch).await.unwrap();
    assert_eq!((indexes(&written), written.outside_retention), (vec![4], 1));
}

#[tokio::test]
async fn what_is_too_large_is_split() {
    let server = Server::start(|request, _| match request.lines.len() {
        0..=100 => Reply::stored(),
        _ => Reply::Answer(413, Vec::new(), "<html>nginx</html>".into()),
    })
    .await;
    let batch = readings(1_000, &[]);
    let written = store(&server).write(&batch).await.unwrap();
    assert_eq!(written, store::Written::default());
    let requests = server.requests();
    let accepted = requests.iter().filter(|request| request.lines.len() <= 100);
    assert_eq!(
        accepted.map(|request| request.lines.len()).sum::<usize>(),
        1_000
    );
}

#[tokio::test]
async fn a_limit_below_a_single_line_is_a_fault_of_the_set_up() {
    let server = Server::start(|_, _| Reply::Answer(413, Vec::new(), "too large".into())).await;
    let error = store(&server).write(&readings(4, &[])).await.unwrap_err();
    assert!(
        matches!(&error, WriteError::Configuration { remedy, .. } if remedy.contains("limit")),
        "{error:?}"
    );
}
