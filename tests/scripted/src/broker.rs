//! A broker of which every packet is scripted by the test.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc)]
// Payloads are numbers and texts, whichever a test likes.
#![allow(clippy::needless_pass_by_value)]

use bytes::BytesMut;
use rumqttc::mqttbytes::Error;
use rumqttc::{
    ConnAck, Connect, ConnectReturnCode, Packet, PubAck, Publish, QoS, SubAck, Subscribe,
    SubscribeReasonCode,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::within;

const MAX_PACKET: usize = 16 * 1024 * 1024;

/// What a connection runs over: TCP, or TLS on it.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Where a test waits for connections.
pub struct Broker(TcpListener);

impl Broker {
    /// Listens on a free port of the loopback interface.
    pub async fn bind() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    /// One whose connections have so little room for bytes that nobody has read that a test can fill
    /// it.
    ///
    /// # Panics
    /// Never: the loopback interface has free ports.
    #[must_use]
    pub fn bind_narrow() -> Self {
        let absent = Absent::bind();
        absent.0.set_recv_buffer_size(4096).unwrap();
        absent.arrives()
    }

    /// Its address, `mqtt://127.0.0.1:port`.
    ///
    /// # Panics
    /// Never: a bound socket has an address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port())
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// The next TCP connection, of which nothing was read.
    pub async fn accept_tcp(&self) -> TcpStream {
        let (stream, _) = within(self.0.accept()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// The next connection, and its CONNECT.
    pub async fn accept(&self) -> (Peer, Connect) {
        let mut peer = Peer::new(self.accept_tcp().await);
        match peer.packet().await {
            Some(Packet::Connect(connect)) => (peer, connect),
            other => panic!("expected a CONNECT, got {other:?}"),
        }
    }

    /// The next connection, let in.
    pub async fn welcome(&self, session_present: bool) -> Peer {
        let (mut peer, _) = self.accept().await;
        peer.let_in(session_present).await;
        peer
    }

    /// The next connection, turned away.
    pub async fn refuse(&self, code: ConnectReturnCode) {
        let (mut peer, _) = self.accept().await;
        peer.send(Packet::ConnAck(ConnAck::new(code, false))).await;
    }
}

/// A broker that is not there: its port is kept, and refuses connections.
pub struct Absent(TcpSocket);

impl Absent {
    /// Takes a free port of the loopback interface.
    ///
    /// # Panics
    /// Never: the loopback interface has free ports.
    #[must_use]
    pub fn bind() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        Self(socket)
    }

    /// The address that it will have.
    #[must_use]
    pub fn url(&self) -> String {
        format!("mqtt://{}", self.0.local_addr().unwrap())
    }

    /// It begins to listen.
    ///
    /// # Panics
    /// Never: its port is its own.
    #[must_use]
    pub fn arrives(self) -> Broker {
        Broker(self.0.listen(128).unwrap())
    }
}

/// The broker's end of one connection. Pings are answered while it is read from.
pub struct Peer {
    stream: Box<dyn Stream>,
    buffer: BytesMut,
    /// How many pings were answered.
    pub pings: usize,
}

impl Peer {
    /// The broker's end of a stream that was accepted.
    pub fn new(stream: impl Stream + 'static) -> Self {
        Self {
            stream: Box::new(stream),
            buffer: BytesMut::new(),
            pings: 0,
        }
    }

    /// The next packet that is no ping; `None` at the end of the connection.
    pub async fn packet(&mut self) -> Option<Packet> {
        within(async {
            loop {
                match self.any_packet().await? {
                    Packet::PingReq => {}
                    packet => return Some(packet),
                }
            }
        })
        .await
    }

    /// The next packet of any kind.
    pub async fn any_packet(&mut self) -> Option<Packet> {
        loop {
            match Packet::read(&mut self.buffer, MAX_PACKET) {
                Ok(Packet::PingReq) => {
                    self.pings += 1;
                    self.send(Packet::PingResp).await;
                    return Some(Packet::PingReq);
                }
                Ok(packet) => return Some(packet),
                Err(Error::InsufficientBytes(_)) => {}
                Err(error) => panic!("the session sent nonsense: {error}"),
            }
            // A reset is an end as well.
            if self.stream.read_buf(&mut self.buffer).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    /// The next packet, which must be a PUBLISH.
    pub async fn publish(&mut self) -> Publish {
        match self.packet().await {
            Some(Packet::Publish(publish)) => publish,
            other => panic!("expected a PUBLISH, got {other:?}"),
        }
    }

    /// The next packet, which must be a SUBSCRIBE.
    pub async fn subscribe(&mut self) -> Subscribe {
        match self.packet().await {
            Some(Packet::Subscribe(subscribe)) => subscribe,
            other => panic!("expected a SUBSCRIBE, got {other:?}"),
        }
    }

    /// The packet identifier of the next packet, which must be a PUBACK.
    pub async fn puback(&mut self) -> u16 {
        match self.packet().await {
            Some(Packet::PubAck(ack)) => ack.pkid,
            other => panic!("expected a PUBACK, got {other:?}"),
        }
    }

    /// Sends the CONNACK that lets the client in.
    pub async fn let_in(&mut self, session_present: bool) {
        let ack = ConnAck::new(ConnectReturnCode::Success, session_present);
        self.send(Packet::ConnAck(ack)).await;
    }

    /// Sends a PUBACK.
    pub async fn acknowledge(&mut self, packet: u16) {
        self.send(Packet::PubAck(PubAck::new(packet))).await;
    }

    /// Sends a SUBACK.
    pub async fn grant(&mut self, packet: u16, codes: Vec<SubscribeReasonCode>) {
        self.send(Packet::SubAck(SubAck::new(packet, codes))).await;
    }

    /// Delivers a message; with packet 0 one that wants no acknowledgement.
    pub async fn deliver(&mut self, packet: u16, payload: impl ToString) {
        self.send(delivery(packet, payload)).await;
    }

    /// Sends, whether or not the other side still listens.
    pub async fn send(&mut self, packet: Packet) {
        let mut bytes = BytesMut::new();
        packet.write(&mut bytes, MAX_PACKET).unwrap();
        self.send_bytes(&bytes).await;
    }

    /// Sends bytes as they are, whether or not the other side still listens.
    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        let _ = within(self.stream.write_all(bytes)).await;
        let _ = within(self.stream.flush()).await;
    }
}

/// A PUBLISH to `a/topic`; with packet 0 at most once.
#[must_use]
pub fn delivery(packet: u16, payload: impl ToString) -> Packet {
    let qos = if packet == 0 {
        QoS::AtMostOnce
    } else {
        QoS::AtLeastOnce
    };
    let mut publish = Publish::new("a/topic", qos, payload.to_string());
    publish.pkid = packet;
    Packet::Publish(publish)
}
