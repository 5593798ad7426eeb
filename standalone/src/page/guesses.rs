//! Wrong secrets, counted by the address that they come from: whoever guesses is soon not listened to, and nobody else
//! waits for that.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Wrong secrets of one address before nothing of it is looked at any more. Far more than slips, and so few that ten
/// million words take two years.
const MOST: u32 = 10;

/// After this long an address begins anew.
const PERIOD: Duration = Duration::from_mins(1);

/// Addresses of which is known what they gave; beyond that the one goes that began first.
const ADDRESSES: usize = 256;

/// What was guessed in the last minute.
#[derive(Debug, Default)]
pub(super) struct Guesses(Mutex<HashMap<IpAddr, Guesser>>);

#[derive(Debug)]
struct Guesser {
    since: Instant,
    wrong: u32,
    unheard: u64,
}

impl Guesses {
    /// Whether a secret from there is looked at; a refusal is counted.
    pub(super) fn are_heard_from(&self, address: IpAddr) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|address, guesser| {
            let lasts = guesser.since.elapsed() < PERIOD;
            if !lasts && guesser.wrong >= MOST {
                let unheard = guesser.unheard;
                tracing::info!(client = %address, unheard, "a client is listened to again by the page");
            }
            lasts
        });
        let guesser = all.get_mut(&network(address));
        guesser.is_none_or(|guesser| {
            let heard = guesser.wrong < MOST;
            guesser.unheard += u64::from(!heard);
            heard
        })
    }

    /// A wrong secret came from there.
    pub(super) fn wrong(&self, address: IpAddr) {
        let address = network(address);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= ADDRESSES && !all.contains_key(&address) {
            let first = all.iter().min_by_key(|(_, guesser)| guesser.since);
            let first = first.map(|(address, _)| *address);
            first.and_then(|address| all.remove(&address));
        }
        let guesser = all.entry(address).or_insert_with(|| Guesser {
            since: Instant::now(),
            wrong: 0,
            unheard: 0,
        });
        guesser.wrong += 1;
        if guesser.wrong == MOST {
            tracing::warn!(
                client = %address,
                "a client has given {MOST} wrong secrets for the page within a minute, and is not listened to for \
                 the rest of it: does it have the right PAGE_USERNAME and PAGE_PASSWORD, or does it guess?"
            );
        }
    }
}

/// What one host has all addresses of: its own in IPv4, the half of one in IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_wrong_secrets_is_not_heard_for_a_minute_and_others_are() {
        let guesses = Guesses::default();
        let (one, other) = (address("192.0.2.1"), address("192.0.2.2"));
        for _ in 0..MOST {
            assert!(guesses.are_heard_from(one));
            guesses.wrong(one);
        }
        assert!(!guesses.are_heard_from(one));
        assert!(guesses.are_heard_from(other));
        advance(PERIOD).await;
        assert!(guesses.are_heard_from(one));
    }

    #[test]
    fn a_host_has_many_addresses_in_ipv6_and_is_one_all_the_same() {
        let guesses = Guesses::default();
        for host in 0..MOST {
            guesses.wrong(address(&format!("2001:db8::{host}")));
        }
        assert!(!guesses.are_heard_from(address("2001:db8::ffff")));
        assert!(guesses.are_heard_from(address("2001:db8:0:1::1")));
    }

    #[test]
    fn however_many_guess_what_is_known_of_them_is_bounded() {
        let guesses = Guesses::default();
        for host in 0..2_000_u32 {
            guesses.wrong(IpAddr::V4(host.into()));
        }
        assert_eq!(guesses.0.lock().expect("whole").len(), ADDRESSES);
    }
}
