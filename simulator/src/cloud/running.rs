//! The cloud beside a gateway.

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::{Cloud, CloudOptions, Requests, server};
use crate::gateway::Gateway;
use crate::simulator::StartError;

/// A cloud that answers at its address; its connections end with it.
#[derive(Debug)]
pub(crate) struct RunningCloud {
    url: String,
    cloud: Arc<Cloud>,
    _server: JoinSet<()>,
}

impl RunningCloud {
    pub(crate) async fn start(
        options: &CloudOptions,
        gateway: &Gateway,
    ) -> Result<Self, StartError> {
        let requests = Requests::open(options.requests.as_deref())?;
        let listen_error = |source| StartError::Listen {
            address: options.listen,
            source,
        };
        let listener = TcpListener::bind(options.listen)
            .await
            .map_err(listen_error)?;
        let address = listener.local_addr().map_err(listen_error)?;
        let (serial, clock) = (gateway.serial.clone(), gateway.clock());
        let cloud = Arc::new(Cloud::new(options, serial, clock, requests));
        let mut connections = JoinSet::new();
        connections.spawn(server::serve(cloud.clone(), listener));
        Ok(Self {
            url: format!("http://{address}"),
            cloud,
            _server: connections,
        })
    }

    /// Where it listens, without a final slash.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn cloud(&self) -> &Cloud {
        &self.cloud
    }
}
