//! Publishes what many scrapers publish, each of one Envoy with 50 inverters: after each round of its readings the
//! announcement of its journal, and in the beginning how its inverters do. All of it is retained. Called by
//! `bench/scale`.
//!
//! `cargo run --release -p bench --bin fleet BROKER RATE`: the address of a broker that takes anybody, and the most
//! readings a second, 0 for no limit. Each line of the standard input names a piece of work, `STEP COUNT ROUND`: every
//! so manieth Envoy from the first one on, how many, and which report it is of each of their inverters, from 0. It says so
//! once the broker has taken all of it.

#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use std::time::Duration;

use anyhow::Context;
use bench::{DEADLINE, connected, settings};
use mqtt::{Connection, Message, Receipt};
use tokio::io::{AsyncBufReadExt, BufReader, stdin};
use tokio::time::{Instant, sleep_until};
use wire::{
    Announcement, BaseTopic, Health, Inverter, InverterHealth, InverterState, JournalSpan,
    Measured, Reading, ReportTime, Serial, Topic,
};

/// The inverters of each Envoy.
const INVERTERS: u64 = 50;

/// The first report, in Unix seconds, and the time between two reports of an inverter.
const BEGINNING: u64 = 1_750_000_000;
const INTERVAL: u64 = 300;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let broker = arguments.next().context("BROKER")?;
    let rate: u32 = arguments.next().context("RATE")?.parse()?;
    let (session, mut events) = mqtt::start(settings(&broker, "bench-fleet")?)?;
    let connection = connected(&mut events).await?;
    let mut fleet = Fleet {
        connection,
        base: BaseTopic::default(),
        last: None,
    };
    let mut lines = BufReader::new(stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let numbers: Vec<u64> = line
            .split_whitespace()
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        let [step, count, round] = numbers[..] else {
            anyhow::bail!("{line:?} is not STEP COUNT ROUND");
        };
        let each = per_envoy(rate);
        let mut due = Instant::now();
        for number in 0..count {
            if let Some(each) = each {
                sleep_until(due).await;
                // Where it is behind it does not make haste: the next ones are as far apart.
                due = due.max(Instant::now()) + each;
            }
            fleet.publish(number * step, round).await?;
        }
        if let Some(last) = fleet.last.take() {
            // The broker acknowledges in the order in which it takes them.
            tokio::time::timeout(DEADLINE, last).await??;
        }
        println!("{} readings are published", count * INVERTERS);
    }
    session.close(DEADLINE).await;
    Ok(())
}

/// How long the readings of one Envoy take at this rate.
fn per_envoy(rate: u32) -> Option<Duration> {
    (rate > 0).then(|| Duration::from_secs(INVERTERS) / rate)
}

struct Fleet {
    connection: Connection,
    base: BaseTopic,
    last: Option<Receipt>,
}

impl Fleet {
    /// One poll of one Envoy: each inverter has reported.
    async fn publish(&mut self, envoy: u64, round: u64) -> anyhow::Result<()> {
        let serial: Serial = format!("1220{envoy:08}").parse()?;
        let at = i64::try_from(BEGINNING + round * INTERVAL + envoy % INTERVAL)?;
        let at = ReportTime::from_unix_seconds(at)?;
        for inverter in 0..INVERTERS {
            let measured = Measured::from(Inverter {
                serial: inverter_serial(envoy, inverter)?,
                reported_at: at,
                device_type: Some(1),
                power_w: i32::try_from((envoy + 7 * inverter + 13 * round) % 300)?,
                peak_power_w: 296,
                detail: None,
            });
            let place = round * INVERTERS + inverter + 1;
            let reading: Reading =
                measured.numbered(serial.clone(), journal(envoy).parse()?, place);
            let topic = reading.topic();
            self.send(&topic, reading.encode()).await?;
        }
        let announcement = Announcement {
            instance: format!("p{envoy:07}").parse()?,
            journals: vec![JournalSpan::new(
                journal(envoy).parse()?,
                1,
                (round + 1) * INVERTERS,
            )?],
            waiting: 0,
        };
        let topic = Topic::Journal {
            envoy: serial.clone(),
        };
        self.send(&topic, announcement.encode()).await?;
        if round == 0 {
            let topic = Topic::Health {
                envoy: serial.clone(),
            };
            let health = health(envoy, serial, at)?;
            self.send(&topic, health.encode()).await?;
        }
        Ok(())
    }

    async fn send(&mut self, topic: &Topic, payload: String) -> anyhow::Result<()> {
        let message = Message {
            topic: topic.render(&self.base),
            payload: payload.into(),
            retain: true,
        };
        self.last = Some(self.connection.publish(message).await?);
        Ok(())
    }
}

fn inverter_serial(envoy: u64, inverter: u64) -> anyhow::Result<Serial> {
    Ok(format!("48{envoy:08}{inverter:02}").parse()?)
}

fn journal(envoy: u64) -> String {
    format!("k{envoy:07}")
}

fn health(envoy: u64, serial: Serial, at: ReportTime) -> anyhow::Result<Health> {
    let one = InverterHealth {
        state: InverterState::Reporting,
        fresh: true,
        interval_s: Some(300),
        missed_reports: 0,
        relative_output_pct: Some(100),
        name: None,
        array: None,
    };
    let inverters =
        (0..INVERTERS).map(|inverter| Ok((inverter_serial(envoy, inverter)?, one.clone())));
    let count = u32::try_from(INVERTERS)?;
    Ok(Health {
        envoy: serial,
        changed_at: Some(at),
        reporting: count,
        asleep: 0,
        silent: 0,
        total: count,
        never_reported: 0,
        inverters: inverters.collect::<anyhow::Result<_>>()?,
    })
}
