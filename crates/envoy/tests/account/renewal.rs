//! Ahead of its expiry, and not before the new one is taken.

use std::time::Duration;

use envoy::StateFiles;
use jiff::SignedDuration;
use simulator::Fault;

use crate::Home;

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
    for _ in 1..60 {
        // The attempts after 1, 2, 4 … minutes and a bit, of which each is one request.
        let attempt = async {
            while home.next_attempt_at() <= home.now() {
                gateway.inverters().await.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(20), attempt)
            .await
            .unwrap();
        gateway.inverters().await.unwrap();
        home.pass(SignedDuration::from_mins(1));
    }
    assert!((3..=7).contains(&home.logins()), "{}", home.logins());
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
    assert!(!look.asked_the_cloud());
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

#[tokio::test]
async fn a_new_token_replaces_the_kept_one_only_once_the_envoy_has_taken_it() {
    let home = Home::new().await;
    home.switch("lifetime 12h");
    let mut gateway = home.gateway();
    gateway.inverters().await.unwrap();
    let first = home.kept();
    home.pass(SignedDuration::from_hours(1));
    home.simulator.inject(Fault::Unauthorized.into());
    gateway.inverters().await.unwrap_err();
    assert_eq!(home.logins(), 2, "another one was fetched");
    assert_eq!(home.kept(), first);

    home.simulator.heal();
    home.gateway().inverters().await.unwrap();
    assert_eq!(
        home.kept(),
        first,
        "a restart begins with the one that worked"
    );
    // One after the other, where none was taken.
    for _ in 0..2 {
        gateway.inverters().await.unwrap();
    }
    assert_ne!(home.kept(), first);
    assert_eq!(home.logins(), 2);
}
