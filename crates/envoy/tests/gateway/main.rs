//! The client against a scripted server: what it sends, and what it makes of odd answers.
#![allow(clippy::unwrap_used, clippy::float_cmp)]

mod certificate;
mod cloud;
mod detection;
mod faults;
mod password;
mod polling;
mod server;
mod token;

use std::time::Duration;

use envoy::{Gateway, Settings};
use server::{Reply, Server};

const SERIAL: &str = "121430030548";
const INSTALLER_PASSWORD: &str = "34Be4859";
const INVERTERS: &str = "/api/v1/production/inverters";
const ONE_INVERTER: &str = r#"[{"serialNumber": "482012345678", "lastReportDate": 1703033509,
    "devType": 1, "lastReportWatts": 99, "maxReportWatts": 177}]"#;

fn info(firmware: &str) -> Reply {
    info_of(SERIAL, firmware)
}

fn info_of(serial: &str, firmware: &str) -> Reply {
    info_at(serial, firmware, 1_703_033_831)
}

fn info_at(serial: &str, firmware: &str, time: i64) -> Reply {
    Reply::ok(&format!(
        "<?xml version='1.0'?><envoy_info><time>{time}</time><device><sn>{serial}</sn>\
         <pn>800-00069-r05</pn><software>{firmware}</software></device></envoy_info>"
    ))
}

/// For the server's address without a scheme, as people give it.
fn settings(server: &Server) -> Settings {
    let mut settings = Settings::new(server.address().to_string().parse().unwrap());
    settings.connect_timeout = Duration::from_secs(5);
    settings.read_timeout = Duration::from_secs(10);
    settings
}

fn gateway(server: &Server) -> Gateway {
    Gateway::new(settings(server))
}

/// The paths that were asked for.
fn paths(requests: &[server::Request]) -> Vec<&str> {
    requests.iter().map(|request| &*request.path).collect()
}

/// An error with everything it says of its causes, for people and for programmers.
fn all_of(error: &envoy::Error) -> String {
    let mut text = format!("{error:?}\n{error}");
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text = format!("{text}\n{error}");
        source = error.source();
    }
    text
}
