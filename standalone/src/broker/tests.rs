use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

/// CONNECT of MQTT 5 with a clean start, without a client id.
const CONNECT: [u8; 15] = [0x10, 13, 0, 4, b'M', b'Q', b'T', b'T', 5, 2, 0, 60, 0, 0, 0];

/// The value of the property Maximum Packet Size in the properties of a CONNACK.
/// <https://docs.oasis-open.org/mqtt/mqtt/v5.0/os/mqtt-v5.0-os.html>, 2.2.2.2 and 3.2.2.3.
fn maximum_packet_size(mut properties: &[u8]) -> Option<u32> {
    while let [id, rest @ ..] = properties {
        let length = match id {
            0x27 => return Some(u32::from_be_bytes(rest.get(..4)?.try_into().ok()?)),
            0x11 => 4,
            0x21 | 0x22 | 0x13 => 2,
            0x24 | 0x25 | 0x28..=0x2a => 1,
            0x12 | 0x1f | 0x1a | 0x1c | 0x15 => {
                2 + usize::from(u16::from_be_bytes(rest.get(..2)?.try_into().ok()?))
            }
            _ => return None,
        };
        properties = rest.get(length..)?;
    }
    None
}

fn anywhere(account: Option<Account>) -> Place {
    Place {
        listen: Some((Ipv4Addr::LOCALHOST, 0).into()),
        account,
    }
}

/// The reason code of the answer to a CONNECT with this name and secret, of MQTT 3.1.1 so that there are no
/// properties to read. <https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/os/mqtt-v3.1.1-os.html>, 3.1 and 3.2.
async fn answer(broker: &Broker, account: Option<(&str, &str)>) -> u8 {
    let text = |text: &str| {
        let length = u16::try_from(text.len()).expect("short");
        [&length.to_be_bytes()[..], text.as_bytes()].concat()
    };
    let (flags, rest) = match account {
        Some((name, secret)) => (0xc2, [text(name), text(secret)].concat()),
        None => (0x02, Vec::new()),
    };
    let body = [&text("MQTT")[..], &[4, flags, 0, 60], &text("test"), &rest].concat();
    let length = u8::try_from(body.len()).expect("short");
    let mut client = TcpStream::connect(broker.address())
        .await
        .expect("a connection");
    let packet = [&[0x10, length], &body[..]].concat();
    client.write_all(&packet).await.expect("sent");
    let mut answer = [0; 4];
    client.read_exact(&mut answer).await.expect("an answer");
    answer[3]
}

#[tokio::test]
async fn a_broker_with_an_account_refuses_every_other() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let account = Account::new("ada", "hush");
    let broker = Broker::start(&anywhere(Some(account)), directory.path())
        .await
        .expect("a broker");
    for wrong in [
        None,
        Some(("ada", "hus")),
        Some(("ada", "")),
        Some(("", "hush")),
    ] {
        assert_ne!(answer(&broker, wrong).await, 0, "{wrong:?}");
    }
    assert_eq!(answer(&broker, Some(("ada", "hush"))).await, 0);
    broker.stop().await;
}

#[tokio::test]
async fn the_largest_packet_is_one_that_mqtt_5_knows() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let broker = Broker::start(&anywhere(None), directory.path())
        .await
        .expect("a broker");
    let mut client = TcpStream::connect(broker.address())
        .await
        .expect("a connection");
    client.write_all(&CONNECT).await.expect("sent");
    let mut answer = [0; 128];
    let length = client.read(&mut answer).await.expect("an answer");
    // A packet type, a length, flags, a reason, and the length of the properties: a byte each.
    let [0x20, _, 0, 0, _, properties @ ..] = &answer[..length] else {
        panic!("{:?} accepts no connection", &answer[..length]);
    };
    assert_eq!(maximum_packet_size(properties), Some(1 << 20));
    broker.stop().await;
}
