//! The live page and its JSON, served on the loopback interface.
//!
//! In reading order: [`start`] listens; `guard` is what every request passes and every answer gets;
//! `api` asks the store; `energy` makes energy of power; `live` hears the embedded broker.

mod api;
mod energy;
mod live;

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use daemon::service::Service;
use store::Sqlite;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

/// Where the page is unless chosen otherwise.
const CUSTOMARY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8340);

/// Only what is compiled in: no inline script, no other host, nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

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
    service: Service,
    simulated: bool,
}

/// The page, until it is dropped.
#[derive(Debug)]
pub struct Page {
    address: SocketAddr,
    _tasks: [AbortOnDropHandle<()>; 2],
}

impl Page {
    /// Where it is to be seen.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Serves the page at the address that was chosen, else at the customary one, or a free port where that one
/// is taken. `broker` is the embedded one.
///
/// # Errors
/// When it can't listen there.
pub async fn start(
    chosen: Option<SocketAddr>,
    store: Sqlite,
    broker: SocketAddr,
    service: &Service,
    simulated: bool,
) -> Result<Page, PageError> {
    let listener = match chosen {
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
        broker: format!("mqtt://{broker}")
            .parse()
            .expect("an address and a port are a broker's URL"),
        client_id: "envoy-scrape-page".to_owned(),
        credentials: None,
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
        service: service.clone(),
        simulated,
    };
    let serving = tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router(shared)).await {
            tracing::error!(%error, "the page is not served any more");
        }
    });
    Ok(Page {
        address,
        _tasks: [hearing, serving].map(AbortOnDropHandle::new),
    })
}

async fn listen(address: SocketAddr) -> Result<TcpListener, PageError> {
    let listening = TcpListener::bind(address).await;
    listening.map_err(|source| PageError { address, source })
}

fn router(shared: Shared) -> Router {
    Router::new()
        .route(
            "/",
            file(
                "text/html; charset=utf-8",
                include_str!("../page/index.html"),
            ),
        )
        .route(
            "/page.css",
            file("text/css", include_str!("../page/page.css")),
        )
        .route(
            "/page.js",
            file("text/javascript", include_str!("../page/page.js")),
        )
        .route(
            "/uplot.css",
            file("text/css", include_str!("../page/vendor/uPlot.min.css")),
        )
        .route(
            "/uplot.js",
            file(
                "text/javascript",
                include_str!("../page/vendor/uPlot.iife.min.js"),
            ),
        )
        .route("/api/v1/now", get(api::now))
        .route("/api/v1/site", get(api::site))
        .route("/api/v1/inverters/{serial}", get(api::inverter))
        .route("/api/v1/days", get(api::days))
        .route("/api/v1/events", get(api::events))
        .fallback(api::nothing)
        .layer(middleware::from_fn(guard))
        .with_state(Arc::new(shared))
}

fn file(kind: &'static str, content: &'static str) -> axum::routing::MethodRouter<Arc<Shared>> {
    get(async move || ([(header::CONTENT_TYPE, kind)], content))
}

/// Refuses what another site's page could send through a viewer's browser, by a name of its own that leads
/// here (DNS rebinding) or from its own origin.
async fn guard(request: Request, next: Next) -> Response {
    let mut response = match refused(request.headers()) {
        Some(why) => (StatusCode::FORBIDDEN, why).into_response(),
        None => next.run(request).await,
    };
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Why a request with these headers is not answered.
fn refused(headers: &HeaderMap) -> Option<&'static str> {
    let text = |name| {
        headers
            .get(name)
            .map(|value: &HeaderValue| value.to_str().unwrap_or(""))
    };
    let host = text(header::HOST).unwrap_or("");
    if !is_loopback(host) {
        return Some(
            "this page is at 127.0.0.1 and localhost only; open the address that was printed\n",
        );
    }
    let origin = text(header::ORIGIN);
    if origin.is_some_and(|origin| origin.strip_prefix("http://") != Some(host)) {
        return Some("another site's page may not read this one\n");
    }
    None
}

/// Whether a `Host` header names this machine by an address or name that only leads to itself.
fn is_loopback(host: &str) -> bool {
    let url = url::Url::parse(&format!("http://{host}/"));
    match url.as_ref().ok().and_then(url::Url::host) {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests;
