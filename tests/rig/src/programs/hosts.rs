//! Programs that look names up in an `/etc/hosts` of their own.

use std::path::Path;
use std::process::Command;

use super::Start;

/// Gives a process a view of the file system of its own, which ends with it.
const OWN_FILES: [&str; 2] = ["--map-root-user", "--mount"];

impl Start {
    /// Has it take this file for `/etc/hosts`, as it is each time that a name is looked up; on a disk with
    /// room. Needs a system that [allows it](Self::can_choose_hosts).
    #[must_use]
    pub fn with_hosts(mut self, hosts: &Path) -> Self {
        self.hosts = Some(hosts.to_owned());
        self
    }

    /// Whether this user may give a process a file system of its own, as most containers forbid.
    #[must_use]
    pub fn can_choose_hosts() -> bool {
        let unshared = Command::new("unshare").args(OWN_FILES).arg("true").output();
        unshared.is_ok_and(|unshared| unshared.status.success())
    }
}

/// Starts a program with this file in the place of `/etc/hosts`.
pub(super) fn command(hosts: &Path, program: &Path) -> Command {
    let mut unshare = Command::new("unshare");
    let script = r#"mount --bind "$0" /etc/hosts && exec "$@""#;
    unshare.args(OWN_FILES).args(["sh", "-c", script]);
    unshare.arg(hosts).arg(program);
    unshare
}
