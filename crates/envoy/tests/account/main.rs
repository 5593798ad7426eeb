//! An account's token, from a simulated cloud for a simulated Envoy.
#![allow(clippy::unwrap_used)]

mod refused;
mod renewal;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use envoy::{Account, Clock, Credentials, Error, Gateway, Settings, StateFiles, TokenSource};
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use simulator::{CloudOptions, CloudSwitch, Options, Simulator};
use tempfile::TempDir;

const SERIAL: &str = "122012345678";

/// An Envoy, its owner's account, and a clock that can be moved.
struct Home {
    simulator: Simulator,
    state: TempDir,
    ahead_s: Arc<AtomicI64>,
}

impl Home {
    async fn new() -> Self {
        let simulator = Simulator::start(Options {
            cloud: Some(CloudOptions::default()),
            note_requests: true,
            ..Options::default()
        });
        Self {
            simulator: simulator.await.unwrap(),
            state: tempfile::tempdir().unwrap(),
            ahead_s: Arc::default(),
        }
    }

    fn account(&self) -> Account {
        let cloud = self.simulator.cloud_url().unwrap();
        Account {
            username: CloudOptions::USERNAME.to_owned(),
            password: CloudOptions::PASSWORD.into(),
            enlighten: cloud.parse().unwrap(),
            entrez: cloud.parse().unwrap(),
        }
    }

    fn gateway(&self) -> Gateway {
        self.gateway_of(self.account())
    }

    fn gateway_of(&self, account: Account) -> Gateway {
        self.gateway_with(account, StateFiles::inside(self.state.path()))
    }

    fn gateway_with(&self, account: Account, files: StateFiles) -> Gateway {
        let ahead_s = Arc::clone(&self.ahead_s);
        let clock = Clock::new(move || {
            Timestamp::now() + SignedDuration::from_secs(ahead_s.load(Ordering::Relaxed))
        });
        let mut settings = Settings::new(self.simulator.url().parse().unwrap());
        settings.token = Some(TokenSource::account(account, files.clone(), clock.clone()));
        settings.files = files;
        settings.clock = clock;
        Gateway::new(settings)
    }

    fn pass(&self, time: SignedDuration) {
        self.ahead_s.fetch_add(time.as_secs(), Ordering::Relaxed);
    }

    /// In Unix seconds.
    fn now(&self) -> i64 {
        Timestamp::now().as_second() + self.ahead_s.load(Ordering::Relaxed)
    }

    /// When the cloud may be asked again, as it is kept for the next process.
    fn next_attempt_at(&self) -> i64 {
        let path = self.state.path().join(format!("token-attempts-{SERIAL}"));
        let saved = fs::read_to_string(path).unwrap();
        saved.split_whitespace().next().unwrap().parse().unwrap()
    }

    fn switch(&self, switch: &str) {
        let switch: CloudSwitch = switch.parse().unwrap();
        self.simulator.switch_cloud(switch).unwrap();
    }

    /// How often the cloud was asked to let somebody in.
    fn logins(&self) -> usize {
        let requests = self.simulator.cloud_requests().unwrap();
        let logins = requests
            .iter()
            .filter(|request| request.path.contains("login"));
        logins.count()
    }

    fn kept(&self) -> String {
        fs::read_to_string(self.state.path().join(format!("token-{SERIAL}"))).unwrap()
    }
}

/// What stands in the way of a token.
async fn reason(gateway: &mut Gateway) -> String {
    match gateway.inverters().await.unwrap_err() {
        Error::Credentials(Credentials::NotFetched { reason, .. }) => reason.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_token_is_fetched_once_and_kept_for_the_next_process() {
    let home = Home::new().await;
    for _ in 0..3 {
        let mut gateway = home.gateway();
        for _ in 0..3 {
            assert_eq!(gateway.inverters().await.unwrap().refused.len(), 0);
        }
        let left = gateway.token_expires_at().unwrap() - Timestamp::now().as_second();
        assert!((31_535_000..=31_536_000).contains(&left), "{left}");
        assert!(gateway.token_renews());
        let shown = format!("{gateway:?}");
        assert!(
            !shown.contains("eyJ") && !shown.contains(CloudOptions::PASSWORD),
            "{shown}"
        );
    }
    assert_eq!(home.logins(), 1);
}

#[tokio::test]
async fn what_is_damaged_or_another_envoy_s_is_fetched_anew() {
    // Claims: {"aud":"999999999999"}.
    let another = "eyJh.eyJhdWQiOiI5OTk5OTk5OTk5OTkifQ.c2ln";
    for (kept, logins) in [("", 1), ("eyJh.eyJh.c2ln", 1), (another, 1)] {
        let home = Home::new().await;
        fs::write(home.state.path().join(format!("token-{SERIAL}")), kept).unwrap();
        home.gateway().inverters().await.unwrap();
        assert_eq!(home.logins(), logins);
        let shown = home.simulator.take_requests();
        let shown = shown
            .iter()
            .filter_map(|request| request.authorization.as_ref());
        let mut shown = shown.map(|shown| shown.expose_secret().to_owned());
        let kept = format!("Bearer {kept}");
        assert!(shown.all(|shown| shown != kept), "the Envoy was shown it");
    }
}

#[tokio::test]
async fn the_form_for_people_gives_a_token_where_there_are_too_many_sessions() {
    let home = Home::new().await;
    home.switch("too-many-sessions on");
    home.gateway().inverters().await.unwrap();
    let requests = home.simulator.cloud_requests().unwrap();
    let paths: Vec<&str> = requests.iter().map(|request| &*request.path).collect();
    assert_eq!(paths, ["/login/login.json", "/login", "/entrez_tokens"]);
}
