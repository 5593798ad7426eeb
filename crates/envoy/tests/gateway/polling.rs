//! A poll of everything: whatever happens to the other endpoints, the inverters are complete.

use std::time::Duration;

use envoy::{Failure, Gateway, Poll, TokenSource};

use crate::server::{Reply, Request, Server, Speaks};
use crate::token::{LATER, jwt};
use crate::{INVERTERS, SERIAL, info, paths, settings};

const NOW: i64 = 1_748_577_049;
const OTHERS: [&str; 6] = [
    "/ivp/pdm/device_data",
    "/api/v1/production",
    "/ivp/meters",
    "/ivp/meters/readings",
    "/ivp/ensemble/inventory",
    "/production.json",
];

/// What happens to an endpoint.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    Slow,
    Cut,
    Missing,
    Refused,
    Html,
    ErrorObject,
    ServerError,
}

const TROUBLES: [Trouble; 7] = [
    Trouble::Slow,
    Trouble::Cut,
    Trouble::Missing,
    Trouble::Refused,
    Trouble::Html,
    Trouble::ErrorObject,
    Trouble::ServerError,
];

fn inverters(count: usize) -> String {
    let entry = |n: usize| {
        format!(
            r#"{{"serialNumber":"4820{n:08}","lastReportDate":{},"devType":1,"lastReportWatts":{n},"maxReportWatts":300}}"#,
            NOW - 100
        )
    };
    format!("[{}]", (0..count).map(entry).collect::<Vec<_>>().join(","))
}

/// The detail of at most 50 devices, as gateways cut it.
fn device_data(count: usize) -> String {
    let device = |n: usize| {
        format!(
            r#""{n}":{{"devName":"pcu","sn":"4820{n:08}","channels":[{{"lastReading":{{"endDate":{},"duration":900,"joulesProduced":3600}},"lifetime":{{"joulesProduced":7200}}}}]}}"#,
            NOW - 100
        )
    };
    let devices: Vec<_> = (0..count.min(50)).map(device).collect();
    format!(
        r#"{{{},"deviceCount":{},"deviceDataLimit":50}}"#,
        devices.join(","),
        devices.len()
    )
}

fn good(path: &str, count: usize) -> Reply {
    let meter = |eid, kind: &str| {
        format!(
            r#"{{"eid":{eid},"state":"enabled","measurementType":"{kind}","phaseCount":1,"meteringStatus":"normal"}}"#
        )
    };
    let reading = |eid, watts| {
        format!(
            r#"{{"eid":{eid},"timestamp":{NOW},"activePower":{watts},"actEnergyDlvd":1000.5,"actEnergyRcvd":2.5}}"#
        )
    };
    Reply::ok(&match path {
        "/info" => return info("D8.3.5169"),
        INVERTERS => inverters(count),
        "/ivp/pdm/device_data" => device_data(count),
        "/api/v1/production" => {
            r#"{"wattHoursToday":10,"wattHoursSevenDays":0,"wattHoursLifetime":5000,"wattsNow":7}"#
                .to_owned()
        }
        "/ivp/meters" => format!(
            "[{},{}]",
            meter(1, "production"),
            meter(2, "net-consumption")
        ),
        "/ivp/meters/readings" => format!("[{},{}]", reading(2, -30), reading(1, 70)),
        "/ivp/ensemble/inventory" => "[]".to_owned(),
        "/production.json" => {
            r#"{"production":[{"type":"inverters","activeCount":0}],"consumption":[]}"#.to_owned()
        }
        other => panic!("{other} is asked"),
    })
}

fn bad(trouble: Trouble) -> Reply {
    let page = "<html><h1>What?</h1></html>";
    match trouble {
        Trouble::Slow => Reply::hang("HTTP/1.1 200 OK\r\n"),
        Trouble::Cut => Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n[{"),
        Trouble::Missing => Reply::new(404, &[], page),
        Trouble::Refused => Reply::new(401, &["Content-Type: text/html"], page),
        Trouble::Html => Reply::ok(page),
        Trouble::ErrorObject => Reply::ok(r#"{"error": "404 - Not Found"}"#),
        Trouble::ServerError => Reply::new(502, &[], page),
    }
}

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
async fn another_firmware_is_asked_for_everything_anew() {
    let server = envoy(3, OTHERS.to_vec(), Trouble::Missing).await;
    let mut gateway = gateway(&server);
    assert!(gateway.poll().await.unwrap().production.is_none());
    server.become_another(Speaks::Https, |request| match &*request.path {
        "/info" => info("D8.3.5289"),
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
