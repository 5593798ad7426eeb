use std::collections::BTreeMap;

use secrecy::ExposeSecret;

use super::*;

const SPEED: Key = Key::new("drive.speed", "SPEED")
    .flag("speed", "NUMBER")
    .default("7")
    .help("how fast");
const PLACE: Key = Key::new("drive.place", "PLACE")
    .env_alias("OLD_PLACE")
    .help("where to");
const PIN: Key = Key::new("drive.pin", "PIN").secret();
const KEYS: [Key; 3] = [SPEED, PLACE, PIN];

fn environment(pairs: &[(&str, &str)]) -> Sources {
    Sources {
        environment: pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..Sources::default()
    }
}

fn file(text: &str) -> (tempfile::TempDir, Sources) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("settings.toml");
    std::fs::write(&path, text).expect("a writable directory");
    let sources = Sources {
        file: Some(path),
        ..Sources::default()
    };
    (directory, sources)
}

fn speed(sources: Sources) -> Option<u32> {
    Settings::gather(&KEYS, sources).required(&SPEED, number::<u32>)
}

#[test]
fn a_flag_goes_before_the_environment_before_the_file_before_the_default() {
    assert_eq!(speed(Sources::default()), Some(7));
    let (_directory, mut sources) = file("[drive]\nspeed = 8");
    let all = Sources {
        flags: BTreeMap::from([(SPEED.name, "10".to_owned())]),
        environment: environment(&[("SPEED", "9")]).environment,
        file: sources.file.clone(),
        ..Sources::default()
    };
    assert_eq!(speed(all), Some(10));
    sources.environment = environment(&[("SPEED", "9")]).environment;
    assert_eq!(speed(sources), Some(9));
    let (_directory, sources) = file("[drive]\nspeed = 8");
    assert_eq!(speed(sources), Some(8));
}

#[test]
fn an_empty_variable_counts_as_unset() {
    assert_eq!(speed(environment(&[("SPEED", "")])), Some(7));
}

#[test]
fn text_is_taken_as_it_is_written() {
    let (_directory, sources) = file("[drive]\nplace = \"007\"");
    let place = Settings::gather(&KEYS, sources).required(&PLACE, text);
    assert_eq!(place.as_deref(), Some("007"));
}

#[test]
fn an_alias_is_read_when_the_name_is_unset() {
    let place =
        |pairs: &[(&str, &str)]| Settings::gather(&KEYS, environment(pairs)).required(&PLACE, text);
    assert_eq!(place(&[("OLD_PLACE", "a")]).as_deref(), Some("a"));
    let both = place(&[("OLD_PLACE", "a"), ("PLACE", "b")]);
    assert_eq!(both.as_deref(), Some("b"));
}

#[test]
fn every_mistake_is_listed_with_its_place_and_value() {
    let (_directory, mut sources) = file("[drive]\nspeed = \"fast\"\ncolour = 3");
    let path = sources.file.clone().expect("a file").display().to_string();
    sources.environment = environment(&[("PIN_FILE", "/no/such/file")]).environment;
    let mut settings = Settings::gather(&KEYS, sources);
    let speed = settings.required(&SPEED, number::<u32>);
    let place = settings.required(&PLACE, text);
    let pin = settings.required_secret(&PIN, |_| Ok(()));
    assert!(speed.is_none() && place.is_none() && pin.is_none());
    let problems = settings.finish(None::<()>).expect_err("four mistakes");
    assert_eq!(
        problems.to_string(),
        format!(
            "the configuration has 4 mistakes:\n  \
             drive.colour in {path}: there is no such key; --print-config lists them all\n  \
             drive.speed in {path}: \"fast\" is not a whole number from 1 on; write for example 10\n  \
             PLACE: missing: where to (or drive.place in a file)\n  \
             PIN_FILE: \"/no/such/file\" does not exist; check the path"
        )
    );
}

#[test]
fn a_secret_comes_from_its_key_or_from_its_file_but_not_from_both() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("pin");
    std::fs::write(&path, "1234\n").expect("a writable directory");
    let path = path.to_str().expect("a Unicode path");
    let reveal = |pairs: &[(&str, &str)]| {
        let secret =
            Settings::gather(&KEYS, environment(pairs)).required_secret(&PIN, |_| Ok(()))?;
        Some(
            secret
                .reveal()
                .expect("readable")
                .expose_secret()
                .to_owned(),
        )
    };
    assert_eq!(reveal(&[("PIN", "99")]).as_deref(), Some("99"));
    assert_eq!(reveal(&[("PIN_FILE", path)]).as_deref(), Some("1234"));

    let mut settings = Settings::gather(&KEYS, environment(&[("PIN", "99"), ("PIN_FILE", path)]));
    assert!(settings.secret(&PIN).is_none());
    let problems = settings.finish(None::<()>).expect_err("both are set");
    assert!(
        problems
            .to_string()
            .contains("PIN: set together with PIN_FILE")
    );
}

#[test]
fn a_value_that_is_not_unicode_is_a_mistake_and_not_unset() {
    let sources = Sources {
        unreadable: ["PIN_FILE".to_owned(), "HOME".to_owned()].into(),
        ..Sources::default()
    };
    let problems = Settings::gather(&KEYS, sources).finish(None::<()>);
    assert_eq!(
        problems.expect_err("one mistake").to_string(),
        "the configuration has a mistake:\n  PIN_FILE: its value is not Unicode; write it in UTF-8"
    );
}

#[test]
fn a_secret_that_has_no_end_is_not_read_to_the_end() {
    let mut settings = Settings::gather(&KEYS, environment(&[("PIN_FILE", "/dev/zero")]));
    assert!(settings.secret(&PIN).is_none());
    let problems = settings.finish(None::<()>).expect_err("too long");
    assert!(
        problems.to_string().contains("longer than 64 KiB"),
        "{problems}"
    );
}

#[test]
fn a_secret_is_shown_nowhere() {
    let mut settings = Settings::gather(&KEYS, environment(&[("PIN", "s3cret")]));
    let secret = settings
        .required_secret(&PIN, |_| Ok(()))
        .expect("it is set");
    assert!(!format!("{secret:?}").contains("s3cret"));
    let _ = settings.optional(&PIN, |_| Err::<(), _>("no good"));
    let problems = settings.finish(None::<()>).expect_err("one mistake");
    assert!(!problems.to_string().contains("s3cret"));
}

#[test]
fn a_password_in_an_address_or_in_a_broken_file_is_not_repeated() {
    let mut settings = Settings::gather(
        &KEYS,
        environment(&[
            ("PLACE", "mqtt://me:hunter2@there"),
            ("SPEED", "me:hunter2@x"),
        ]),
    );
    let _ = settings.optional(&PLACE, |_| Err::<(), _>("no good"));
    let _ = settings.optional(&SPEED, |_| Err::<(), _>("no good"));
    let problems = settings
        .finish(None::<()>)
        .expect_err("two mistakes")
        .to_string();
    assert!(problems.contains("mqtt://***@there"), "{problems}");
    assert!(!problems.contains("hunter2"), "{problems}");

    let (_directory, sources) = file("[drive]\npin = \"hunter2");
    let problems = Settings::gather(&KEYS, sources).finish(None::<()>);
    let problems = problems.expect_err("no TOML").to_string();
    assert!(problems.contains("line 2"), "{problems}");
    assert!(!problems.contains("hunter2"), "{problems}");
}

#[test]
fn nothing_in_a_mistake_is_obeyed_by_a_terminal() {
    let (_directory, sources) = file("[drive]\n\"a\\u001b[2J\" = 1\nspeed = \"\\u0007\"\n");
    let read = Settings::read(&KEYS, sources, |settings| {
        settings.required(&SPEED, number::<u32>)
    });
    let said = read.expect_err("two mistakes").to_string();
    assert_eq!(said.lines().count(), 3, "{said:?}");
    for line in said.lines() {
        assert!(!line.contains(char::is_control), "{line:?}");
    }
}
