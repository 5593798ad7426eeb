//! Energy, which some Envoys count for each interval and for an inverter's whole life.

use std::collections::BTreeMap;
use std::path::Path;

use rig::chain::Chain;
use rig::wait;
use rusqlite::{Connection, OpenFlags};

use crate::{ARRIVAL, INVERTERS, caught_up, gateway, more_was_shown};

const ENVOY: &str = "202400000083";

/// What an Envoy of this firmware tells: `/ivp/pdm/device_data`.
const WITH_DETAIL: &str = "8.3.5169";

/// Values of an inverter, by the time of its report.
type Series = BTreeMap<String, Vec<(i64, f64)>>;

#[tokio::test]
async fn the_energy_of_intervals_adds_up_to_what_the_lifetime_counter_has_gone_on_by() {
    let test = "the energy of intervals adds up to what the lifetime counter has gone on by";
    let Some(chain) = Chain::start(test, &[ENVOY]).await else {
        return;
    };
    let mut receiver = chain.receiver().spawn();
    chain.online("envoy-receiver/e2e/status").await;
    let envoy = gateway(ENVOY, WITH_DETAIL).await;
    let mut scraper = chain.scraper(&envoy, ENVOY).spawn();
    for _ in 0..6 {
        more_was_shown(&envoy).await;
    }
    caught_up(&chain, &envoy).await;
    assert!(scraper.terminate().await.success());
    assert!(receiver.terminate().await.success());
    let floats = async |field| chain.influx.floats(chain.bucket(), field).await;
    assert_add_up(
        &floats("intervalS").await,
        &floats("energyWh").await,
        &floats("energyLifetimeWh").await,
    );
}

#[tokio::test]
async fn so_it_does_in_a_file_of_sqlite() {
    let test = "so it does in a file of sqlite";
    let Some(chain) = Chain::start(test, &[ENVOY]).await else {
        return;
    };
    let file = chain.state("sqlite").with_extension("db");
    let mut receiver = chain.receiver_into(&file).spawn();
    chain.online("envoy-receiver/e2e/status").await;
    let envoy = gateway(ENVOY, WITH_DETAIL).await;
    let mut scraper = chain.scraper(&envoy, ENVOY).spawn();
    for _ in 0..6 {
        more_was_shown(&envoy).await;
    }
    let shown = envoy.ledger().len();
    wait::until_true("as many rows in the file", ARRIVAL, async || {
        column(&file, "power_w")
            .values()
            .map(Vec::len)
            .sum::<usize>()
            >= shown
    })
    .await;
    assert!(scraper.terminate().await.success());
    assert!(receiver.terminate().await.success());
    assert_add_up(
        &column(&file, "interval_s"),
        &column(&file, "energy_wh"),
        &column(&file, "energy_lifetime_wh"),
    );
}

/// Of reports that follow each other without a gap: each interval's energy is what the counter has gone on by.
fn assert_add_up(interval: &Series, energy: &Series, lifetime: &Series) {
    assert!(
        energy.len() >= INVERTERS,
        "each tells its energy: {}",
        energy.len()
    );
    let (mut compared, mut reports) = (0, 0);
    for (inverter, lifetime) in lifetime {
        let at = |series: &Series, at: i64| {
            let mut values = series.get(inverter)?.iter();
            values
                .find(|(other, _)| *other == at)
                .map(|(_, value)| *value)
        };
        reports += lifetime.len().saturating_sub(1);
        for pair in lifetime.windows(2) {
            let [(before, counted), (after, counts)] = pair else {
                unreachable!("windows of two");
            };
            let (Some(seconds), Some(energy)) = (at(interval, *after), at(energy, *after)) else {
                continue;
            };
            // A report between them was not seen.
            let passed = u32::try_from(after - before).expect("some hours");
            if (seconds - f64::from(passed)).abs() > 0.5 {
                continue;
            }
            compared += 1;
            assert!(
                (counts - counted - energy).abs() < 0.003,
                "{inverter} at {after}: {energy} Wh, and the counter went from {counted} to {counts}"
            );
        }
    }
    assert!(
        compared >= 2 * INVERTERS && 2 * compared > reports,
        "{compared} of {reports} follow one another"
    );
}

/// A column of the inverters' readings that is known.
fn column(file: &Path, column: &str) -> Series {
    let mut values = Series::new();
    let Ok(database) = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY) else {
        return values;
    };
    let query = format!(
        "SELECT serial, reported_at, CAST({column} AS REAL) FROM inverter_reading WHERE {column} IS NOT NULL \
         ORDER BY reported_at"
    );
    let Ok(mut statement) = database.prepare(&query) else {
        return values;
    };
    let rows = statement.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))));
    for row in rows.expect("a query without parameters") {
        let (serial, value): (String, (i64, f64)) = row.expect("a row");
        values.entry(serial).or_default().push(value);
    }
    values
}
