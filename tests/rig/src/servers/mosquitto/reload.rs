//! What the running broker reads anew: its certificate, its accounts, their rights.

use std::process::Command;

use super::super::STARTUP;
use super::{Account, Certificate, Client, Mosquitto, Server};
use crate::wait;

/// The account by which the rig sees that the broker has read its accounts: it gets a new password
/// with each change.
pub(super) const WITNESS: &str = "rig-witness";

impl Mosquitto {
    /// Replaces its certificate; the next connection sees this one.
    pub async fn show(&self, certificate: Certificate) {
        self.certificates().show(certificate, self.host());
        // Mosquitto reads its certificates before its accounts.
        self.reload().await;
    }

    /// Makes or changes an account; the running broker knows it when this returns.
    ///
    /// # Panics
    ///
    /// When the account command fails or the broker does not take it up in time.
    pub async fn set_account(&self, account: &Account) {
        self.set_unread(account).await;
        self.reload().await;
    }

    /// Removes an account; the running broker refuses it when this returns.
    ///
    /// # Panics
    ///
    /// When there is none, or the broker does not take it up in time.
    pub async fn remove_account(&self, user: &str) {
        self.accounts
            .remove(user)
            .await
            .expect("the account can be removed");
        self.reload().await;
    }

    /// Adds lines to the ACL that no account command would write; the running broker knows them when
    /// this returns.
    ///
    /// # Panics
    ///
    /// As [`set_account`](Self::set_account).
    pub async fn add_rights(&self, lines: &str) {
        // First, because the account command refuses to work on an ACL with such lines.
        let witness = self.new_witness().await;
        self.accounts
            .append(lines)
            .await
            .expect("the ACL can be written");
        self.read_accounts(&witness).await;
    }

    pub(super) async fn set_unread(&self, account: &Account) {
        self.accounts
            .set(account)
            .await
            .expect("the account can be made");
    }

    /// Has the broker read its accounts and certificates, and waits until it has.
    pub(super) async fn reload(&self) {
        let witness = self.new_witness().await;
        self.read_accounts(&witness).await;
    }

    async fn new_witness(&self) -> Account {
        let witness = Account::reader(WITNESS);
        self.set_unread(&witness).await;
        witness
    }

    /// Once a witness with a new password may log in, everything has been read.
    async fn read_accounts(&self, witness: &Account) {
        match &self.server {
            Server::Own(own) => own.container.signal("SIGHUP").await,
            Server::Given { .. } => {
                if let Ok(process) = std::env::var("TEST_MOSQUITTO_PID") {
                    let sent = Command::new("kill").args(["-HUP", &process]).status();
                    assert!(
                        sent.is_ok_and(|status| status.success()),
                        "cannot send SIGHUP to TEST_MOSQUITTO_PID={process}"
                    );
                }
            }
        }
        wait::until_true("the broker to read its accounts", STARTUP, async || {
            Client::connect(self, witness, None).await.is_ok()
        })
        .await;
    }
}
