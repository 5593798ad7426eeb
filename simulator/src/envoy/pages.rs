//! The pages of a gateway that is asked in clear where it wants TLS.

use hyper::header::{HOST, HeaderMap, HeaderValue, LOCATION};
use hyper::http::uri::Authority;
use hyper::{StatusCode, Uri};

use crate::answer::Answer;

/// The port of https.
const HTTPS: u16 = 443;

/// The same at the port for TLS.
pub(super) fn moved(uri: &Uri, headers: &HeaderMap, secure_port: u16) -> Answer {
    let title = "301 Moved Permanently";
    let answer = Answer::new(StatusCode::MOVED_PERMANENTLY, page(title, title, ""));
    let answer = answer.content_type("text/html");
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.and_then(|host| host.parse::<Authority>().ok());
    // Older ones name themselves so (pyenphase's firmware.py), and so does one that was asked nameless.
    let host = host.as_ref().map_or("localhost", Authority::host);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let location = match secure_port {
        HTTPS => format!("https://{host}{path}"),
        port => format!("https://{host}:{port}{path}"),
    };
    match HeaderValue::try_from(location) {
        Ok(location) => answer.header(LOCATION, location),
        Err(_) => answer,
    }
}

/// What openresty says to HTTP in clear at a port for TLS.
pub(super) fn wrong_scheme() -> Answer {
    let hint = "The plain HTTP request was sent to HTTPS port";
    let page = page(
        &format!("400 {hint}"),
        "400 Bad Request",
        &format!("<center>{hint}</center>\r\n"),
    );
    Answer::new(StatusCode::BAD_REQUEST, page).content_type("text/html")
}

fn page(title: &str, heading: &str, text: &str) -> String {
    format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n\
         <center><h1>{heading}</h1></center>\r\n{text}\
         <hr><center>openresty/1.17.8.1</center>\r\n</body>\r\n</html>\r\n"
    )
}
