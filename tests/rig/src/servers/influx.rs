//! `InfluxDB` 2, with a bucket of its own for each test.

use influxdb2::api::authorizations::CreateAuthorizationRequest;
use influxdb2::api::buckets::ListBucketsRequest;
use influxdb2::api::organization::ListOrganizationRequest;
use influxdb2::api::query::FluxRecord;
use influxdb2::models::permission::Action;
use influxdb2::models::resource::Type;
use influxdb2::models::{Permission, PostBucketRequest, Query, Resource};

use std::collections::BTreeMap;
use std::time::Duration;

use super::container::Container;
use super::{STARTUP, random_secret, record_run, skip};
use crate::wait;

const IMAGE: (&str, &str) = ("influxdb", "2.7");
const PORT: u16 = 8086;

/// How long a point may have one of its fields only.
const HALF_A_POINT: Duration = Duration::from_secs(10);

/// The organisation in a container of ours.
const ORGANISATION: &str = "rig";

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

/// What a token may do with a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Read its points.
    Read,
    /// Write points to it.
    Write,
}

/// A running `InfluxDB`.
pub struct Influx {
    url: String,
    token: String,
    org: String,
    own: Option<Container>,
}

impl Influx {
    /// Starts, or finds, an `InfluxDB`. `None` when there is none for this test.
    ///
    /// # Panics
    ///
    /// When one that is there can't be used, and where a skip is a failure.
    pub async fn start(test: &str) -> Option<Self> {
        let Ok(url) = std::env::var("TEST_INFLUX_URL") else {
            return Self::start_own(test).await;
        };
        let needed = |name: &str| {
            std::env::var(name).unwrap_or_else(|_| panic!("TEST_INFLUX_URL needs {name}, too"))
        };
        let given = Self {
            url: url.trim_end_matches('/').to_owned(),
            token: needed("TEST_INFLUX_TOKEN"),
            org: needed("TEST_INFLUX_ORG"),
            own: None,
        };
        given.wait_until_up().await;
        record_run(test);
        Some(given)
    }

    /// Starts an `InfluxDB` that belongs to this test alone, which it may kill.
    ///
    /// # Panics
    ///
    /// When it does not come up in time, and where a skip is a failure.
    pub async fn start_own(test: &str) -> Option<Self> {
        let (password, token) = (random_secret(), random_secret());
        let environment = [
            ("DOCKER_INFLUXDB_INIT_MODE", "setup"),
            ("DOCKER_INFLUXDB_INIT_USERNAME", "rig"),
            ("DOCKER_INFLUXDB_INIT_PASSWORD", &password),
            ("DOCKER_INFLUXDB_INIT_ORG", ORGANISATION),
            ("DOCKER_INFLUXDB_INIT_BUCKET", "first"),
            ("DOCKER_INFLUXDB_INIT_ADMIN_TOKEN", &token),
        ];
        let container = match Container::start(&IMAGE, &[PORT], &environment, &[]).await {
            Ok(container) => container,
            Err(reason) => return skip(test, "InfluxDB", &reason),
        };
        let own = Self {
            url: format!("http://{}:{}", container.host(), container.port(PORT)),
            token,
            org: ORGANISATION.to_owned(),
            own: Some(container),
        };
        own.wait_until_up().await;
        record_run(test);
        Some(own)
    }

    /// The base URL, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A token that may do everything.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The organisation's name.
    #[must_use]
    pub fn org(&self) -> &str {
        &self.org
    }

    /// Makes an empty bucket that keeps points for ever, and returns its name.
    ///
    /// # Panics
    ///
    /// When the server does not make it.
    pub async fn new_bucket(&self) -> String {
        let name = format!("test-{}", random_secret());
        let organisation = self
            .organisation_id()
            .await
            .expect("the organisation exists");
        self.client()
            .create_bucket(Some(PostBucketRequest::new(organisation, name.clone())))
            .await
            .expect("the token may make a bucket");
        name
    }

    /// Makes a token that may do this with `bucket`, and nothing else.
    ///
    /// # Panics
    ///
    /// When the server does not make it.
    pub async fn new_token(&self, bucket: &str, rights: &[Right]) -> String {
        let request = ListBucketsRequest {
            name: Some(bucket.to_owned()),
            ..ListBucketsRequest::default()
        };
        let found = self.client().list_buckets(Some(request)).await;
        let [bucket] = &found.expect("buckets are listed").buckets[..] else {
            panic!("not one bucket {bucket}");
        };
        let permission = |right: &Right| {
            let action = match right {
                Right::Read => Action::Read,
                Right::Write => Action::Write,
            };
            let resource = Resource {
                id: bucket.id.clone(),
                org_id: bucket.org_id.clone(),
                ..Resource::new(Type::Buckets)
            };
            Permission::new(action, resource)
        };
        let request = CreateAuthorizationRequest {
            org_id: bucket
                .org_id
                .clone()
                .expect("a bucket is of an organisation"),
            permissions: rights.iter().map(permission).collect(),
            ..CreateAuthorizationRequest::default()
        };
        let made = self.client().create_authorization(request).await;
        made.expect("the token may make another")
            .token
            .expect("a new token is shown")
    }

    /// All points of `inverterPower` in `bucket`, sorted by Envoy, inverter and time.
    ///
    /// # Panics
    ///
    /// When the query fails, or a point has a field of another name or type than the two integers.
    pub async fn points(&self, bucket: &str) -> Vec<Point> {
        let query = format!(
            r#"from(bucket: "{bucket}")
                |> range(start: 0, stop: 2262-01-01T00:00:00Z)
                |> filter(fn: (r) => r._measurement == "inverterPower")
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

    /// Kills the database with -9; its disk stays as it is.
    ///
    /// # Panics
    ///
    /// For a database that was given by the environment, as all that follow.
    pub async fn kill(&self) {
        self.own().kill().await;
    }

    /// Starts it again after [`kill`](Self::kill), on the same port.
    pub async fn start_again(&self) {
        self.own().start_again().await;
        self.wait_until_up().await;
    }

    fn own(&self) -> &Container {
        self.own
            .as_ref()
            .expect("a given database is not ours to stop: use start_own")
    }

    fn client(&self) -> influxdb2::Client {
        influxdb2::Client::new(&self.url, &self.org, &self.token)
    }

    async fn wait_until_up(&self) {
        wait::until("InfluxDB to know its organisation", STARTUP, async || {
            self.organisation_id().await
        })
        .await;
    }

    async fn organisation_id(&self) -> Option<String> {
        let request = ListOrganizationRequest {
            org: Some(self.org.clone()),
            ..ListOrganizationRequest::default()
        };
        let found = self.client().list_organizations(request).await.ok()?;
        found.orgs.into_iter().find_map(|each| each.id)
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
