//! What an Envoy with any number of inverters answers, in good order and in trouble.

use super::NOW;
use crate::server::Reply;
use crate::{INVERTERS, SERIAL, info_at};

/// What happens to an endpoint.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trouble {
    Slow,
    Cut,
    Missing,
    Refused,
    Html,
    ErrorObject,
    ServerError,
}

pub(super) const TROUBLES: [Trouble; 7] = [
    Trouble::Slow,
    Trouble::Cut,
    Trouble::Missing,
    Trouble::Refused,
    Trouble::Html,
    Trouble::ErrorObject,
    Trouble::ServerError,
];

pub(super) fn inverters(count: usize) -> String {
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

pub(super) fn good(path: &str, count: usize) -> Reply {
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
        "/info" => return info_at(SERIAL, "D8.3.5169", NOW),
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

pub(super) fn bad(trouble: Trouble) -> Reply {
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
