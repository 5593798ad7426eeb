#![allow(clippy::unwrap_used)]

use super::*;

fn settings(url: &str) -> Settings {
    Settings {
        url: url.parse().unwrap(),
        token: TokenSource::Value("secret".into()),
        org: "home".into(),
        bucket: "solar".into(),
        timeout: Settings::DEFAULT_TIMEOUT,
        ca_file: None,
    }
}

#[test]
fn the_path_of_a_reverse_proxy_is_kept() {
    for (base, written) in [
        ("http://db:8086", "http://db:8086/api/v2/write"),
        ("https://db/influx", "https://db/influx/api/v2/write"),
        ("https://db/a/influx/", "https://db/a/influx/api/v2/write"),
    ] {
        let url = write_url(&settings(base)).unwrap();
        assert_eq!(
            url.as_str(),
            format!("{written}?org=home&bucket=solar&precision=s")
        );
    }
}

#[test]
fn names_are_encoded() {
    let url = write_url(&Settings {
        org: "my home & co".into(),
        bucket: "db/autogen".into(),
        ..settings("http://db")
    });
    assert_eq!(
        url.unwrap().query(),
        Some("org=my+home+%26+co&bucket=db%2Fautogen&precision=s")
    );
}

#[test]
fn an_address_that_is_no_servers_is_named_without_its_secrets() {
    for url in [
        "ftp://db",
        "http://u:hush@db",
        "http://hush@db",
        "http://db?token=hush",
        "http://db#hush",
    ] {
        let error = write_url(&settings(url)).unwrap_err().to_string();
        assert!(error.contains("db"), "{error}");
        assert!(!error.contains("hush"), "{error}");
    }
}

#[test]
fn an_empty_organisation_or_bucket_is_refused() {
    let no_org = Settings {
        org: " ".into(),
        ..settings("http://db")
    };
    let no_bucket = Settings {
        bucket: String::new(),
        ..settings("http://db")
    };
    assert!(matches!(
        write_url(&no_org),
        Err(SettingsError::Empty("organisation"))
    ));
    assert!(matches!(
        write_url(&no_bucket),
        Err(SettingsError::Empty("bucket"))
    ));
}

#[test]
fn the_token_is_not_shown() {
    assert!(!format!("{:?}", settings("http://db")).contains("secret"));
}
