//! What the tokens of the cloud say, and how long they are good.

use super::*;

#[tokio::test]
async fn role_and_lifetime_of_tokens_are_options_and_can_be_changed() {
    let simulator = start(CloudOptions {
        role: Role::Installer,
        ..CloudOptions::default()
    })
    .await;
    let session = session(&simulator).await;
    let next = async || {
        token(&simulator, &session, SERIAL)
            .await
            .text()
            .await
            .unwrap()
    };
    let installers = next().await;
    assert_eq!(claims(&installers)["enphaseUser"], "installer");
    assert_eq!(lifetime_s(&installers), 43_200);
    simulator
        .switch_cloud(CloudSwitch::Lifetime(Some(Duration::from_hours(1))))
        .unwrap();
    assert_eq!(lifetime_s(&next().await), 3_600);
    for switch in ["role owner", "lifetime default"] {
        simulator.switch_cloud(switch.parse().unwrap()).unwrap();
    }
    let owners = next().await;
    assert_eq!(lifetime_s(&owners), 31_536_000);

    // Only the stream of the meters takes an installer; there are no meters here.
    for (token, status) in [(owners, 401), (installers, 404)] {
        let answer = ask(&simulator, "/stream/meter", format!("Bearer {token}")).await;
        assert_eq!(answer.status(), status);
        lets_in(&simulator, &token).await;
    }
}

#[tokio::test]
async fn tokens_expire_by_the_gateways_clock() {
    // An hour passes in a second.
    let simulator = Simulator::start(Options {
        source: Source::Site(SiteOptions {
            speed: 3_600,
            ..SiteOptions::default()
        }),
        cloud: Some(CloudOptions {
            token_lifetime: Some(Duration::from_hours(2)),
            ..CloudOptions::default()
        }),
        ..Options::default()
    })
    .await
    .unwrap();
    let token = token(&simulator, &session(&simulator).await, SERIAL).await;
    let token = token.text().await.unwrap();
    lets_in(&simulator, &token).await;
    let expired = async {
        let bearer = || format!("Bearer {token}");
        while ask(&simulator, INVERTERS, bearer()).await.status() == 200 {}
    };
    let deadline = Duration::from_secs(30);
    tokio::time::timeout(deadline, expired).await.unwrap();
}
