//! Publishes readings as scrapers do, each of them retained on the topic of its inverter, and ends when the
//! broker has taken all. Called by `bench/drain`.
//!
//! `cargo run --release -p bench --bin queue BROKER FIRST COUNT`: the address of a broker that takes anybody, the
//! number of the first reading, and how many. The same numbers are always the same readings.

#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use anyhow::Context;
use bench::{DEADLINE, connected, settings};
use mqtt::{Connection, Message, Receipt};
use wire::{BaseTopic, Inverter, Measured, Reading, ReportTime};

/// Each Envoy with so many inverters, all of which report one after the other.
const ENVOYS: u64 = 10;
const INVERTERS: u64 = 100;

/// The first report, in Unix seconds, and the time between two reports of an inverter.
const BEGINNING: u64 = 1_750_000_000;
const INTERVAL: u64 = 300;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |name: &'static str| arguments.next().context(name);
    let broker = next("BROKER")?;
    let first: u64 = next("FIRST")?.parse()?;
    let count: u64 = next("COUNT")?.parse()?;
    let (session, mut events) = mqtt::start(settings(&broker, "bench-queue")?)?;
    let connection = connected(&mut events).await?;
    let base = BaseTopic::default();
    let mut last = None;
    for number in first..first + count {
        last = Some(publish(&connection, &base, &reading(number)?).await?);
    }
    // The broker acknowledges in the order in which it takes them.
    if let Some(last) = last {
        tokio::time::timeout(DEADLINE, last).await??;
    }
    session.close(DEADLINE).await;
    println!("{count} readings are published");
    Ok(())
}

async fn publish(
    connection: &Connection,
    base: &BaseTopic,
    reading: &Reading,
) -> anyhow::Result<Receipt> {
    let message = Message {
        topic: reading.topic().render(base),
        payload: reading.encode().into(),
        retain: true,
    };
    Ok(connection.publish(message).await?)
}

/// Reading `number`: of all inverters in turn, those of the first Envoy first.
fn reading(number: u64) -> anyhow::Result<Reading> {
    let (inverter, report) = (number % (ENVOYS * INVERTERS), number / (ENVOYS * INVERTERS));
    let (envoy, inverter) = (inverter / INVERTERS, inverter % INVERTERS);
    let at = BEGINNING + report * INTERVAL + inverter;
    let measured = Measured::from(Inverter {
        serial: format!("48201234{envoy:02}{inverter:02}").parse()?,
        reported_at: ReportTime::from_unix_seconds(i64::try_from(at)?)?,
        device_type: Some(1),
        power_w: i32::try_from(number * 7 % 300)?,
        peak_power_w: 296,
        detail: None,
    });
    // Journals count from 1, each Envoy's its own.
    let place = report * INVERTERS + inverter + 1;
    Ok(measured.numbered(
        format!("1220123456{envoy:02}").parse()?,
        "k3x9m2pq".parse()?,
        place,
    ))
}
