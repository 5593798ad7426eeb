use super::*;

fn mistakes(environment: &[(&str, &str)]) -> String {
    let environment = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let read = read(Sources {
        environment,
        ..Sources::default()
    });
    read.err()
        .map(|problems| problems.to_string())
        .unwrap_or_default()
}

const COMPLETE: [(&str, &str); 4] = [
    ("INFLUX_TOKEN", "t0ken"),
    ("INFLUX_ORG", "home"),
    ("INFLUX_BUCKET", "envoy"),
    ("STATE_DIR", "/nowhere"),
];

#[test]
fn a_token_an_organisation_and_a_bucket_are_enough() {
    daemon::install_crypto_provider();
    assert_eq!(mistakes(&COMPLETE), "");
}

#[test]
fn everything_that_is_missing_is_named_at_once() {
    let mistakes = mistakes(&[]);
    for name in ["INFLUX_TOKEN", "INFLUX_ORG", "INFLUX_BUCKET"] {
        assert!(mistakes.contains(&format!("{name}: missing")), "{mistakes}");
    }
}

#[test]
fn a_token_that_can_not_be_one_is_named_and_not_shown() {
    let mistakes = mistakes(&[&[("INFLUX_TOKEN", "t0k\nen")], &COMPLETE[1..]].concat());
    assert!(
        mistakes.contains("INFLUX_TOKEN: the secret has more than one line"),
        "{mistakes}"
    );
    assert!(!mistakes.contains("t0k"), "{mistakes}");
}

#[test]
fn a_ca_file_for_influxdb_that_can_not_be_one_is_named_with_its_remedy() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    let pem = |inside: &str| {
        format!("-----BEGIN CERTIFICATE-----\n{inside}\n-----END CERTIFICATE-----\n")
    };
    let (https, http) = ("https://db:8086", "http://db:8086");
    for (url, path, expected) in [
        (
            https,
            "/nowhere/ca.pem".to_owned(),
            r#""/nowhere/ca.pem" does not exist"#,
        ),
        (
            https,
            file("text", "no PEM at all"),
            "has no certificate in PEM form",
        ),
        (
            https,
            file("nonsense", &pem("bm9uc2Vuc2U=")),
            "no certificate that can be used",
        ),
        (https, file("broken", &pem("?")), "is damaged"),
        (
            http,
            file("sound", ""),
            "http://db:8086/ is not encrypted; write https://",
        ),
    ] {
        let ca_file = [("INFLUX_URL", url), ("INFLUX_CA_FILE", path.as_str())];
        let mistakes = mistakes(&[&ca_file, &COMPLETE[..]].concat());
        assert!(mistakes.contains("INFLUX_CA_FILE: "), "{mistakes}");
        assert!(mistakes.contains(expected), "{mistakes}");
        assert!(url == http || mistakes.contains(&path), "{mistakes}");
    }
}

#[test]
fn a_ca_for_a_connection_without_tls_is_a_mistake() {
    let mistakes = mistakes(&[&[("MQTT_CA_FILE", "/dev/null")], &COMPLETE[..]].concat());
    assert!(
        mistakes.contains("MQTT_CA_FILE: mqtt://localhost:1883 is not encrypted"),
        "{mistakes}"
    );
}

#[test]
fn a_file_needs_nothing_of_influxdb_and_a_store_that_is_none_is_named() {
    let file = [
        ("STORE", "sqlite:/nowhere/readings.sqlite"),
        ("STATE_DIR", "/nowhere"),
    ];
    assert_eq!(mistakes(&file), "");
    let wrong = mistakes(&[("STORE", "postgres:home"), ("STATE_DIR", "/nowhere")]);
    assert!(
        wrong.contains("STORE: \"postgres:home\" is no store; write influxdb, or sqlite:"),
        "{wrong}"
    );
}
