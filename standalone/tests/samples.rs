//! The sample files in `examples/` have exactly the keys that the programs know, and can be used as
//! they stand.
//!
//! `WRITE_SAMPLES=1 cargo test -p standalone --test samples` writes them anew.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use daemon::settings::{Key, Settings, Sources};
use tempfile::TempDir;

/// A program as far as its file goes.
struct Program {
    name: &'static str,
    about: &'static str,
    keys: Vec<Key>,
    /// What it can't start without.
    needed: &'static [&'static str],
    read: fn(Sources) -> Result<(), String>,
}

fn programs() -> [Program; 3] {
    [
        Program {
            name: "envoy-scraper",
            about: "reads an Envoy and publishes by MQTT",
            keys: scraper::config::keys(),
            needed: &[],
            read: |sources| outcome(scraper::config::Config::read(sources)),
        },
        Program {
            name: "envoy-receiver",
            about: "subscribes and stores in InfluxDB",
            keys: receiver::config::keys(),
            needed: &["influx.token", "influx.org", "influx.bucket"],
            read: |sources| outcome(receiver::config::read(sources)),
        },
        Program {
            name: "envoy-scrape",
            about: "all in one process; simulates an Envoy when it is given none",
            keys: standalone::config::keys(),
            needed: &[],
            read: |sources| outcome(standalone::config::Config::read(sources)),
        },
    ]
}

fn outcome<T>(read: Result<T, daemon::settings::Problems>) -> Result<(), String> {
    read.map(drop).map_err(|problems| problems.to_string())
}

/// The sample: every key with its meaning; what is not needed is commented out.
fn sample(program: &Program) -> String {
    let Program { name, about, .. } = program;
    let mut sample = format!(
        "\
# Settings of {name}: {about}.
#
#     {name} --config {name}.toml
#
# What is commented out shows its default, or an example where there is none. Flags and environment
# variables go before this file; {name} --print-config shows what is in force. A secret is better kept
# in a file of its own, which the key that ends in _file names.
"
    );
    let mut section = "";
    for key in in_order(&program.keys) {
        let (of, leaf) = key.name.rsplit_once('.').unwrap_or(("", key.name));
        if of != section {
            section = of;
            let _ = write!(sample, "\n[{section}]\n");
        }
        let mark = if program.needed.contains(&key.name) {
            ""
        } else {
            "# "
        };
        let _ = write!(sample, "\n# {} ({})\n", key.help, other_ways(key));
        let _ = writeln!(sample, "{mark}{leaf} = \"{}\"", value(key));
        if key.secret {
            let file = format!("/run/secrets/{}", key.name.replace('.', "-"));
            let _ = writeln!(sample, "# {leaf}_file = \"{file}\"");
        }
    }
    sample
}

/// The keys that people set, those without a section first, as TOML has it.
fn in_order(keys: &[Key]) -> Vec<&Key> {
    let mut keys: Vec<&Key> = keys.iter().filter(|key| !key.env.is_empty()).collect();
    let order: Vec<&str> = keys.iter().map(|key| section(key)).collect();
    keys.sort_by_key(|key| {
        let first = order.iter().position(|section_| *section_ == section(key));
        (!section(key).is_empty(), first)
    });
    keys
}

fn section(key: &Key) -> &'static str {
    key.name.rsplit_once('.').map_or("", |(section, _)| section)
}

fn other_ways(key: &Key) -> String {
    match key.flag {
        Some(flag) => format!("{}, --{flag}", key.env),
        None => key.env.to_owned(),
    }
}

fn value(key: &Key) -> &'static str {
    match key.default.or(key.example) {
        Some(value) => value,
        None if key.secret => "...",
        None if key.value == "FILE" => "/etc/envoy-scrape/file.pem",
        None => panic!("{} needs an example for the sample files", key.name),
    }
}

fn path(program: &Program) -> PathBuf {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    examples.join(format!("{}.toml", program.name))
}

fn stored(program: &Program) -> String {
    let path = path(program);
    std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{} can't be read: {error}", path.display()))
}

/// Reads a file with this content, without any environment but a home.
fn read(program: &Program, directory: &TempDir, content: &str) -> Result<(), String> {
    daemon::install_crypto_provider();
    let file = directory.path().join("settings.toml");
    std::fs::write(&file, content).expect("the directory is ours");
    (program.read)(Sources {
        environment: [("HOME".to_owned(), "/nowhere".to_owned())].into(),
        file: Some(file),
        ..Sources::default()
    })
}

/// The sample with every line in force. Of a secret the text or its file: both would be a mistake.
/// Addresses become those of TLS, which certificates belong to; files are made, and tokens look like
/// some.
fn uncommented(program: &Program, directory: &TempDir, secrets_in_files: bool) -> String {
    const TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJhdWQiOiIxIn0.c2ln";
    let unwanted: Vec<String> = program
        .keys
        .iter()
        .filter(|key| key.secret)
        .map(|key| {
            let leaf = key.name.rsplit('.').next().expect("a split has a part");
            if secrets_in_files {
                leaf.to_owned()
            } else {
                format!("{leaf}_file")
            }
        })
        .collect();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let mut section = "";
    let mut lines = String::new();
    let sample = stored(program);
    for line in sample.lines() {
        if line.starts_with('[') {
            section = line;
        }
        let bare = line.strip_prefix("# ").unwrap_or(line);
        let line = match bare.split_once(" = ") {
            Some((leaf, _)) if unwanted.iter().any(|name| name == leaf) => continue,
            Some((leaf, _)) if leaf.ends_with("_file") => {
                let file = directory.path().join(leaf);
                let content = match leaf {
                    "token_file" if section == "[envoy]" => TOKEN,
                    "names_file" => "[inverters]\n1 = \"Garage\"\n",
                    "key_file" => &key,
                    "ca_file" | "cert_file" => &certificate,
                    _ => "text",
                };
                std::fs::write(&file, content).expect("the directory is ours");
                format!("{leaf} = \"{}\"", file.display())
            }
            Some(("token", _)) if section == "[envoy]" => format!("token = \"{TOKEN}\""),
            Some((_, value)) if value.starts_with('"') => bare
                .replace("mqtt://", "mqtts://")
                .replace("http://", "https://"),
            _ => line.to_owned(),
        };
        lines.push_str(&line);
        lines.push('\n');
    }
    lines
}

#[test]
fn each_sample_has_every_key_and_no_other() {
    for program in programs() {
        let expected = sample(&program);
        if std::env::var_os("WRITE_SAMPLES").is_some() {
            std::fs::write(path(&program), &expected).expect("the samples can be written");
        }
        assert!(
            stored(&program) == expected,
            "{} should be (WRITE_SAMPLES=1 writes it):\n{expected}",
            path(&program).display()
        );
    }
}

#[test]
fn each_sample_can_be_used_as_it_stands() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for program in programs() {
        assert_eq!(
            read(&program, &directory, &stored(&program)),
            Ok(()),
            "{}",
            program.name
        );
    }
}

#[test]
fn each_sample_can_be_used_with_every_line_in_force() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for program in programs() {
        for secrets_in_files in [false, true] {
            let content = uncommented(&program, &directory, secrets_in_files);
            let set = content
                .lines()
                .filter(|line| line.contains(" = \""))
                .count();
            let keys = program
                .keys
                .iter()
                .filter(|key| !key.env.is_empty())
                .count();
            assert_eq!(set, keys, "{content}");
            assert_eq!(read(&program, &directory, &content), Ok(()), "{content}");
        }
    }
}

#[test]
fn what_a_sample_has_in_force_is_needed() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for program in programs() {
        for name in program.needed {
            let leaf = name.rsplit('.').next().expect("a split has a part");
            let without: String = stored(&program)
                .lines()
                .filter(|line| !line.starts_with(&format!("{leaf} = ")))
                .fold(String::new(), |text, line| text + line + "\n");
            let mistakes = read(&program, &directory, &without).expect_err(name);
            assert!(mistakes.contains("missing"), "{mistakes}");
        }
    }
}

#[test]
fn what_print_config_prints_can_be_used_as_the_file() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for program in programs() {
        let content = uncommented(&program, &directory, true);
        let file = directory.path().join("all.toml");
        std::fs::write(&file, &content).expect("the directory is ours");
        let sources = Sources {
            file: Some(file),
            ..Sources::default()
        };
        let printed = Settings::gather(&program.keys, sources).in_force();
        assert_eq!(read(&program, &directory, &printed), Ok(()), "{printed}");
        let again = Sources {
            file: Some(directory.path().join("settings.toml")),
            ..Sources::default()
        };
        let values = |printed: &str| {
            let lines = printed.lines().filter_map(|line| line.split_once("  # "));
            lines
                .map(|(value, _)| value.trim_end().to_owned())
                .collect::<Vec<_>>()
        };
        let again = Settings::gather(&program.keys, again).in_force();
        assert_eq!(values(&printed), values(&again));
    }
}
