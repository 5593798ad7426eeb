//! Parts of the promise that can be taken out, to see that their loss is seen. Only in builds with the
//! feature `sabotage`, which nobody ships: others refuse the key.

use std::sync::OnceLock;

use crate::settings::{Key, Settings};

/// Which part is taken out.
pub const KEY: Key = Key::file_only("testing.sabotage");

/// A part of the promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// The receiver saves its marks before the store has accepted.
    MarkEarly,
    /// The scraper begins a new journal at each start.
    SkipJournal,
    /// The receiver never asks for what is missing.
    NoAudit,
    /// The scraper takes it that plain topics show what they should.
    NoRepublish,
}

static CHOSEN: OnceLock<Sabotage> = OnceLock::new();

/// Reads the choice out of a daemon's settings.
pub fn read(settings: &mut Settings) {
    let chosen = settings.optional(&KEY, |text| match text {
        "mark-early" => Ok(Sabotage::MarkEarly),
        "skip-journal" => Ok(Sabotage::SkipJournal),
        "no-audit" => Ok(Sabotage::NoAudit),
        "no-republish" => Ok(Sabotage::NoRepublish),
        _ => Err("is no part that can be taken out".to_owned()),
    });
    if let Some(chosen) = chosen {
        // A process reads its settings once.
        let _ = CHOSEN.set(chosen);
    }
}

/// Whether this part is taken out of this process.
#[must_use]
pub fn is(part: Sabotage) -> bool {
    CHOSEN.get() == Some(&part)
}
