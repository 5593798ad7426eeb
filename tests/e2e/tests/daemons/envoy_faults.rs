//! Each fault of the simulated Envoy against the real scraper: it goes on by itself, and what the
//! broker got is what the Envoy has shown, before the fault and after it.
//!
//! All cases run side by side, each with a gateway and a scraper of its own, at one broker.

mod case;

use std::rc::Rc;

use rig::servers::{Account, Mosquitto};
use tokio::task::{JoinSet, LocalSet};

use case::{Case, Effect};

/// The scrapers share one account, and with it one subtree of topics: an account for each costs
/// more time than all cases together.
const ACCOUNT: &str = "faults";

const OLDEST: &str = "3.18.10";
const OLD: &str = "5.0.62";
const NEW: &str = "8.3.5169";

#[rustfmt::skip]
const CASES: [Case; 23] = [
    Case::new(OLD, "refuse", Effect::Outage("nothing listens there")),
    Case::new(NEW, "refuse", Effect::Outage("nothing listens there")),
    Case::new(OLD, "hang", Effect::Outage("does not answer in time")),
    Case::new(NEW, "hang", Effect::Outage("does not answer in time")),
    Case::new(OLD, "drip", Effect::Outage("does not answer in time")),
    Case::new(NEW, "drip", Effect::Outage("does not answer in time")),
    Case::new(OLD, "busy", Effect::LeftAlone("is busy")),
    Case::new(NEW, "busy", Effect::LeftAlone("is busy")),
    Case::new(NEW, "busy", Effect::LeftAlone("is busy")).faulty_at_first(),
    Case::new(OLD, "unauthorized", Effect::Outage("refuses the users installer and envoy")),
    Case::new(NEW, "unauthorized", Effect::Outage("refuses the token")),
    Case::new(NEW, "unauthorized~1/2", Effect::None),
    Case::new(OLD, "html", Effect::Outage("begins with \"<!DOCTYPE html>")),
    Case::new(NEW, "html", Effect::Outage("begins with \"<!DOCTYPE html>")),
    Case::new(OLD, "truncate", Effect::Outage("broke off before the answer was complete")),
    Case::new(NEW, "truncate", Effect::Outage("broke off before the answer was complete")),
    Case::new(OLD, "length-too-long", Effect::Outage("broke off before the answer was complete")),
    Case::new(NEW, "length-too-long", Effect::Outage("does not answer in time")),
    Case::new(OLD, "length-too-short", Effect::Outage("can't be used")),
    Case::new(NEW, "length-too-short", Effect::Outage("can't be used")),
    Case::new(OLDEST, "empty-list", Effect::NothingShown),
    Case::new(OLDEST, "reset-second", Effect::None),
    Case::new(NEW, "reset-second", Effect::None),
];

#[tokio::test]
async fn after_each_fault_of_the_envoy_the_scraper_goes_on_by_itself() {
    let test = "after each fault of the Envoy the scraper goes on by itself";
    let accounts = [Account::scraper(ACCOUNT), Account::reader("tail")];
    let Some(broker) = Mosquitto::start(test, &accounts).await else {
        return;
    };
    let broker = Rc::new(broker);
    let all = async {
        let mut cases = JoinSet::new();
        for (number, case) in CASES.iter().enumerate() {
            let (broker, accounts) = (broker.clone(), accounts.clone());
            cases.spawn_local(async move { case.run(number, &broker, &accounts).await });
        }
        let mut failed = 0;
        while let Some(case) = cases.join_next().await {
            // Why was printed by its panic, with the case's name.
            failed += usize::from(case.is_err());
        }
        failed
    };
    assert_eq!(LocalSet::new().run_until(all).await, 0, "cases that failed");
}
