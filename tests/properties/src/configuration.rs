//! Settings, by variables and by a file.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Once;

use daemon::settings::{Key, Problems, Settings, Sources};
use tempfile::TempDir;

use crate::{Input, logged};

/// A secret that is among the settings, whatever else is.
const SECRET: &str = "correct-horse-battery-staple";

/// What stands for the path of a file with that secret.
const SECRET_FILE: &str = "SECRET-FILE";

/// Lines such as `MQTT_URL=mqtt://broker` up to an empty one, then a file in TOML. Each mistake is one line, and says
/// nothing of a secret, nor does `--print-config`, whose file says the same as these. They are understood where the
/// scraper or the receiver makes no complaint.
pub(crate) fn configuration(data: &[u8]) -> Input {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(daemon::install_crypto_provider);
    let text = String::from_utf8_lossy(data);
    if data.len() > 16 * 1024 || text.contains(SECRET) {
        return Input::Refused;
    }
    let (variables, file) = text.split_once("\n\n").unwrap_or((&text, ""));
    // What is set in no section a program knows is a mistake that is named without its value, too.
    let mistaken = format!("{file}\npassword = \"{SECRET}\"\n");
    is_taken(variables, &mistaken);
    prints(variables, file);
    Input::understood_if(is_taken(variables, file))
}

/// These settings as a program gets them, with files in this folder.
struct Given<'a> {
    variables: &'a str,
    folder: TempDir,
}

impl<'a> Given<'a> {
    fn new(variables: &'a str, file: &str) -> Self {
        let given = Self {
            variables,
            folder: tempfile::tempdir().expect("a directory"),
        };
        fs::write(given.secret(), SECRET).expect("a file");
        fs::write(given.file(), file.replace(SECRET_FILE, &given.secret())).expect("a file");
        given
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("settings.toml")
    }

    fn secret(&self) -> String {
        let path = self.folder.path().join("secret");
        path.to_str().expect("a path that is text").to_owned()
    }

    fn sources(&self, keys: &[Key]) -> Sources {
        let lines = self.variables.lines();
        let mut environment: BTreeMap<String, String> = lines
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.replace(SECRET_FILE, &self.secret())))
            .collect();
        for key in keys.iter().filter(|key| key.secret) {
            if let Some(value) = environment.get_mut(key.env) {
                value.push_str(SECRET);
            }
        }
        Sources {
            environment,
            file: Some(self.file()),
            ..Sources::default()
        }
    }
}

/// Whether one of the programs takes these settings.
fn is_taken(variables: &str, file: &str) -> bool {
    let given = Given::new(variables, file);
    let sources = given.sources(&scraper::config::keys());
    let scraper = scraper::config::Config::read(sources);
    let scraper = judge(scraper.map(|(config, _)| format!("{config:?}")));
    let sources = given.sources(&receiver::config::keys());
    let receiver = receiver::config::read(sources);
    let receiver = judge(receiver.map(|everything| format!("{:?}", everything.config)));
    scraper || receiver
}

/// What `--print-config` prints can be kept as a file: that has the same settings, and no mistake.
fn prints(variables: &str, file: &str) {
    let given = Given::new(variables, file);
    for keys in [scraper::config::keys(), receiver::config::keys()] {
        let printed = Settings::gather(&keys, given.sources(&keys)).in_force();
        assert!(!printed.contains(SECRET), "{printed}");
        let again = Given::new("", &printed);
        let kept = Settings::gather(&keys, again.sources(&keys));
        let read = |text: &str| toml::from_str::<toml::Table>(text).expect("TOML");
        assert_eq!(read(&kept.in_force()), read(&printed));
        if let Err(problems) = kept.finish(Some(())) {
            panic!("{problems}: {printed}");
        }
    }
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
