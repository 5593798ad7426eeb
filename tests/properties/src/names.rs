//! The file in which owners name their inverters.

use scraper::names::Names;

use crate::{Input, logged};

/// The file: what is taken as a name can be shown, and each mistake is one line.
pub(crate) fn names(data: &[u8]) -> Input {
    let (names, mistakes) = Names::parse(data);
    for inverter in names.inverters() {
        let shown = [names.name(inverter), names.array(inverter)];
        for text in shown.into_iter().flatten() {
            logged::is_fit(text);
            assert!((1..=64).contains(&text.chars().count()), "{text:?}");
            assert_eq!(text.trim(), text);
        }
    }
    for (name, inverters) in names.shared() {
        assert!(inverters.len() > 1, "{name} is of one alone");
    }
    if let Some(mistakes) = &mistakes {
        logged::is_fit(&mistakes.to_string());
    }
    Input::understood_if(mistakes.is_none())
}
