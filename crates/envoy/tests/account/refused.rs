//! No token is to be had, or none that the Envoy takes.

use envoy::{CloudError, Credentials, Error, StateFiles};
use jiff::SignedDuration;
use simulator::{CloudOptions, Fault};

use crate::{Home, reason};

#[tokio::test]
async fn an_account_that_gets_no_token_is_told_why_and_the_cloud_is_left_alone() {
    for (switch, expected) in [
        ("mfa on", "second factor"),
        ("blocked on", "turns this account away"),
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
        home.switch("blocked off");
        home.switch("down off");
        home.switch(&format!("password {}", CloudOptions::PASSWORD));
        // The longest of their first pauses is an hour, and up to a quarter more.
        home.pass(SignedDuration::from_mins(80));
        gateway.inverters().await.unwrap();
    }
}

#[tokio::test]
async fn what_enlighten_said_is_told_where_the_form_gives_no_token_either() {
    for nowhere in [true, false] {
        let home = Home::new().await;
        home.switch("too-many-sessions everywhere");
        let mut account = home.account();
        if nowhere {
            account.entrez = "http://127.0.0.1:9".parse().unwrap();
        }
        let said = reason(&mut home.gateway_of(account)).await;
        assert!(said.contains("too many sessions"), "{nowhere}: {said}");
    }
}

#[tokio::test]
async fn a_look_that_came_no_further_than_a_closed_port_made_no_login() {
    let home = Home::new().await;
    let files = || StateFiles::as_found_in(home.state.path());
    let nowhere = "http://127.0.0.1:9";
    let mut account = home.account();
    account.enlighten = nowhere.parse().unwrap();
    let mut look = home.gateway_with(account, files());
    reason(&mut look).await;
    assert!(!look.asked_the_cloud());
    // It made one where only Entrez is not there.
    let mut account = home.account();
    account.entrez = nowhere.parse().unwrap();
    let mut look = home.gateway_with(account, files());
    reason(&mut look).await;
    assert!(look.asked_the_cloud());
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
async fn a_restart_makes_no_login_while_the_cloud_is_to_be_left_alone() {
    let home = Home::new().await;
    home.switch("mfa on");
    let said = reason(&mut home.gateway()).await;
    assert!(said.contains("second factor"), "{said}");
    for _ in 0..3 {
        let error = home.gateway().inverters().await.unwrap_err();
        assert!(
            matches!(error, Error::Credentials(Credentials::NotFetchedYet { .. })),
            "{error:?}"
        );
    }
    assert_eq!(home.logins(), 1);
    // A person who asks is answered.
    let files = StateFiles::as_found_in(home.state.path());
    let mut look = home.gateway_with(home.account(), files);
    let said = reason(&mut look).await;
    assert!(said.contains("second factor"), "{said}");
    assert!(look.asked_the_cloud());
    assert_eq!(home.logins(), 2);

    home.switch("mfa off");
    home.pass(SignedDuration::from_mins(20));
    home.gateway().inverters().await.unwrap();
    assert_eq!(home.logins(), 3);
}

#[tokio::test]
async fn a_fetched_token_that_the_envoy_refuses_is_said_to_be_the_account_s() {
    let home = Home::new().await;
    home.simulator.inject(Fault::Unauthorized.into());
    let error = home.gateway().inverters().await.unwrap_err();
    let Error::Credentials(credentials) = &error else {
        panic!("{error:?}");
    };
    assert!(
        matches!(credentials, Credentials::FetchedTokenRejected { .. }),
        "{error:?}"
    );
    assert!(credentials.were_refused());
    let said = error.to_string();
    assert!(said.contains("fetched") && said.contains("owner"), "{said}");
}
