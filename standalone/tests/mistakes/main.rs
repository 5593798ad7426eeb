//! Wrong configurations of the three programs, each with the whole of what is said about it.

mod table;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use daemon::command_line;
use daemon::settings::{Key, Problems, Settings, Sources};
use tempfile::TempDir;

use table::{DOUBTFUL, Program, Row, WRONG};

/// What no output may have: every secret of the tables has this word in it.
const SECRET: &str = "hush";

impl Program {
    fn command(self) -> clap::Command {
        match self {
            Self::Scraper => scraper::cli::command(),
            Self::Receiver => receiver::cli::command(),
            Self::Standalone => standalone::cli::command(),
        }
    }

    fn keys(self) -> Vec<Key> {
        match self {
            Self::Scraper => scraper::config::keys(),
            Self::Receiver => receiver::config::keys(),
            Self::Standalone => standalone::config::keys(),
        }
    }

    /// Variables with which it starts.
    fn sound(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Scraper => &[("ENVOY_HOST", "192.168.1.20"), ("STATE_DIR", "/nowhere")],
            Self::Receiver => &[
                ("INFLUX_TOKEN", "a-hush-token"),
                ("INFLUX_ORG", "home"),
                ("INFLUX_BUCKET", "envoy"),
                ("STATE_DIR", "/nowhere"),
            ],
            Self::Standalone => &[("STATE_DIR", "/nowhere")],
        }
    }

    /// Reads the settings as the program does.
    fn read(self, settings: &mut Settings) -> Option<()> {
        match self {
            Self::Scraper => scraper::config::Config::from_settings(settings).map(drop),
            Self::Receiver => receiver::config::from_settings(settings).map(drop),
            Self::Standalone => standalone::config::Config::from_settings(settings).map(drop),
        }
    }
}

/// A directory with the files that the tables name.
fn files() -> TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for (name, content) in table::FILES {
        std::fs::write(directory.path().join(name), content).expect("the directory is ours");
    }
    directory
}

/// What a row sets, in force.
fn gathered(row: &Row, directory: &Path) -> Settings {
    let keys = row.program.keys();
    let mut environment: BTreeMap<String, String> = row
        .program
        .sound()
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let mut arguments = vec!["program".to_owned()];
    let mut file: Option<PathBuf> = None;
    for setting in row.set {
        let setting = setting.replace("{dir}", &directory.display().to_string());
        if let Some(content) = setting.strip_prefix("file: ") {
            let path = directory.join("settings.toml");
            std::fs::write(&path, content).expect("the directory is ours");
            file = Some(path);
        } else if setting.starts_with("--") {
            arguments.push(setting);
        } else {
            let (name, value) = setting.split_once('=').expect("a variable is NAME=value");
            environment.insert(name.to_owned(), value.to_owned());
        }
    }
    let matches = row
        .program
        .command()
        .try_get_matches_from(arguments)
        .expect("the flags of the table exist");
    let sources = Sources {
        flags: command_line::flags(&matches, &keys),
        file: command_line::file(&matches).or(file),
        environment,
        ..Sources::default()
    };
    Settings::gather(&keys, sources)
}

/// The lines of a list of mistakes, with the directory's name taken out again.
fn lines(problems: &Problems, directory: &Path) -> Vec<String> {
    let said = problems.to_string();
    let said = said.replace(&directory.display().to_string(), "{dir}");
    said.lines()
        .skip(1)
        .map(|line| line.trim().to_owned())
        .collect()
}

#[test]
fn each_wrong_configuration_is_answered_with_what_is_wrong_and_what_to_do() {
    daemon::install_crypto_provider();
    let directory = files();
    let mut differences = Vec::new();
    for row in WRONG {
        let mut settings = gathered(row, directory.path());
        let built = row.program.read(&mut settings);
        let said = match settings.finish(built) {
            Ok(()) => vec!["nothing".to_owned()],
            Err(problems) => lines(&problems, directory.path()),
        };
        if said != row.said {
            differences.push(format!("{:?} {:#?}\nsaid {said:#?}", row.program, row.set));
        }
        assert!(!said.concat().contains(SECRET), "{said:?}");
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(WRONG.len() >= 50, "only {} are left", WRONG.len());
}

#[test]
fn what_is_only_doubtful_is_remarked_upon_and_does_no_harm() {
    daemon::install_crypto_provider();
    let directory = files();
    for row in DOUBTFUL {
        let mut settings = gathered(row, directory.path());
        let built = row.program.read(&mut settings);
        let remarks = settings.remarks().iter().map(ToString::to_string);
        assert_eq!(remarks.collect::<Vec<_>>(), row.said, "{:?}", row.set);
        assert_eq!(settings.finish(built), Ok(()), "{:?}", row.set);
    }
}

#[test]
fn what_is_in_force_is_shown_without_secrets_however_wrong_it_is() {
    let directory = files();
    for row in WRONG.iter().chain(DOUBTFUL) {
        let shown = gathered(row, directory.path()).in_force();
        assert!(!shown.contains(SECRET), "{shown}");
        assert!(shown.contains("[log]\nfilter = "), "{shown}");
    }
}

#[test]
fn what_is_in_force_is_shown_with_the_source_of_each_value() {
    let row = Row {
        program: Program::Receiver,
        set: &[
            "--influx-bucket=solar",
            "ENVOY_INFLUX_URL=http://db:8086",
            "MQTT_PASSWORD_FILE={dir}/password",
            "file: name = \"second\"\n[mqtt]\nusername = \"me@home\"\n[testing]\nkeep_alive = \"5s\"",
        ],
        said: &[],
    };
    let directory = files();
    let shown = gathered(&row, directory.path()).in_force();
    let shown = shown.replace(&directory.path().display().to_string(), "{dir}");
    // The column of sources depends on the longest path.
    let shown: Vec<String> = shown
        .lines()
        .map(|line| match line.split_once("  # ") {
            Some((value, source)) => format!("{}  # {source}", value.trim_end()),
            None => line.to_owned(),
        })
        .collect();
    assert_eq!(shown[2..].join("\n"), table::IN_FORCE);
}
