//! Receipts.

use std::pin::pin;

use futures_util::FutureExt;
use mqtt::{Gone, MAX_PACKET, Message};

use crate::{Rig, disconnected, message};
use scripted::within;

#[tokio::test]
async fn a_receipt_is_done_at_its_puback_and_not_before() {
    let mut rig = Rig::new().await;
    let mut first = pin!(rig.connection.publish(message(1)).await.unwrap());
    let mut second = pin!(rig.connection.publish(message(2)).await.unwrap());
    let (one, two) = (rig.peer.publish().await, rig.peer.publish().await);
    assert_eq!((&one.payload[..], &two.payload[..]), (&b"1"[..], &b"2"[..]));
    assert_eq!(first.as_mut().now_or_never(), None);

    rig.peer.acknowledge(two.pkid).await;
    assert_eq!(within(second.as_mut()).await, Ok(()));
    assert_eq!(first.as_mut().now_or_never(), None);
    rig.peer.acknowledge(one.pkid).await;
    assert_eq!(within(first).await, Ok(()));
}

#[tokio::test]
async fn pubacks_in_any_order_settle_more_messages_than_the_window_holds() {
    let mut rig = Rig::new().await;
    let connection = rig.connection.clone();
    let publisher = tokio::spawn(async move {
        let mut receipts = Vec::new();
        for number in 0..3_500 {
            receipts.push(connection.publish(message(number)).await.unwrap());
        }
        for receipt in receipts {
            receipt.await.unwrap();
        }
    });
    let mut expected = 0;
    while expected < 3_500 {
        let mut window = Vec::new();
        for _ in 0..500 {
            let publish = rig.peer.publish().await;
            assert_eq!(publish.payload, expected.to_string());
            window.push(publish.pkid);
            expected += 1;
        }
        // The last one first, then the rest from the middle outwards.
        window.rotate_left(250);
        window.reverse();
        for packet in window {
            rig.peer.acknowledge(packet).await;
        }
    }
    within(publisher).await.unwrap();
}

#[tokio::test]
async fn a_full_window_holds_up_new_messages_and_nothing_else() {
    let mut rig = Rig::new().await;
    let connection = rig.connection.clone();
    let mut receipts = Vec::new();
    let mut packets = Vec::new();
    for number in 0..1_000 {
        receipts.push(connection.publish(message(number)).await.unwrap());
        packets.push(rig.peer.publish().await.pkid);
    }
    let mut waiting = pin!(connection.publish(message("waits")));
    assert!(waiting.as_mut().now_or_never().is_none());
    acknowledges(&mut rig, 7).await;

    // With one PUBACK missing, a new message would get the packet identifier that is still taken.
    for packet in &packets[1..] {
        rig.peer.acknowledge(*packet).await;
    }
    within(receipts.pop().unwrap()).await.unwrap();
    assert!(waiting.as_mut().now_or_never().is_none());
    acknowledges(&mut rig, 8).await;

    rig.peer.acknowledge(packets[0]).await;
    let _receipt = within(waiting).await.unwrap();
    assert_eq!(rig.peer.publish().await.payload, "waits");
}

/// A message that the broker delivers now is acknowledged.
async fn acknowledges(rig: &mut Rig, packet: u16) {
    rig.peer.deliver(packet, "delivered").await;
    let delivery = crate::received(&mut rig.events).await;
    delivery.acknowledgement.send().await.unwrap();
    assert_eq!(rig.peer.puback().await, packet);
}

#[tokio::test]
async fn what_a_dead_connection_had_not_confirmed_is_gone_and_is_not_sent_again() {
    for session_present in [false, true] {
        let mut rig = Rig::new().await;
        let unconfirmed = rig
            .connection
            .publish(message("first connection"))
            .await
            .unwrap();
        rig.peer.publish().await;
        drop(rig.peer);
        assert_eq!(within(unconfirmed).await, Err(Gone));
        disconnected(&mut rig.events).await;
        assert_eq!(
            rig.connection.publish(message("too late")).await.err(),
            Some(Gone)
        );

        let mut peer = rig.broker.welcome(session_present).await;
        let connection = crate::connected(&mut rig.events).await;
        assert_eq!(connection.session_present(), session_present);
        let _receipt = connection
            .publish(message("second connection"))
            .await
            .unwrap();
        let publish = peer.publish().await;
        assert_eq!(publish.payload, "second connection");
        assert!(!publish.dup);
        assert_eq!(
            rig.connection.publish(message("later still")).await.err(),
            Some(Gone)
        );
    }
}

#[tokio::test]
async fn pubacks_that_come_with_the_end_of_the_connection_count() {
    let mut rig = Rig::new().await;
    let receipt = rig.connection.publish(message(1)).await.unwrap();
    let packet = rig.peer.publish().await.pkid;
    rig.peer.acknowledge(packet).await;
    drop(rig.peer);
    assert_eq!(within(receipt).await, Ok(()));
}

#[tokio::test]
async fn a_message_that_no_connection_could_carry_does_not_end_this_one() {
    let mut rig = Rig::new().await;
    let too_large = Message {
        payload: vec![0; MAX_PACKET].into(),
        ..message("")
    };
    let wildcard = Message {
        topic: "a/+".into(),
        ..message("")
    };
    for unsendable in [too_large, wildcard] {
        let receipt = rig.connection.publish(unsendable).await.unwrap();
        assert_eq!(within(receipt).await, Ok(()));
    }
    let large = Message {
        payload: vec![0; MAX_PACKET - 100].into(),
        ..message("")
    };
    let _receipt = rig.connection.publish(large).await.unwrap();
    assert_eq!(rig.peer.publish().await.payload.len(), MAX_PACKET - 100);
}
