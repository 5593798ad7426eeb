//! What each fault does to the site, and how it ends.

use hyper::StatusCode;
use rig::link::{Link, Quality};
use rig::programs::Signal;
use rig::servers::Configuration;
use rig::tap::Answers;

use super::Site;
use crate::fault::Fault;
use crate::schedule::{Line, Planned};

impl Site {
    /// Lets a fault happen.
    pub async fn strike(&mut self, planned: &Planned) {
        let at = planned.envoy;
        match planned.fault {
            Fault::ScraperKilled
            | Fault::JournalReadOnly
            | Fault::JournalRemoved
            | Fault::JournalRestored => self.strike_journal(planned).await,
            Fault::ScraperStopped => self.homes[at].scraper().signal(Signal::STOP),
            Fault::SecondScraper => self.homes[at].start_second(&self.chain).await,
            Fault::JournalDiskFull => self.homes[at].fill_disk(true),
            Fault::JournalTakenAway => self.homes[at].take_directory(),
            Fault::ReceiverKilled => self.kill_receiver(),
            Fault::ReceiverStopped => self.signal_receiver(Signal::STOP),
            Fault::ReceiverStateRemoved => {
                self.kill_receiver();
                self.remove_receiver_state();
            }
            Fault::SecondReceiver => self.start_second_receiver().await,
            Fault::QueueOverflows => {
                self.restart_broker(&short_queue()).await;
                self.kill_receiver();
            }
            Fault::BrokerKilled => self.chain.broker.kill().await,
            Fault::BrokerStopped => self.chain.broker.pause().await,
            Fault::BrokerRolledBack => {
                self.chain.broker.kill().await;
                if let Some(snapshot) = &self.snapshot {
                    self.chain.broker.put_back(snapshot);
                }
            }
            Fault::BrokerWiped => {
                self.chain.broker.kill().await;
                self.chain.broker.empty_disk();
            }
            Fault::StoreKilled => self.chain.influx.kill().await,
            Fault::StoreStopped => self.chain.influx.pause().await,
            Fault::StoreUnavailable => self.refuse(StatusCode::SERVICE_UNAVAILABLE),
            Fault::StoreOverloaded => self.refuse(StatusCode::TOO_MANY_REQUESTS),
            Fault::StoreFails => self.refuse(StatusCode::INTERNAL_SERVER_ERROR),
            Fault::StoreRefusesToken => self.refuse(StatusCode::UNAUTHORIZED),
            Fault::StoreAnswersLost => self.answers(Answers::Lost),
            Fault::StoreAnswersHeld => self.answers(Answers::Held),
            Fault::LinkCut => self.link(planned, Quality::Cut).await,
            Fault::LinkHalfOpen => self.link(planned, Quality::HalfOpen).await,
            Fault::LinkSlow => self.link(planned, Quality::Slow).await,
            Fault::LinkReset => self.link(planned, Quality::Resetting).await,
            Fault::EnvoyStopped => {
                self.homes[at].is_stopped(true).await;
                self.homes[at].gateway().signal(Signal::STOP);
            }
            Fault::EnvoyHangs => self.homes[at].gateway().inject("hang").await,
            Fault::EnvoyRefuses => self.homes[at].gateway().inject("refuse").await,
            Fault::EnvoyReboots => {
                // First it is away, then it has heard of no inverter yet. That it says 503 in between would
                // have the scraper leave it alone for half a minute, with nothing at stake in the next rounds.
                let gateway = self.homes[at].gateway();
                gateway.inject("refuse@0s+500ms").await;
                gateway.inject("empty-list").await;
            }
            Fault::EnvoyClockSetBack => self.homes[at].gateway().set_back_an_hour().await,
        }
    }

    /// What is done to a scraper's journal while the scraper is away.
    async fn strike_journal(&mut self, planned: &Planned) {
        let at = planned.envoy;
        self.homes[at].kill_scraper();
        if matches!(
            planned.fault,
            Fault::JournalRemoved | Fault::JournalRestored
        ) {
            self.journal_is_gone(at);
        }
        let home = &mut self.homes[at];
        match planned.fault {
            Fault::JournalReadOnly => home.start_scraper(false).await,
            Fault::JournalRemoved => home.remove_journal(),
            Fault::JournalRestored => home.restore_journal(planned.in_place),
            _ => home.copy_journal(),
        }
    }

    /// Ends a fault.
    pub async fn heal(&mut self, planned: &Planned) {
        let at = planned.envoy;
        match planned.fault {
            Fault::ScraperKilled | Fault::JournalRemoved | Fault::JournalRestored => {
                self.homes[at].start_scraper(true).await;
            }
            Fault::ScraperStopped => self.homes[at].scraper().signal(Signal::CONT),
            Fault::SecondScraper => self.homes[at].stop_second(),
            Fault::JournalDiskFull | Fault::JournalReadOnly => self.homes[at].fill_disk(false),
            Fault::ReceiverKilled | Fault::ReceiverStateRemoved => self.start_receiver(),
            Fault::ReceiverStopped => self.signal_receiver(Signal::CONT),
            Fault::SecondReceiver => self.stop_second_receiver(),
            Fault::QueueOverflows => {
                // Before the broker: the queue is as short as it was for who comes back first.
                self.start_receiver();
                self.restart_broker(&Configuration::shipped()).await;
            }
            Fault::BrokerKilled | Fault::BrokerRolledBack | Fault::BrokerWiped => {
                self.chain.broker.start_again().await;
            }
            Fault::BrokerStopped => self.chain.broker.unpause().await,
            Fault::StoreKilled => self.chain.influx.start_again().await,
            Fault::StoreStopped => self.chain.influx.unpause().await,
            Fault::StoreUnavailable
            | Fault::StoreOverloaded
            | Fault::StoreFails
            | Fault::StoreRefusesToken
            | Fault::StoreAnswersLost
            | Fault::StoreAnswersHeld => self.answers(Answers::Passed),
            Fault::LinkCut | Fault::LinkHalfOpen | Fault::LinkSlow | Fault::LinkReset => {
                self.link(planned, Quality::Good).await;
            }
            Fault::EnvoyStopped => {
                self.homes[at].gateway().signal(Signal::CONT);
                self.homes[at].is_stopped(false).await;
            }
            Fault::EnvoyHangs | Fault::EnvoyRefuses | Fault::EnvoyReboots => {
                self.homes[at].gateway().heal().await;
            }
            // They stay as they are.
            Fault::EnvoyClockSetBack | Fault::JournalTakenAway => {}
        }
    }

    async fn restart_broker(&self, configuration: &Configuration) {
        self.chain.broker.stop().await;
        self.chain.broker.configure(configuration);
        self.chain.broker.start_again().await;
    }

    fn signal_receiver(&self, signal: Signal) {
        if let Some(receiver) = &self.receiver {
            receiver.signal(signal);
        }
    }

    fn refuse(&self, status: StatusCode) {
        self.answers(Answers::Refused(status));
    }

    async fn link(&mut self, planned: &Planned, quality: Quality) {
        let home = &mut self.homes[planned.envoy];
        if planned.line != Line::Envoy {
            let link: &Link = match planned.line {
                Line::Scraper => &home.to_broker,
                Line::Receiver => &self.receiver_to_broker,
                Line::Envoy | Line::Store => &self.receiver_to_store,
            };
            link.becomes(quality);
            return;
        }
        // What has left the Envoy complete may be lost on this link.
        if quality == Quality::Good {
            home.to_envoy.becomes(quality);
            home.unsure(false).await;
        } else {
            home.unsure(true).await;
            home.to_envoy.becomes(quality);
        }
    }
}

/// A broker that keeps little for those who are away.
fn short_queue() -> Configuration {
    Configuration::shipped()
        .with("max_queued_messages", "20")
        .with("max_inflight_messages", "20")
}
