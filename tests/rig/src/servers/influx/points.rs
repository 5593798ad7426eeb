//! The points that a bucket holds.

use std::collections::BTreeMap;
use std::time::Duration;

use influxdb2::api::query::FluxRecord;
use influxdb2::models::Query;

use super::Influx;
use crate::wait;

/// How long a point may have one of its fields only.
const HALF_A_POINT: Duration = Duration::from_secs(10);

/// One stored report of an inverter: a point of the measurement `inverterPower`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// The tag `envoySerial`.
    pub envoy: String,
    /// The tag `serial`.
    pub inverter: String,
    /// The point's time, in seconds since 1970.
    pub reported_at: i64,
    /// The tag `type`, where there is one.
    pub device_type: Option<String>,
    /// The field `power`, in watts.
    pub power: i64,
    /// The field `maxPower`, in watts.
    pub max_power: i64,
}

impl Influx {
    /// All points of `inverterPower` in `bucket`, sorted by Envoy, inverter and time, without what some Envoys say
    /// beyond power.
    ///
    /// # Panics
    ///
    /// When the query fails, or a point has one of the two fields with another type than an integer.
    pub async fn points(&self, bucket: &str) -> Vec<Point> {
        let query = format!(
            r#"from(bucket: "{bucket}")
                |> range(start: 0, stop: 2262-01-01T00:00:00Z)
                |> filter(fn: (r) => r._measurement == "inverterPower")
                |> filter(fn: (r) => r._field == "power" or r._field == "maxPower")
                |> map(fn: (r) => ({{ r with nanoseconds: int(v: r._time) }}))"#
        );
        // Fields are stored one after the other, so a query during a write may see half a point.
        wait::until("points with both fields", HALF_A_POINT, async || {
            let records = self
                .client()
                .query_raw(Some(Query::new(query.clone())))
                .await
                .expect("the bucket can be read");
            points_of(&records)
        })
        .await
    }

    /// A field of `inverterPower` that is a float: by inverter, the values in the order of their times, which are
    /// seconds since 1970.
    ///
    /// # Panics
    ///
    /// When the query fails, or a value is no float.
    pub async fn floats(&self, bucket: &str, field: &str) -> BTreeMap<String, Vec<(i64, f64)>> {
        let query = format!(
            r#"from(bucket: "{bucket}")
                |> range(start: 0, stop: 2262-01-01T00:00:00Z)
                |> filter(fn: (r) => r._measurement == "inverterPower" and r._field == "{field}")
                |> map(fn: (r) => ({{ r with seconds: int(v: r._time) / 1000000000 }}))"#
        );
        let records = self.client().query_raw(Some(Query::new(query))).await;
        let mut values: BTreeMap<String, Vec<(i64, f64)>> = BTreeMap::new();
        for record in records.expect("the bucket can be read") {
            let value = |column: &str| record.values.get(column).expect("a column of the query");
            let serial = value("serial").string().expect("a tag");
            let seconds = value("seconds").i64().expect("an integer");
            let float = value("_value").f64().expect("a float");
            values.entry(serial).or_default().push((seconds, float));
        }
        for of_one in values.values_mut() {
            of_one.sort_unstable_by_key(|(seconds, _)| *seconds);
        }
        values
    }

    /// Deletes all points of `bucket`.
    ///
    /// # Panics
    ///
    /// When the server does not do it.
    pub async fn empty(&self, bucket: &str) {
        // The first one wins, and all are the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let answer = reqwest::Client::new()
            .post(format!(
                "{}/api/v2/delete?org={}&bucket={bucket}",
                self.url, self.org
            ))
            .header("Authorization", format!("Token {}", self.token))
            .body(r#"{"start":"1970-01-01T00:00:00Z","stop":"2262-01-01T00:00:00Z"}"#)
            .send()
            .await
            .expect("the server answers");
        assert!(answer.status().is_success(), "{}", answer.status());
    }
}

/// Joins the records, each of which has one field of one point. `None` while one lacks a field.
fn points_of(records: &[FluxRecord]) -> Option<Vec<Point>> {
    let mut fields: BTreeMap<_, BTreeMap<String, i64>> = BTreeMap::new();
    for record in records {
        let text = |column: &str| -> Option<String> { record.values.get(column)?.string() };
        let integer = |column: &str| -> Option<i64> { record.values.get(column)?.i64() };
        let whole = || format!("{:?}", record.values);
        let nanoseconds = integer("nanoseconds").unwrap_or_else(|| panic!("no time: {}", whole()));
        assert_eq!(
            nanoseconds % 1_000_000_000,
            0,
            "not whole seconds: {}",
            whole()
        );
        let key = (
            text("envoySerial").unwrap_or_else(|| panic!("no envoySerial: {}", whole())),
            text("serial").unwrap_or_else(|| panic!("no serial: {}", whole())),
            nanoseconds / 1_000_000_000,
            // A table that holds both kinds of points has an empty text where there is no tag.
            text("type").filter(|device_type| !device_type.is_empty()),
        );
        let field = text("_field").unwrap_or_else(|| panic!("no field: {}", whole()));
        let value = integer("_value").unwrap_or_else(|| panic!("no integer: {}", whole()));
        fields.entry(key).or_default().insert(field, value);
    }
    fields
        .into_iter()
        .map(|((envoy, inverter, reported_at, device_type), fields)| {
            let expected = ["maxPower", "power"];
            assert!(
                fields.keys().all(|name| expected.contains(&name.as_str())),
                "fields {fields:?} instead of {expected:?} for {inverter} at {reported_at}"
            );
            Some(Point {
                power: *fields.get("power")?,
                max_power: *fields.get("maxPower")?,
                envoy,
                inverter,
                reported_at,
                device_type,
            })
        })
        .collect()
}
