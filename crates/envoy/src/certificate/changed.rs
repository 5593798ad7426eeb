//! A certificate that is not accepted.

use std::fmt;
use std::path::PathBuf;

use super::fingerprint::Fingerprint;

/// The Envoy has another certificate than the pinned one, or none. Nothing secret was sent to it.
#[derive(Debug)]
pub struct CertificateChanged {
    /// What was asked.
    pub address: String,
    /// The serial that it claims.
    pub serial: String,
    /// The accepted certificate.
    pub pinned: Fingerprint,
    /// The one that it shows; none by http.
    pub shown: Option<Fingerprint>,
    /// How to accept it.
    pub remedy: Remedy,
}

/// What makes another certificate the accepted one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remedy {
    /// To remove this file, also while we run, or to give the fingerprint.
    Remove(PathBuf),
    /// To start again, since nothing is on disk, or to give the fingerprint.
    Restart,
    /// To give the fingerprint in the place of the one that is given.
    Configure,
}

impl std::error::Error for CertificateChanged {}

impl fmt::Display for CertificateChanged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            address,
            serial,
            pinned,
            shown,
            remedy,
        } = self;
        let Some(shown) = shown else {
            write!(
                f,
                "the Envoy {serial} answers at {address} by http only, without a certificate, but {pinned} \
                 is pinned, so it is not asked: no firmware update takes https away, so look who answers at \
                 this address; if it is an older Envoy in the place of this one, "
            )?;
            return match remedy {
                Remedy::Remove(path) => write!(f, "remove {}", path.display()),
                Remedy::Restart => write!(f, "start again"),
                Remedy::Configure => write!(f, "leave the fingerprint out of the policy"),
            };
        };
        write!(
            f,
            "the Envoy {serial} at {address} shows the certificate {shown}, but {pinned} is pinned, so nothing \
             secret was sent to it: if its firmware was updated, or the pinned one is most of a year old, it \
             has made itself a new one; to accept that, "
        )?;
        match remedy {
            Remedy::Remove(path) => write!(
                f,
                "remove {} or give the policy pinned:{shown}",
                path.display()
            )?,
            Remedy::Restart => write!(f, "start again or give the policy pinned:{shown}")?,
            Remedy::Configure => write!(f, "give the policy pinned:{shown} instead")?,
        }
        write!(f, "; if not, look who answers at this address")
    }
}
