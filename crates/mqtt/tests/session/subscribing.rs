//! Subscriptions and the broker's answer.

use std::pin::pin;

use futures_util::FutureExt;
use mqtt::{Gone, SubscribeError};
use rumqttc::{QoS, SubscribeReasonCode as Code};

use crate::{Rig, message};
use scripted::within;

#[tokio::test]
async fn a_subscription_waits_for_its_suback() {
    let mut rig = Rig::new().await;
    let connection = rig.connection.clone();
    let mut subscribed = pin!(connection.subscribe(["a/+", "b/#"]));
    assert!(subscribed.as_mut().now_or_never().is_none());
    // A publish in between has its own identifier.
    let receipt = connection.publish(message(1)).await.unwrap();
    let subscribe = rig.peer.subscribe().await;
    let filters: Vec<_> = subscribe
        .filters
        .iter()
        .map(|f| (f.path.as_str(), f.qos))
        .collect();
    assert_eq!(
        filters,
        [("a/+", QoS::AtLeastOnce), ("b/#", QoS::AtLeastOnce)]
    );
    let publish = rig.peer.publish().await;
    assert_ne!(publish.pkid, subscribe.pkid);

    rig.peer.acknowledge(publish.pkid).await;
    within(receipt).await.unwrap();
    assert!(subscribed.as_mut().now_or_never().is_none());
    let granted = vec![Code::Success(QoS::AtLeastOnce); 2];
    rig.peer.grant(subscribe.pkid, granted).await;
    assert_eq!(within(subscribed).await, Ok(()));
}

#[tokio::test]
async fn a_filter_that_the_broker_refuses_or_weakens_is_named() {
    let at_least_once = Code::Success(QoS::AtLeastOnce);
    let at_most_once = Code::Success(QoS::AtMostOnce);
    for (codes, expected) in [
        (
            vec![at_least_once, Code::Failure],
            SubscribeError::Refused(vec!["b".into()]),
        ),
        (
            vec![at_most_once, at_least_once],
            SubscribeError::Downgraded(vec!["a".into()]),
        ),
        (
            vec![at_least_once],
            SubscribeError::Refused(vec!["a".into(), "b".into()]),
        ),
    ] {
        let mut rig = Rig::new().await;
        let connection = rig.connection.clone();
        let (outcome, ()) = tokio::join!(connection.subscribe(["a", "b"]), async {
            let packet = rig.peer.subscribe().await.pkid;
            rig.peer.grant(packet, codes).await;
        });
        assert_eq!(outcome, Err(expected));
    }
}

#[tokio::test]
async fn what_is_overheard_is_asked_for_at_most_once() {
    let mut rig = Rig::new().await;
    let connection = rig.connection.clone();
    let (outcome, ()) = tokio::join!(connection.overhear(["a"]), async {
        let subscribe = rig.peer.subscribe().await;
        assert_eq!(subscribe.filters[0].qos, QoS::AtMostOnce);
        let granted = vec![Code::Success(QoS::AtMostOnce)];
        rig.peer.grant(subscribe.pkid, granted).await;
    });
    assert_eq!(outcome, Ok(()));
}

#[tokio::test]
async fn what_is_no_filter_is_not_sent() {
    let mut rig = Rig::new().await;
    for filter in ["", "a/#/b", "a+", "a\0"] {
        let outcome = rig.connection.subscribe([filter]).await;
        assert_eq!(outcome, Err(SubscribeError::Invalid(filter.into())));
    }
    assert_eq!(rig.connection.subscribe([""; 0]).await, Ok(()));
    let _receipt = rig
        .connection
        .publish(message("the connection lives"))
        .await
        .unwrap();
    rig.peer.publish().await;
}

#[tokio::test]
async fn a_subscription_ends_with_its_connection() {
    let mut rig = Rig::new().await;
    let connection = rig.connection.clone();
    let (outcome, ()) = tokio::join!(within(connection.subscribe(["a"])), async {
        rig.peer.subscribe().await;
        drop(rig.peer);
    });
    assert_eq!(outcome, Err(SubscribeError::Gone(Gone)));
}
