#![allow(clippy::unwrap_used)]

use std::sync::Mutex;

use store::{Marked, Marks, MarksError};
use wire::{InverterState, Reading};

use super::*;
use crate::healths::tests::{NOON, health};

/// A store that answers as it is told, and notes of whom it was asked to keep how they do.
struct Told {
    answer: fn(&[Health]) -> Result<(), HealthError>,
    asked: Mutex<Vec<usize>>,
}

impl Told {
    fn new(answer: fn(&[Health]) -> Result<(), HealthError>) -> Self {
        Self {
            answer,
            asked: Mutex::default(),
        }
    }

    async fn takes(&self, healths: &Healths) -> (Result<(), Duration>, Vec<usize>) {
        let outcome = keep_once(self, healths, &mut Outage::new("refused")).await;
        (outcome, std::mem::take(&mut self.asked.lock().unwrap()))
    }
}

impl MarkedStore for Told {
    async fn marks(&self) -> Result<Marks, MarksError> {
        Ok(Marks::default())
    }

    async fn store(&self, _: &[Reading], _: &Marks) -> Result<Marked, WriteError> {
        unreachable!("readings go another way")
    }

    async fn update(&self, _: &Marks) -> Result<(), MarksError> {
        Ok(())
    }

    async fn save(&self, _: &Marks) -> Result<(), MarksError> {
        Ok(())
    }

    async fn keep_healths(&self, healths: &[Health]) -> Result<(), HealthError> {
        self.asked.lock().unwrap().push(healths.len());
        (self.answer)(healths)
    }
}

/// Of so many Envoys, of one inverter each.
fn heard(envoys: usize) -> Healths {
    let healths = Healths::default();
    for number in 0..envoys {
        let mut one = health(NOON, &[("a", InverterState::Reporting)]);
        one.envoy = format!("e{number}").parse().unwrap();
        healths.heard(one, true);
    }
    healths
}

#[tokio::test]
async fn many_envoys_go_into_one_write() {
    let healths = heard(TOGETHER + 5);
    let store = Told::new(|_| Ok(()));
    assert_eq!(store.takes(&healths).await, (Ok(()), vec![TOGETHER, 5]));
    assert_eq!(store.takes(&healths).await, (Ok(()), vec![]));
}

#[tokio::test]
async fn a_store_that_takes_nothing_is_asked_once_and_left_alone_for_as_long_as_it_says() {
    let healths = heard(TOGETHER + 5);
    let pause = Duration::from_secs(3);
    let store = Told::new(|_| {
        Err(HealthError::Store(WriteError::Unavailable {
            problem: "busy".to_owned(),
            retry_after: Some(Duration::from_secs(3)),
            source: None,
        }))
    });
    assert_eq!(store.takes(&healths).await, (Err(pause), vec![TOGETHER]));
    assert_eq!(healths.waiting().len(), TOGETHER + 5);
}

#[tokio::test]
async fn one_envoy_that_is_refused_keeps_no_other_from_being_stored() {
    let healths = heard(3);
    let store = Told::new(|healths| {
        let is_bad = |health: &Health| health.envoy.as_str() == "e1";
        if healths.iter().any(is_bad) {
            Err(HealthError::Refused("another type".to_owned()))
        } else {
            Ok(())
        }
    });
    let (outcome, asked) = store.takes(&healths).await;
    assert_eq!((outcome, asked), (Err(Duration::ZERO), vec![3, 1, 1, 1]));
    assert_eq!(healths.waiting(), ["e1".parse().unwrap()]);
    assert_eq!(store.takes(&healths).await.1, [1]);
}
