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

#[tokio::test]
async fn the_largest_packet_is_one_that_mqtt_5_knows() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let any = (Ipv4Addr::LOCALHOST, 0).into();
    let broker = Broker::start(Some(any), directory.path())
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
