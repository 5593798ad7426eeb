//! `InfluxDB` 2, with a bucket of its own for each test.

mod points;

use influxdb2::api::authorizations::CreateAuthorizationRequest;
use influxdb2::api::buckets::ListBucketsRequest;
use influxdb2::api::organization::ListOrganizationRequest;
use influxdb2::models::permission::Action;
use influxdb2::models::resource::Type;
use influxdb2::models::{Permission, PostBucketRequest, Resource};

use super::container::Container;
use super::{STARTUP, random_secret, record_run, skip};
use crate::wait;

pub use points::Point;

const IMAGE: (&str, &str) = ("influxdb", "2.7");
const PORT: u16 = 8086;

/// The organisation in a container of ours.
const ORGANISATION: &str = "rig";

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

    /// Stops it where it is: it neither answers nor ends.
    pub async fn pause(&self) {
        self.own().pause().await;
    }

    /// Lets it go on.
    pub async fn unpause(&self) {
        self.own().unpause().await;
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
