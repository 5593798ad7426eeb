//! What the session says of itself, and why it is not let in.

use std::time::Duration;

use mqtt::{Credentials, Message, Reason, Stage};
use rumqttc::{ConnectReturnCode as Code, LastWill, Login, QoS};

use crate::{config, disconnected};
use scripted::broker::Broker;

#[tokio::test]
async fn the_connect_has_last_will_account_and_session_flag() {
    let broker = Broker::bind().await;
    let mut config = config(&broker.url());
    config.clean_session = true;
    config.keep_alive = Duration::from_millis(7_900);
    config.credentials = Some(Credentials {
        username: "me".into(),
        password: "hunter2".into(),
    });
    config.last_will = Some(Message {
        topic: "a/status".into(),
        payload: "offline".into(),
        retain: true,
    });
    let (_session, _events) = crate::start(config);
    let (_, connect) = broker.accept().await;
    assert_eq!(connect.client_id, "a-client");
    assert!(connect.clean_session);
    assert_eq!(connect.keep_alive, 7);
    assert_eq!(connect.login, Some(Login::new("me", "hunter2")));
    let will = LastWill::new("a/status", "offline", QoS::AtLeastOnce, true);
    assert_eq!(connect.last_will, Some(will));
}

#[tokio::test]
async fn a_refusal_is_named_and_passes_when_it_is_mended() {
    let user = Some("me".to_owned());
    for (code, expected) in [
        (
            Code::BadUserNamePassword,
            Reason::Credentials { user: user.clone() },
        ),
        (Code::NotAuthorized, Reason::NotAuthorised { user }),
        (
            Code::BadClientId,
            Reason::ClientId {
                client_id: "a-client".into(),
            },
        ),
        (Code::ServiceUnavailable, Reason::Unavailable),
    ] {
        let broker = Broker::bind().await;
        let mut config = config(&broker.url());
        config.credentials = Some(Credentials {
            username: "me".into(),
            password: "hunter2".into(),
        });
        let (_session, mut events) = crate::start(config);
        broker.refuse(code).await;
        let reason = disconnected(&mut events).await;
        assert_eq!(reason, expected);
        assert_eq!(reason.stage(), Stage::Login);
        assert!(!format!("{reason} {reason:?}").contains("hunter2"));
        // The same reason once more is no news; the next event is the connection.
        broker.refuse(code).await;
        let _peer = broker.welcome(false).await;
        crate::connected(&mut events).await;
    }
}

#[tokio::test]
async fn a_port_where_nothing_listens_refuses() {
    let broker = Broker::bind().await;
    let url = broker.url();
    drop(broker);
    let (_session, mut events) = crate::start(config(&url));
    let reason = disconnected(&mut events).await;
    let broker = url.parse().unwrap();
    assert_eq!(reason, Reason::Refused { broker });
    assert_eq!(reason.stage(), Stage::Reach);
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_named() {
    // Reserved never to resolve (RFC 6761, 6.4).
    let url = "mqtt://broker.invalid";
    let (_session, mut events) = crate::start(config(url));
    let expected = Reason::NameNotFound {
        host: "broker.invalid".into(),
    };
    assert_eq!(disconnected(&mut events).await, expected);
    assert_eq!(expected.stage(), Stage::Name);
}

#[tokio::test]
async fn something_that_is_no_broker_is_named() {
    for (answer, expected) in [
        (&b""[..], "closes the connection before it answers"),
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            "closes the connection before it answers",
        ),
        (b"\x20\x02\x00\x2a", "does not keep to MQTT 3.1.1"),
        (b"\xd0\x00", "its first packet is not a CONNACK"),
    ] {
        let broker = Broker::bind().await;
        let (_session, mut events) = crate::start(config(&broker.url()));
        let (mut peer, _) = broker.accept().await;
        peer.send_bytes(answer).await;
        drop(peer);
        let reason = disconnected(&mut events).await;
        assert!(
            reason.to_string().contains(expected),
            "{answer:?}: {reason}"
        );
        assert_eq!(reason.stage(), Stage::Login);
    }
}
