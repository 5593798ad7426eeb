//! A server in a container of its own, which may be killed and started again.

use std::collections::BTreeMap;
use std::net::TcpListener;

use testcontainers::bollard::query_parameters::KillContainerOptions;
use testcontainers::core::client::docker_client_instance;
use testcontainers::core::{ExecCommand, IntoContainerPort, Mount};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, ContainerRequest, GenericImage, ImageExt};

use super::STARTUP;
use crate::wait;

/// How often another port is tried when somebody took the free one before the container could.
const PORT_ATTEMPTS: usize = 5;

/// A running, or killed, container.
pub(super) struct Container {
    inner: ContainerAsync<GenericImage>,
    host: String,
    /// The port outside, by that inside.
    ports: BTreeMap<u16, u16>,
}

impl Container {
    /// Starts `image`, whose server listens on `inner_ports`. The ports outside are chosen here, not
    /// by the engine, so that they are the same again after a restart.
    pub(super) async fn start(
        image: &(&str, &str),
        inner_ports: &[u16],
        environment: &[(&str, &str)],
        mounts: &[Mount],
    ) -> Result<Self, String> {
        engine_answers().await?;
        let mut last_error = String::new();
        for _ in 0..PORT_ATTEMPTS {
            let ports = free_ports(inner_ports);
            let mut request: ContainerRequest<GenericImage> =
                GenericImage::new(image.0, image.1).with_startup_timeout(STARTUP);
            for (inner, outer) in &ports {
                request = request.with_mapped_port(*outer, inner.tcp());
            }
            for (name, value) in environment {
                request = request.with_env_var(*name, *value);
            }
            for mount in mounts {
                request = request.with_mount(mount.clone());
            }
            match request.start().await {
                Ok(container) => {
                    let host = container
                        .get_host()
                        .await
                        .map_err(|error| error.to_string())?;
                    return Ok(Self {
                        host: host.to_string(),
                        inner: container,
                        ports,
                    });
                }
                Err(error) => last_error = error.to_string(),
            }
            if !last_error.contains("port") {
                break;
            }
        }
        Err(last_error)
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Where the server's `inner` port is reached.
    ///
    /// # Panics
    ///
    /// When the container was not started with it.
    pub(super) fn port(&self, inner: u16) -> u16 {
        *self.ports.get(&inner).expect("a port of this container")
    }

    /// Sends `signal` (such as `SIGHUP`) to the server.
    pub(super) async fn signal(&self, signal: &str) {
        let options = KillContainerOptions {
            signal: signal.to_owned(),
        };
        docker_client_instance()
            .await
            .expect("the engine that started this container answers")
            .kill_container(self.inner.id(), Some(options))
            .await
            .unwrap_or_else(|error| panic!("cannot send {signal}: {error}"));
    }

    /// The content of a file inside, empty when there is none.
    pub(super) async fn read(&self, path: &str) -> Vec<u8> {
        let mut printed = self
            .inner
            .exec(ExecCommand::new(["cat", path]))
            .await
            .expect("a running container runs a command");
        let content = printed.stdout_to_vec().await;
        content.expect("what a command prints can be read")
    }

    /// Kills the server as a power cut would; what it had written to its disk stays.
    pub(super) async fn kill(&self) {
        self.signal("SIGKILL").await;
        wait::until_true("the end of a killed container", STARTUP, async || {
            matches!(self.inner.is_running().await, Ok(false))
        })
        .await;
    }

    /// Stops all its processes where they are.
    pub(super) async fn pause(&self) {
        let paused = self.inner.pause().await;
        paused.expect("a running container can be paused");
    }

    /// Lets them go on.
    pub(super) async fn unpause(&self) {
        let unpaused = self.inner.unpause().await;
        unpaused.expect("a paused container can go on");
    }

    /// Ends the server in an orderly way.
    pub(super) async fn stop(&self) {
        self.inner
            .stop()
            .await
            .expect("a running container can be stopped");
    }

    /// Starts the killed or stopped server again, with its disk and its port.
    pub(super) async fn start_again(&self) {
        self.inner
            .start()
            .await
            .expect("a container that ran before starts again");
    }
}

/// Whether there is an engine to start containers with; if not, why.
pub(super) async fn engine_answers() -> Result<(), String> {
    let engine = docker_client_instance()
        .await
        .map_err(|error| format!("no Docker engine: {error}"))?;
    engine
        .ping()
        .await
        .map(drop)
        .map_err(|error| format!("no Docker engine: {error}"))
}

/// A free port for each of these. All are held until the last one is found, so that no two are equal.
fn free_ports(inner: &[u16]) -> BTreeMap<u16, u16> {
    let listeners = inner.iter().map(|inner| {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
        (*inner, listener)
    });
    let listeners: Vec<_> = listeners.collect();
    let port = |listener: &TcpListener| {
        let address = listener.local_addr();
        address.expect("a bound socket has an address").port()
    };
    listeners
        .iter()
        .map(|(inner, listener)| (*inner, port(listener)))
        .collect()
}
