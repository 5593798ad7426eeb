//! Where to write, checked once at the start.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use trust::FileError;
use url::Url;

/// Which bucket to write to, and how.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the server is; may carry a path (a reverse proxy), which is kept.
    pub url: Url,
    /// The token, which must be allowed to write to the bucket.
    pub token: TokenSource,
    /// The organisation's name. `InfluxDB` 1.8 ignores it, but wants one.
    pub org: String,
    /// The bucket's name; with `InfluxDB` 1.8 `database/retention-policy`.
    pub bucket: String,
    /// How long one request may take, its answer included.
    pub timeout: Duration,
    /// A PEM file with the CAs to trust instead of the system's; only with `https://`. Read once, at
    /// the start.
    pub ca_file: Option<PathBuf>,
}

impl Settings {
    /// The time-out to use unless there is a reason for another.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
}

/// Where the token comes from.
#[derive(Debug, Clone)]
pub enum TokenSource {
    /// The token itself.
    Value(SecretString),
    /// A file that holds it. It is read again for each batch, and once more when the server
    /// refuses the token, so that a new one is taken up without a restart.
    File(PathBuf),
}

/// Settings that can't work.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The address can't be that of a server.
    #[error("{url} can't be the address of an InfluxDB: {reason}")]
    Url {
        /// The address, without a password.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The organisation or the bucket has no name.
    #[error("the {0} must not be empty")]
    Empty(&'static str),
    /// The token has characters that can't be sent.
    #[error("the token has characters that no token has (line ends, control characters)")]
    Token,
    /// The token's file can't be read.
    #[error("the token can't be read from {path}")]
    TokenFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The token, or its file, is empty.
    #[error("the token is empty")]
    EmptyToken,
    /// A CA file without TLS: the connection would not be what was meant.
    #[error("{url} is not encrypted; write https:// or leave the CA file out")]
    CaFileWithoutTls {
        /// The address.
        url: String,
    },
    /// The CA file can't be used.
    #[error("{path:?} {wrong}")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        wrong: FileError,
    },
    /// An `https` address, and no certificate authority to check the server with.
    #[error(transparent)]
    NoAuthorities(FileError),
    /// The HTTP client can't be built.
    #[error("the HTTP client can't be built")]
    Client(#[from] reqwest::Error),
}

/// The address that batches are posted to.
pub(super) fn write_url(settings: &Settings) -> Result<Url, SettingsError> {
    let mut url = settings.url.clone();
    let reason = if !matches!(url.scheme(), "http" | "https") {
        "it does not begin with http:// or https://"
    } else if !url.username().is_empty() || url.password().is_some() {
        "it has a user name or password; InfluxDB wants a token"
    } else if url.query().is_some() || url.fragment().is_some() {
        "it has a query (after ?) or a fragment (after #)"
    } else {
        for (name, value) in [
            ("organisation", &settings.org),
            ("bucket", &settings.bucket),
        ] {
            if value.trim().is_empty() {
                return Err(SettingsError::Empty(name));
            }
        }
        let mut url = below(&url, &["api", "v2", "write"]);
        url.query_pairs_mut()
            .append_pair("org", &settings.org)
            .append_pair("bucket", &settings.bucket)
            .append_pair("precision", "s");
        return Ok(url);
    };
    // A user name may be a token put into the wrong place, a query may hold one.
    url.set_query(None);
    url.set_fragment(None);
    let _ = url.set_password(None);
    let _ = url.set_username("");
    Err(SettingsError::Url {
        url: url.to_string(),
        reason,
    })
}

/// The address of what is at `path` below the server's own address, whose path is kept.
pub(super) fn below(base: &Url, path: &[&str]) -> Url {
    let mut url = base.clone();
    url.path_segments_mut()
        .expect("http and https addresses have a path")
        .pop_if_empty()
        .extend(path);
    url
}

#[cfg(test)]
mod tests;
