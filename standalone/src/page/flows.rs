//! What a home makes, uses, exchanges and stores, as far as its gateway measures it. What is not measured is left
//! out: nothing here is worked out from the inverters.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde_json::{Map, Value, json};
use store::Counter;
use wire::{Kind, Measured, Serial};

use super::Shared;
use super::api::{Asked, Refusal, answer};
use super::live::Chain;
use super::series::{Range, rounded};

/// A reading that is older than this, in seconds, says nothing of now: one is taken each quarter of an hour at least.
const CURRENT_S: i64 = 30 * 60;

/// The kinds, and the key of the powers of each.
const POWERS: [(Kind, &str); 4] = [
    (Kind::Production, "production_w"),
    (Kind::Consumption, "consumption_w"),
    (Kind::Net, "net_w"),
    (Kind::Battery, "battery_w"),
];

/// The counters, and the key of what each counted.
const COUNTERS: [(Counter, &str); 3] = [
    (Counter::Consumed, "consumed_wh"),
    (Counter::Imported, "imported_wh"),
    (Counter::Exported, "exported_wh"),
];

/// The kind of a reading, where it is one of those that are shown here.
pub(super) fn shown(measured: &Measured) -> Option<&'static str> {
    let kind = measured.kind();
    let mut shown = POWERS.iter();
    shown.find(|(one, _)| *one == kind).map(|_| kind.as_str())
}

/// What was measured last, by its kind, each reading as its topic has it but for its place in the journal, and whether
/// it says what is so now. `now` is in Unix seconds, by our clock.
pub(super) async fn newest(shared: &Shared, now: i64) -> Result<Value, Refusal> {
    let now = now + shared.live.clock_skew_s();
    let chain = shared.live.chain();
    let mut kinds = Map::new();
    for (kind, _) in POWERS {
        let newest = shared.store.newest(kind).await?;
        let readings = newest
            .iter()
            .map(|(envoy, measured)| entry(envoy, measured, now, &chain));
        let readings: Vec<Value> = readings.collect();
        if !readings.is_empty() {
            kinds.insert(kind.as_str().to_owned(), readings.into());
        }
    }
    Ok(kinds.into())
}

fn entry(envoy: &Serial, measured: &Measured, now: i64, chain: &Chain) -> Value {
    let mut entry = match measured {
        Measured::Production(flow) | Measured::Consumption(flow) => json!(flow),
        Measured::Net(net) => json!(net),
        Measured::Battery(battery) => json!(battery),
        Measured::Inverter(_) | Measured::Site(_) | Measured::Meter(_) => json!({}),
    };
    entry["envoy"] = json!(envoy);
    let is_new = measured.at().unix_seconds() + CURRENT_S >= now;
    entry["current"] = json!(is_new && !chain.is_stale(&measured.subject().to_string()));
    entry
}

/// `GET /api/v1/flows?from=&until=&step=`
pub(super) async fn flows(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let range = Range::asked(&Asked::new(query, &Range::PARAMETERS)?)?;
    let mut series = Map::new();
    series.insert("from".to_owned(), json!(range.from));
    series.insert("until".to_owned(), json!(range.until));
    series.insert("step_s".to_owned(), json!(range.step));
    for (kind, key) in POWERS {
        let powers = shared.store.powers(kind, range.edges()).await?;
        if powers.iter().any(Option::is_some) {
            let powers: Vec<_> = powers.into_iter().map(|power| power.map(rounded)).collect();
            series.insert(key.to_owned(), json!(powers));
        }
    }
    Ok(answer(&Value::Object(series)))
}

/// What was counted in each period of so many spans, by the keys of an answer, in whole watt-hours; a counter that
/// was not there is left out. The spans are the `edges.len() - 1` between these, in Unix seconds.
pub(super) async fn counted(
    shared: &Shared,
    edges: &[i64],
    spans: usize,
) -> Result<Vec<Vec<(&'static str, i64)>>, Refusal> {
    let mut periods = vec![Vec::new(); (edges.len() - 1) / spans];
    for (counter, key) in COUNTERS {
        let counted = shared.store.counted(counter, edges.to_vec()).await?;
        for (period, parts) in periods.iter_mut().zip(counted.chunks(spans)) {
            let known = parts.iter().copied().flatten();
            let sum = known.reduce(|sum, part| sum + part);
            period.extend(sum.map(|wh| (key, rounded(wh))));
        }
    }
    Ok(periods)
}
