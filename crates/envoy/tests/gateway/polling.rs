//! A poll of everything: whatever happens to the other endpoints, the inverters are complete.

mod answers;

use std::time::Duration;

use envoy::{Answered, Clock, Failure, Gateway, Poll, TokenSource};
use jiff::Timestamp;

use crate::password::{challenge, user_of};
use crate::server::{Reply, Request, Server, Speaks};
use crate::token::{LATER, jwt};
use crate::{INVERTERS, SERIAL, info_at, paths, settings};
use answers::{TROUBLES, Trouble, bad, good, inverters};

const NOW: i64 = 1_748_577_049;
const OTHERS: [&str; 6] = [
    "/ivp/pdm/device_data",
    "/api/v1/production",
    "/ivp/meters",
    "/ivp/meters/readings",
    "/ivp/ensemble/inventory",
    "/production.json",
];

/// An Envoy with so many inverters, and trouble at these paths.
async fn envoy(count: usize, troubled: Vec<&'static str>, trouble: Trouble) -> Server {
    Server::start(Speaks::Https, move |request: &Request| {
        if troubled.contains(&&*request.path) {
            bad(trouble)
        } else {
            good(&request.path, count)
        }
    })
    .await
}

fn gateway(server: &Server) -> Gateway {
    let mut settings = settings(server);
    settings.token = Some(TokenSource::given(jwt(SERIAL, LATER).into()));
    settings.read_timeout = Duration::from_millis(400);
    Gateway::new(settings)
}

fn assert_complete(poll: &Poll, count: usize) {
    assert_eq!(poll.inverters.reports.len(), count);
    for (n, report) in poll.inverters.reports.iter().enumerate() {
        assert_eq!(
            (report.serial.clone(), report.power_w),
            (format!("4820{n:08}"), i32::try_from(n).unwrap())
        );
    }
}

#[tokio::test]
async fn sites_of_any_size_are_read_whole_and_detail_stops_at_fifty_devices() {
    for count in [1, 30, 60, 300] {
        let server = envoy(count, vec![], Trouble::Slow).await;
        let poll = gateway(&server).poll().await.unwrap();
        assert_complete(&poll, count);
        assert_eq!(poll.notes, []);
        assert_eq!(poll.details.len(), count.min(50));
        let detail = poll.detail(&poll.inverters.reports[0]).unwrap();
        assert_eq!(
            (detail.energy_wh, detail.energy_lifetime_wh),
            (Some(1.0), Some(2.0))
        );
        assert_eq!(poll.production.unwrap().power_w, 70.0);
        let net = poll.net.unwrap();
        assert_eq!((net.power_w, net.energy_exported_wh), (-30.0, Some(2.5)));
        assert_eq!((poll.consumption, poll.meters.len()), (None, 2));
    }
}

#[tokio::test]
async fn trouble_with_one_endpoint_costs_only_that() {
    for path in OTHERS {
        for trouble in TROUBLES {
            let server = envoy(60, vec![path], trouble).await;
            let poll = gateway(&server).poll().await.unwrap();
            assert_complete(&poll, 60);
            let notes: Vec<_> = poll.notes.iter().map(|note| note.endpoint).collect();
            assert_eq!(notes, [path], "{trouble:?}");
            let expected = match trouble {
                Trouble::Slow => Failure::Slow,
                Trouble::Cut | Trouble::ServerError => Failure::Broken,
                _ => Failure::Missing,
            };
            assert_eq!(poll.notes[0].failure, expected, "{trouble:?}");
            let meters = path != "/ivp/meters" && path != "/ivp/meters/readings";
            assert_eq!(poll.production.is_some(), meters, "{path} {trouble:?}");
            assert_eq!(poll.details.is_empty(), path == "/ivp/pdm/device_data");
        }
    }
}

#[tokio::test]
async fn trouble_with_all_of_them_leaves_the_inverters_and_is_not_asked_for_again() {
    for trouble in TROUBLES {
        let server = envoy(300, OTHERS.to_vec(), trouble).await;
        let mut gateway = gateway(&server);
        let poll = gateway.poll().await.unwrap();
        assert_complete(&poll, 300);
        // Without meters nobody asks for their readings.
        assert_eq!(poll.notes.len(), OTHERS.len() - 1, "{trouble:?}");
        let asked = server.take_requests();
        let logins = asked
            .iter()
            .filter(|request| request.path.starts_with("/auth"));
        assert_eq!(
            logins.count(),
            0,
            "a refusal of one says nothing of the token"
        );
        let poll = gateway.poll().await.unwrap();
        assert_complete(&poll, 300);
        assert_eq!(poll.notes, []);
        assert_eq!(paths(&server.take_requests()), [INVERTERS], "{trouble:?}");
    }
}

#[tokio::test]
async fn what_answered_before_a_restart_is_asked_again_within_minutes_after_it() {
    let server = envoy(3, vec![], Trouble::Missing).await;
    let mut before = gateway(&server);
    assert_eq!(before.answered(), None);
    before.poll().await.unwrap();
    let answered = before.answered().unwrap();
    assert_eq!(answered.firmware, "D8.3.5169");
    assert!(
        answered.endpoints.contains("/ivp/meters/readings"),
        "{answered:?}"
    );
    // The meters fail as the next process begins.
    let meters = ["/ivp/meters", "/ivp/meters/readings"];
    for (firmware, is_known) in [("D8.3.5169", true), ("D8.3.5289", false)] {
        let server = envoy(3, meters.to_vec(), Trouble::Missing).await;
        let mut after = gateway(&server);
        after.recall(Answered {
            firmware: firmware.to_owned(),
            ..answered.clone()
        });
        assert_eq!(after.answered().unwrap().firmware, firmware);
        assert!(after.poll().await.unwrap().net.is_none());
        server.become_another(Speaks::Https, |request| good(&request.path, 3));
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(90)).await;
        tokio::time::resume();
        let poll = after.poll().await.unwrap();
        assert_eq!(poll.net.is_some(), is_known, "{firmware}");
    }
}

#[tokio::test]
async fn another_firmware_is_asked_for_everything_anew() {
    let server = envoy(3, OTHERS.to_vec(), Trouble::Missing).await;
    let mut gateway = gateway(&server);
    assert!(gateway.poll().await.unwrap().production.is_none());
    server.become_another(Speaks::Https, |request| match &*request.path {
        "/info" => info_at(SERIAL, "D8.3.5289", NOW),
        path => good(path, 3),
    });
    // Something shows that it has changed; here somebody asks.
    gateway.info().await.unwrap();
    let poll = gateway.poll().await.unwrap();
    assert_eq!(poll.production.unwrap().power_w, 70.0);
}

#[tokio::test]
async fn what_the_envoys_own_clock_does_not_know_yet_is_refused() {
    // The Envoy says that it is a day and a minute earlier than its inverters do.
    let server = Server::start(Speaks::Https, |request: &Request| match &*request.path {
        INVERTERS => Reply::new(200, &["Date: Thu, 29 May 2025 03:47:00 GMT"], &inverters(2)),
        path => good(path, 2),
    })
    .await;
    let poll = gateway(&server).poll().await.unwrap();
    assert_eq!(
        (poll.inverters.reports.len(), poll.inverters.refused.len()),
        (0, 2)
    );
}

#[tokio::test]
async fn how_far_its_clock_is_off_is_told_by_each_answer() {
    // 2025-05-29T03:47:00Z.
    const DATED: i64 = 1_748_490_420;
    let server = Server::start(Speaks::Https, |request: &Request| match &*request.path {
        INVERTERS => Reply::new(200, &["Date: Thu, 29 May 2025 03:47:00 GMT"], "[]"),
        path => good(path, 2),
    })
    .await;
    let mut settings = settings(&server);
    settings.token = Some(TokenSource::given(jwt(SERIAL, LATER).into()));
    settings.clock = Clock::new(|| Timestamp::from_second(DATED - 40).unwrap());
    let mut gateway = Gateway::new(settings);
    gateway.poll().await.unwrap();
    assert_eq!(gateway.clock_skew(), Some(40));
    // It was set, and nothing is asked anew for that.
    server.become_another(Speaks::Https, |request| match &*request.path {
        INVERTERS => Reply::new(200, &["Date: Thu, 29 May 2025 03:46:00 GMT"], "[]"),
        path => good(path, 2),
    });
    gateway.poll().await.unwrap();
    assert_eq!(gateway.clock_skew(), Some(-20));
    // Without a date it is what was known last.
    server.become_another(Speaks::Https, |request| match &*request.path {
        INVERTERS => Reply::new(200, &[], "[]"),
        path => good(path, 2),
    });
    gateway.poll().await.unwrap();
    assert_eq!(gateway.clock_skew(), Some(-20));
}

#[tokio::test]
async fn below_firmware_7_the_rest_is_asked_as_who_read_the_inverters_and_a_refusal_is_not_argued_with()
 {
    let server = Server::start(Speaks::Http, |request: &Request| {
        let user = request.header("authorization").map(user_of);
        match (&*request.path, user) {
            ("/info", _) => info_at(SERIAL, "D5.0.62", NOW),
            // Each endpoint has a user of its own, as some firmwares have.
            (INVERTERS, Some("envoy")) => Reply::ok(&inverters(2)),
            ("/api/v1/production", Some("installer")) => good("/api/v1/production", 2),
            ("/production.json", _) => good("/production.json", 2),
            _ => challenge("n"),
        }
    })
    .await;
    let mut gateway = Gateway::new(settings(&server));
    assert_complete(&gateway.poll().await.unwrap(), 2);
    server.take_requests();
    let poll = gateway.poll().await.unwrap();
    assert_complete(&poll, 2);
    let asked = server.take_requests();
    assert_eq!(
        paths(&asked),
        [INVERTERS, INVERTERS],
        "what was refused is left alone"
    );
    assert_eq!(asked[1].header("authorization").map(user_of), Some("envoy"));
}
