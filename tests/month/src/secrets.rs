//! Whether a secret gets into what is logged or published.

use std::collections::VecDeque;

use scripted::leaks::Secrets;
use secrecy::{ExposeSecret, SecretString};
use simulator::{CloudOptions, GatewayRequest};

use crate::home::{BROKER_PASSWORD, SERIAL};

/// Tokens and sessions that are looked for: the newest.
const NEWEST: usize = 6;

/// Looks for what never changes, for the newest tokens and sessions, and for the digest of each request.
/// (The password of the user `envoy` is not looked for: it is the end of a serial that is everywhere.)
#[derive(Debug)]
pub struct Watch {
    lasting: Secrets,
    /// Each with its text.
    newest: VecDeque<(String, Secrets)>,
    /// The lines that were looked at last: a token is fetched before it is used for the first time.
    before: Vec<String>,
    lines: u64,
}

impl Watch {
    /// Nothing was logged yet.
    #[must_use]
    pub fn begin() -> Self {
        let installer = envoy::installer_password(SERIAL, "installer");
        Self {
            lasting: Secrets::new()
                .with("the account's password", CloudOptions::PASSWORD)
                .with("the broker's password", BROKER_PASSWORD)
                .with("the installer's password", installer.expose_secret()),
            newest: VecDeque::new(),
            before: Vec::new(),
            lines: 0,
        }
    }

    /// Looks at some lines, which were logged while these requests were made. Says what was found, without
    /// showing it.
    pub fn look(&mut self, lines: Vec<String>, requests: &[GatewayRequest]) -> Vec<String> {
        let (mut digests, mut found) = (Secrets::new(), Vec::new());
        for (name, secret) in requests.iter().flat_map(shown) {
            if name == "a digest" {
                digests = digests.with(name, &secret);
            } else if self.newest.iter().all(|(known, _)| *known != secret) {
                let secrets = Secrets::new().with(name, &secret);
                found.extend(secrets.leaks(&self.before));
                self.newest.push_front((secret, secrets));
                self.newest.truncate(NEWEST);
            }
        }
        let newest = self.newest.iter().map(|(_, secrets)| secrets);
        for secrets in newest.chain([&self.lasting, &digests]) {
            found.extend(secrets.leaks(&lines));
        }
        self.lines += lines.len() as u64;
        self.before = lines;
        let names = found.iter();
        names
            .map(|leak| format!("{} ({})", leak.secret, leak.form))
            .collect()
    }

    /// How many lines were looked at.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lines
    }
}

/// What a request shows that nobody else may see.
fn shown(request: &GatewayRequest) -> Vec<(&'static str, String)> {
    let text = |secret: &Option<SecretString>| {
        let text = secret.as_ref().map(ExposeSecret::expose_secret);
        text.unwrap_or_default().to_owned()
    };
    let (authorization, cookie) = (text(&request.authorization), text(&request.cookie));
    let mut shown = Vec::new();
    if let Some(token) = authorization.strip_prefix("Bearer ") {
        // Its first part is the same in all, and no secret.
        let parts = token.split('.').skip(1);
        shown.extend(parts.map(|part| ("a token", part.to_owned())));
    }
    if let Some((_, session)) = cookie.split_once("sessionId=") {
        shown.push(("a session", session.to_owned()));
    }
    if let Some((_, response)) = authorization.split_once("response=\"") {
        let (response, _) = response.split_once('"').unwrap_or_default();
        shown.push(("a digest", response.to_owned()));
    }
    shown
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn request(authorization: &str, cookie: Option<&str>) -> GatewayRequest {
        GatewayRequest {
            came: Timestamp::UNIX_EPOCH,
            ended: Timestamp::UNIX_EPOCH,
            path: "/info".to_owned(),
            authorization: Some(authorization.into()),
            cookie: cookie.map(Into::into),
            status: Some(200),
            alongside: 0,
        }
    }

    #[test]
    fn each_secret_of_a_request_is_found_also_in_the_lines_before_it() {
        let token = request("Bearer eyJhbGci.payload-of-it.signature-of-it", None);
        let session = request(
            "Bearer a.payload-of-it.signature-of-it",
            Some("sessionId=0123456789"),
        );
        let digest = request(
            "Digest username=\"installer\", response=\"00ff00ff00ff\"",
            None,
        );
        for (request, line) in [
            (&token, "a line with payload-of-it"),
            (&token, "a line with signature-of-it"),
            (&session, "a line with 0123456789"),
            (&digest, "a line with 00ff00ff00ff"),
            (&digest, CloudOptions::PASSWORD),
        ] {
            let mut watch = Watch::begin();
            let requests = std::slice::from_ref(request);
            assert_eq!(watch.look(vec!["a line".to_owned()], requests).len(), 0);
            assert_ne!(
                watch.look(vec![line.to_owned()], requests).len(),
                0,
                "{line}"
            );
        }
        let mut watch = Watch::begin();
        watch.look(vec!["fetched signature-of-it".to_owned()], &[]);
        assert_ne!(watch.look(Vec::new(), &[token]).len(), 0);
    }
}
