//! Who the Envoy is, and by which scheme it wants to be asked.

use reqwest::header::HeaderMap;
use url::Url;

use crate::endpoints::info::{INFO, Info};
use crate::error::{Error, Why};
use crate::excerpt::Excerpt;
use crate::exchange::{Connections, Transport, address, bad_answer, join};
use crate::host::{Host, Scheme};

/// An Envoy that has said who it is.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) info: Info,
    /// Where to ask for everything else.
    pub(super) base: Url,
}

/// Asks `/info` by https and then by http, or by the one that the address names.
pub(super) async fn detect(transport: &Transport, host: &Host) -> Result<Found, Error> {
    let (found_by, info) = match host.scheme() {
        Some(scheme) => (scheme, ask(transport, host, scheme).await?),
        None => ask_both(transport, host).await?,
    };
    let base = host.base(scheme_for(&info, host, found_by)?);
    Ok(Found { info, base })
}

async fn ask_both(transport: &Transport, host: &Host) -> Result<(Scheme, Info), Error> {
    let https = match ask(transport, host, Scheme::Https).await {
        Ok(info) => return Ok((Scheme::Https, info)),
        Err(error) if leaves_http(&error) => error,
        Err(error) => return Err(error),
    };
    match ask(transport, host, Scheme::Http).await {
        // Its token goes by https alone, and only to who has said there who he is: by http anybody could
        // say it for whatever has the other port.
        Ok(info) if info.takes_tokens() => Err(https),
        Ok(info) => Ok((Scheme::Http, info)),
        Err(http) => Err(more_telling(https, http)),
    }
}

async fn ask(transport: &Transport, host: &Host, scheme: Scheme) -> Result<Info, Error> {
    let url = join(&host.base(scheme), INFO.path);
    // Whether it minds a second request on a connection is not known yet.
    let answer = transport
        .get(&url, HeaderMap::new(), Connections::First)
        .await?;
    let status = answer.status;
    match answer.into_body(&url) {
        Ok(body) => (INFO.parse)(&body).map_err(|error| {
            if is_of_an_envoy(&body) {
                bad_answer(&url, &body, error.into())
            } else {
                Error::NotAnEnvoy {
                    address: address(&url),
                    excerpt: Excerpt::of(&body),
                    fault: error.into(),
                }
            }
        }),
        Err(Error::BadAnswer { excerpt, .. })
            if scheme == Scheme::Http && (status.is_redirection() || wants_tls(&excerpt)) =>
        {
            Err(Error::HttpsNeeded {
                address: address(&url),
            })
        }
        // A server error is also what an Envoy answers while it starts.
        Err(Error::BadAnswer { excerpt, fault, .. }) if !status.is_server_error() => {
            Err(Error::NotAnEnvoy {
                address: address(&url),
                excerpt,
                fault,
            })
        }
        Err(error) => Err(error),
    }
}

/// Whether an answer that can't be read is an Envoy's all the same, such as one that was cut off: then
/// the address is right, and the next poll may be better.
fn is_of_an_envoy(body: &[u8]) -> bool {
    String::from_utf8_lossy(body).contains("<envoy_info>")
}

/// Whether this port is the one for https, as its web server says to whoever asks in clear.
fn wants_tls(answer: &Excerpt) -> bool {
    answer.to_string().contains("sent to HTTPS port")
}

/// The scheme for everything but `/info`, which firmware 7 answers by http too. A token is never
/// sent in clear.
fn scheme_for(info: &Info, host: &Host, found_by: Scheme) -> Result<Scheme, Error> {
    if found_by == Scheme::Http && info.takes_tokens() {
        return Err(Error::HttpsNeeded {
            address: address(&host.base(found_by)),
        });
    }
    Ok(found_by)
}

/// Whether http is worth a try after this failure of https: not where the Envoy is there and only
/// slow, nor where its name is not known.
fn leaves_http(https: &Error) -> bool {
    match https {
        Error::NotAnEnvoy { .. } => true,
        Error::Unreachable { why, .. } => !matches!(why, Why::Name | Why::Silent),
        _ => false,
    }
}

/// The failure that tells more, when both schemes fail.
fn more_telling(https: Error, http: Error) -> Error {
    match (https.why(), &http) {
        // Port 80 only leads back to https.
        (_, Error::HttpsNeeded { .. }) => https,
        // Nothing listens for either.
        (Some(Why::Refused), closed) if closed.why() == Some(Why::Refused) => at_both(https, http),
        // Nothing listens for https, as on old Envoys.
        (Some(Why::Refused), _) => http,
        // It speaks neither TLS nor HTTP: it is something else.
        (Some(Why::Tls), other) if other.why() == Some(Why::NotHttp) => http,
        // By http it takes the connection at least: it hangs, and has no answer to a TLS greeting either.
        (Some(Why::TimedOut), silent) if silent.why() == Some(Why::Silent) => http,
        // Nothing came by https, something by http.
        (Some(_), answered) if answered.why().is_none() => http,
        _ => https,
    }
}

/// One failure of both, which names where each was tried.
fn at_both(https: Error, http: Error) -> Error {
    match (https, http) {
        (
            Error::Unreachable { address: first, .. },
            Error::Unreachable {
                address,
                why,
                source,
            },
        ) => Error::Unreachable {
            address: format!("{first} and {address}"),
            why,
            source,
        },
        (_, http) => http,
    }
}
