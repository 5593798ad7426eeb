//! An account's token, from a simulated cloud for a simulated Envoy.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use envoy::{
    Account, Clock, CloudError, Credentials, Error, Gateway, Settings, StateFiles, TokenSource,
};
use jiff::{SignedDuration, Timestamp};
use simulator::{CloudOptions, CloudSwitch, Fault, Options, Simulator};
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
    }
}

#[tokio::test]
async fn a_token_is_renewed_before_it_expires_while_polls_go_on() {
    let home = Home::new().await;
    home.switch("lifetime 12h");
    let mut gateway = home.gateway();
    gateway.inverters().await.unwrap();
    let first = home.kept();
    home.pass(SignedDuration::from_mins(10 * 60 + 59));
    gateway.inverters().await.unwrap();
    assert_eq!(home.logins(), 1, "more than an hour of twelve is left");

    home.pass(SignedDuration::from_mins(1));
    let renewed = async {
        while home.kept() == first {
            gateway.inverters().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(20), renewed)
        .await
        .unwrap();
    assert_eq!(home.logins(), 2);
}

#[tokio::test]
async fn the_old_token_is_used_until_its_end_while_the_cloud_is_down_and_the_cloud_is_seldom_asked()
{
    let home = Home::new().await;
    home.switch("lifetime 12h");
    let mut gateway = home.gateway();
    gateway.inverters().await.unwrap();
    home.switch("down on");
    home.pass(SignedDuration::from_hours(11));
    for minute in 1..60 {
        gateway.inverters().await.unwrap();
        let attempt = async {
            // The attempts after 1, 2, 4 … minutes and a bit, of which each is one request.
            while minute == 1 && home.logins() < 2 {
                gateway.inverters().await.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(20), attempt)
            .await
            .unwrap();
        home.pass(SignedDuration::from_mins(1));
    }
    assert!((3..=7).contains(&home.logins()), "{}", home.logins());
}

#[tokio::test]
async fn an_account_that_gets_no_token_is_told_why_and_the_cloud_is_left_alone() {
    for (switch, expected) in [
        ("mfa on", "second factor"),
        ("password another", "does not let this account in"),
        ("down on", "out of order"),
    ] {
        let home = Home::new().await;
        home.switch(switch);
        let mut gateway = home.gateway();
        for _ in 0..5 {
            let said = reason(&mut gateway).await;
            assert!(said.contains(expected), "{switch}: {said}");
        }
        assert_eq!(home.logins(), 1, "{switch}");
        home.switch("mfa off");
        home.switch("down off");
        home.switch(&format!("password {}", CloudOptions::PASSWORD));
        home.pass(SignedDuration::from_mins(20));
        gateway.inverters().await.unwrap();
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

#[tokio::test]
async fn a_cloud_that_is_not_there_is_named() {
    let home = Home::new().await;
    let mut account = home.account();
    account.enlighten = "http://127.0.0.1:9".parse().unwrap();
    let said = reason(&mut home.gateway_of(account)).await;
    assert!(
        said.contains("http://127.0.0.1:9 can't be reached"),
        "{said}"
    );
}

#[tokio::test]
async fn an_envoy_that_is_not_the_account_s_is_named() {
    let home = Home::new().await;
    let error = home
        .account()
        .fetch_token("999999999999")
        .await
        .unwrap_err();
    assert!(matches!(error, CloudError::NotYours { .. }), "{error:?}");
    let said = error.to_string();
    assert!(said.contains("999999999999"), "{said}");
}

#[tokio::test]
async fn the_cloud_is_asked_ever_more_rarely_while_the_envoy_refuses_each_token() {
    let home = Home::new().await;
    let mut gateway = home.gateway();
    gateway.inverters().await.unwrap();
    home.pass(SignedDuration::from_hours(24));
    home.simulator.inject(Fault::Unauthorized.into());
    let before = home.logins();
    for _ in 0..24 * 12 {
        gateway.inverters().await.unwrap_err();
        home.pass(SignedDuration::from_mins(5));
    }
    let logins = home.logins() - before;
    assert!((2..=8).contains(&logins), "{logins}");
    home.simulator.heal();
    gateway.inverters().await.unwrap();
}

#[tokio::test]
async fn an_envoy_that_refuses_is_known_to_refuse_also_where_no_other_token_can_be_had() {
    let home = Home::new().await;
    let mut gateway = home.gateway();
    gateway.inverters().await.unwrap();
    home.switch("down on");
    home.simulator.inject(Fault::Unauthorized.into());
    for _ in 0..3 {
        match gateway.inverters().await.unwrap_err() {
            Error::Credentials(credentials) => assert!(credentials.were_refused()),
            other => panic!("{other:?}"),
        }
        home.pass(SignedDuration::from_hours(1));
    }
}

#[tokio::test]
async fn who_only_looks_renews_nothing() {
    let home = Home::new().await;
    home.switch("lifetime 12h");
    home.gateway().inverters().await.unwrap();
    home.pass(SignedDuration::from_hours(11));
    let mut look = home.gateway_with(home.account(), StateFiles::as_found_in(home.state.path()));
    for _ in 0..3 {
        look.inverters().await.unwrap();
    }
    // One that goes on does it, and is the first.
    assert_eq!(home.logins(), 1);
    let mut gateway = home.gateway();
    let renewed = async {
        while home.logins() == 1 {
            gateway.inverters().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(20), renewed)
        .await
        .unwrap();
}
