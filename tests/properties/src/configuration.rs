//! Settings, by variables and by a file.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Once;

use daemon::settings::{Key, Problems, Sources};

use crate::{Input, logged};

/// A secret that is among the settings, whatever else is.
const SECRET: &str = "correct-horse-battery-staple";

/// Lines such as `MQTT_URL=mqtt://broker` up to an empty one, then a file in TOML. Each mistake is one line, and says
/// nothing of a secret. They are understood where the scraper or the receiver makes no complaint.
pub(crate) fn configuration(data: &[u8]) -> Input {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(daemon::install_crypto_provider);
    if data.len() > 16 * 1024 {
        return Input::Refused;
    }
    let text = String::from_utf8_lossy(data);
    let (variables, file) = text.split_once("\n\n").unwrap_or((&text, ""));
    // What is set in no section a program knows is a mistake that is named without its value, too.
    let mistaken = format!("{file}\npassword = \"{SECRET}\"\n");
    is_taken(variables, &mistaken);
    Input::understood_if(is_taken(variables, file))
}

/// Whether one of the programs takes these settings.
fn is_taken(variables: &str, file: &str) -> bool {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("settings.toml");
    fs::write(&path, file).expect("a file");
    let sources = |keys: &[Key]| {
        let variables = variables.lines().filter_map(|line| line.split_once('='));
        let mut environment: BTreeMap<String, String> = variables
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        for key in keys.iter().filter(|key| key.secret) {
            if let Some(value) = environment.get_mut(key.env) {
                value.push_str(SECRET);
            }
        }
        Sources {
            environment,
            file: Some(path.clone()),
            ..Sources::default()
        }
    };
    let scraper = scraper::config::Config::read(sources(&scraper::config::keys()));
    let scraper = judge(scraper.map(|(config, _)| format!("{config:?}")));
    let receiver = receiver::config::read(sources(&receiver::config::keys()));
    let receiver = judge(receiver.map(|everything| format!("{:?}", everything.config)));
    scraper || receiver
}

/// Whether settings were taken, of which this is said.
fn judge(read: Result<String, Problems>) -> bool {
    let is_taken = read.is_ok();
    let said = match read {
        Ok(shown) => shown,
        Err(problems) => {
            let said = problems.to_string();
            said.lines().for_each(logged::is_fit);
            said
        }
    };
    assert!(!said.contains(SECRET), "{said}");
    is_taken
}
