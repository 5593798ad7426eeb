//! The live page and its JSON, for those at this machine, or for those who have the account.
//!
//! In reading order: [`start`] listens; `door` is what every connection and request passes, which counts `guesses` of its secret;
//! `api` has what all answers share, and what is so now; `series` asks for powers over a time: `energy`
//! makes energy of reports, `together` one curve of all inverters, and `silence` tells what nobody read from a `night`; `periods` asks for the sums of days, months and years, `flows` for what is measured beside the
//! inverters; `live` hears the embedded broker.

mod api;
mod door;
mod energy;
mod flows;
mod forgotten;
mod guesses;
mod live;
mod night;
mod periods;
mod series;
mod silence;
mod together;

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::header;
use axum::middleware;
use axum::routing::get;
use daemon::service::Service;
use store::Sqlite;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::task::AbortOnDropHandle;

use crate::account::{Account, Place, from_here};

/// Where the page is unless chosen otherwise.
const CUSTOMARY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8340);

/// The page can't be served.
#[derive(Debug, thiserror::Error)]
#[error("the page can't be served at {address}; choose another address with --page")]
pub struct PageError {
    address: SocketAddr,
    source: io::Error,
}

/// What all requests share.
struct Shared {
    store: Sqlite,
    live: live::Live,
    /// Places for those that hear events.
    streams: Arc<Semaphore>,
    forgotten: forgotten::Forgotten,
    service: Service,
    simulated: bool,
}

/// The page, until it is dropped.
#[derive(Debug)]
pub struct Page {
    address: SocketAddr,
    hearing: AbortOnDropHandle<()>,
    serving: AbortOnDropHandle<()>,
}

impl Page {
    /// Where it is to be seen.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", from_here(self.address))
    }

    /// Completes when it has ended by itself, or hears the broker no more.
    pub async fn ended(&mut self) -> io::Error {
        let (part, ended) = tokio::select! {
            ended = &mut self.hearing => ("what hears the broker for the page", ended),
            ended = &mut self.serving => ("what serves the page", ended),
        };
        let why = ended
            .err()
            .map_or_else(String::new, |error| format!(": {error}"));
        io::Error::other(format!("{part} ended{why}"))
    }
}

/// Serves the page at the address that was chosen, else at the customary one, or a free port where that one
/// is taken, to those who have its account. `state_dir` is the scraper's, which knows who is forgotten; `broker` is where the embedded one is, and its account.
///
/// # Errors
/// When it can't listen there.
pub async fn start(
    place: &Place,
    (store, state_dir): (Sqlite, PathBuf),
    broker: (SocketAddr, Option<&Account>),
    service: &Service,
    simulated: bool,
) -> Result<Page, PageError> {
    let listener = match place.listen {
        Some(address) => listen(address).await?,
        None => match listen(CUSTOMARY).await {
            Ok(listener) => listener,
            Err(_) => listen((Ipv4Addr::LOCALHOST, 0).into()).await?,
        },
    };
    let address = listener.local_addr().map_err(|source| PageError {
        address: CUSTOMARY,
        source,
    })?;
    let live = live::Live::new();
    let (session, events) = mqtt::start(mqtt::Config {
        broker: format!("mqtt://{}", broker.0)
            .parse()
            .expect("an address and a port are a broker's URL"),
        client_id: "envoy-scrape-page".to_owned(),
        credentials: broker.1.map(|account| mqtt::Credentials {
            username: account.username().to_owned(),
            password: account.password().clone(),
        }),
        tls: None,
        clean_session: true,
        keep_alive: Duration::from_secs(30),
        last_will: None,
        backoff_cap: Duration::from_secs(5),
    })
    .expect("a fixed client id and keep-alive are in range");
    let hearing = tokio::spawn(live.clone().hear(session, events));
    let shared = Shared {
        store,
        live,
        streams: Arc::new(Semaphore::new(api::STREAMS)),
        forgotten: forgotten::Forgotten::inside(state_dir),
        service: service.clone(),
        simulated,
    };
    let serving = tokio::spawn(door::serve(listener, router(shared, place.account.clone())));
    Ok(Page {
        address,
        hearing: AbortOnDropHandle::new(hearing),
        serving: AbortOnDropHandle::new(serving),
    })
}

async fn listen(address: SocketAddr) -> Result<TcpListener, PageError> {
    let listening = TcpListener::bind(address).await;
    listening.map_err(|source| PageError { address, source })
}

/// What a browser loads, with its path and type.
const FILES: [(&str, &str, &str); 14] = [
    (
        "/",
        "text/html; charset=utf-8",
        include_str!("../page/index.html"),
    ),
    ("/page.css", CSS, include_str!("../page/page.css")),
    ("/page.js", JAVASCRIPT, include_str!("../page/page.js")),
    ("/words.js", JAVASCRIPT, include_str!("../page/words.js")),
    ("/home.js", JAVASCRIPT, include_str!("../page/home.js")),
    (
        "/inverters.js",
        JAVASCRIPT,
        include_str!("../page/inverters.js"),
    ),
    ("/chain.js", JAVASCRIPT, include_str!("../page/chain.js")),
    ("/chart.js", JAVASCRIPT, include_str!("../page/chart.js")),
    ("/day.js", JAVASCRIPT, include_str!("../page/day.js")),
    ("/events.js", JAVASCRIPT, include_str!("../page/events.js")),
    ("/notice.js", JAVASCRIPT, include_str!("../page/notice.js")),
    ("/bars.js", JAVASCRIPT, include_str!("../page/bars.js")),
    (
        "/uplot.css",
        CSS,
        include_str!("../page/vendor/uPlot.min.css"),
    ),
    (
        "/uplot.js",
        JAVASCRIPT,
        include_str!("../page/vendor/uPlot.iife.min.js"),
    ),
];

const CSS: &str = "text/css";
const JAVASCRIPT: &str = "text/javascript";

fn router(shared: Shared, account: Option<Account>) -> Router {
    let mut router = Router::new();
    for (path, kind, content) in FILES {
        let file = get(async move || ([(header::CONTENT_TYPE, kind)], content));
        router = router.route(path, file);
    }
    router
        .route("/api/v1/now", get(api::now))
        .route("/api/v1/site", get(series::site))
        .route("/api/v1/inverters/{serial}", get(series::inverter))
        .route("/api/v1/flows", get(flows::flows))
        .route("/api/v1/days", get(periods::days))
        .route("/api/v1/months", get(periods::months))
        .route("/api/v1/years", get(periods::years))
        .route("/api/v1/events", get(api::events))
        .fallback(api::nothing)
        .method_not_allowed_fallback(api::no_method)
        .layer(middleware::from_fn_with_state(
            Arc::new(door::Door::new(account)),
            door::guard,
        ))
        .with_state(Arc::new(shared))
}

#[cfg(test)]
mod tests;
