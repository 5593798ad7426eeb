use std::path::PathBuf;

use rcgen::{
    CertificateParams, CertifiedKey, DnType, KeyPair, date_time_ymd, generate_simple_self_signed,
};
use tempfile::TempDir;

use crate::broker::{Broker, KEYS};
use crate::settings::{Settings, Sources};

/// A folder with a certificate and a key that belong together, and a key that does not.
struct Files {
    folder: TempDir,
}

impl Files {
    fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let files = Self { folder };
        for name in ["us", "other"] {
            let CertifiedKey { cert, signing_key } =
                generate_simple_self_signed([name.to_owned()]).expect("a certificate");
            files.write(&format!("{name}.cert"), &cert.pem());
            files.write(&format!("{name}.key"), &signing_key.serialize_pem());
        }
        files
    }

    fn write(&self, name: &str, content: &str) {
        std::fs::write(self.folder.path().join(name), content).expect("a writable folder");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Reads the section with these variables, of which a value that is a file's name is its path.
    fn read(&self, variables: &[(&str, &str)]) -> Result<Broker, String> {
        let value = |text: &str| {
            let path = self.path(text);
            if path.exists() {
                path.display().to_string()
            } else {
                text.to_owned()
            }
        };
        let environment = variables
            .iter()
            .map(|(name, text)| ((*name).to_owned(), value(text)));
        let sources = Sources {
            environment: environment.collect(),
            ..Sources::default()
        };
        let mut settings = Settings::gather(&KEYS, sources);
        let broker = Broker::read(&mut settings);
        settings
            .finish(broker)
            .map_err(|problems| problems.to_string())
    }

    fn mistakes(&self, variables: &[(&str, &str)]) -> String {
        self.read(variables).expect_err("mistakes")
    }
}

const TLS: (&str, &str) = ("MQTT_URL", "mqtts://broker.local");

#[test]
fn a_ca_alone_or_with_certificate_and_key_is_ready_for_a_session() {
    let files = Files::new();
    let ca = ("MQTT_CA_FILE", "us.cert");
    let broker = files.read(&[TLS, ca]).expect("sound");
    assert!(format!("{:?}", broker.tls).contains("certificate: false"));
    let both = [("MQTT_CERT_FILE", "us.cert"), ("MQTT_KEY_FILE", "us.key")];
    let broker = files.read(&[TLS, ca, both[0], both[1]]).expect("sound");
    assert!(format!("{:?}", broker.tls).contains("certificate: true"));
}

#[test]
fn an_address_without_tls_needs_none() {
    let broker = Files::new().read(&[("MQTT_URL", "mqtt://broker.local")]);
    assert!(broker.expect("sound").tls.is_none());
}

#[test]
fn files_that_cannot_be_used_are_mistakes_among_all_others() {
    let files = Files::new();
    files.write("notes", "buy milk");
    let mistakes = files.mistakes(&[
        TLS,
        ("MQTT_CA_FILE", "notes"),
        ("MQTT_CERT_FILE", "us.key"),
        ("MQTT_KEY_FILE", "/nowhere/key.pem"),
        ("MQTT_TOPIC", "a/+"),
    ]);
    let notes = files.path("notes").display().to_string();
    let key = files.path("us.key").display().to_string();
    for expected in [
        "4 mistakes".to_owned(),
        format!("MQTT_CA_FILE: \"{notes}\" has no certificate in PEM form"),
        format!("MQTT_CERT_FILE: \"{key}\" has no certificate in PEM form"),
        "MQTT_KEY_FILE: \"/nowhere/key.pem\" does not exist".to_owned(),
        "MQTT_TOPIC: ".to_owned(),
    ] {
        assert!(mistakes.contains(&expected), "{expected}: {mistakes}");
    }
}

/// Writes a CA that was valid until the beginning of this year.
fn ca_until(files: &Files, name: &str, year: i32) -> String {
    let mut params = CertificateParams::default();
    params.not_before = date_time_ymd(2000, 1, 1);
    params.not_after = date_time_ymd(year, 1, 1);
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate().expect("a key");
    let pem = params.self_signed(&key).expect("a certificate").pem();
    files.write(name, &pem);
    pem
}

#[test]
fn a_ca_that_has_expired_is_a_mistake_and_beside_a_valid_one_a_remark() {
    let files = Files::new();
    let old = ca_until(&files, "old", 2021);
    let new = ca_until(&files, "new", 2100);
    files.write("both", &format!("{old}{new}"));
    let mistakes = files.mistakes(&[TLS, ("MQTT_CA_FILE", "old"), ("MQTT_TOPIC", "a/+")]);
    let path = files.path("old").display().to_string();
    let expected = format!(
        "MQTT_CA_FILE: \"{path}\" has no CA that is still valid, the last one expired on 2021-01-01; "
    );
    assert!(mistakes.contains(&expected), "{mistakes}");
    assert!(mistakes.contains("2 mistakes"), "{mistakes}");

    let path = files.path("both").display().to_string();
    let environment = [TLS, ("MQTT_CA_FILE", path.as_str())];
    let sources = Sources {
        environment: environment
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        ..Sources::default()
    };
    let mut settings = Settings::gather(&KEYS, sources);
    assert!(Broker::read(&mut settings).is_some());
    let remarks: Vec<_> = settings.remarks().iter().map(ToString::to_string).collect();
    assert_eq!(remarks.len(), 1, "{remarks:?}");
    let expected = format!("the CA 'CN=old' in {path} expired on 2021-01-01 and is not trusted; ");
    assert!(remarks[0].contains(&expected), "{remarks:?}");
}

#[test]
fn a_key_of_another_certificate_is_a_mistake() {
    let mistakes = Files::new().mistakes(&[
        TLS,
        ("MQTT_CA_FILE", "us.cert"),
        ("MQTT_CERT_FILE", "us.cert"),
        ("MQTT_KEY_FILE", "other.key"),
    ]);
    assert!(
        mistakes.contains("MQTT_KEY_FILE: does not belong to the certificate"),
        "{mistakes}"
    );
}

#[test]
fn certificate_and_key_go_together() {
    let files = Files::new();
    for (lone, missing) in [
        (("MQTT_CERT_FILE", "us.cert"), "MQTT_KEY_FILE"),
        (("MQTT_KEY_FILE", "us.key"), "MQTT_CERT_FILE"),
    ] {
        let mistakes = files.mistakes(&[TLS, lone]);
        let expected = format!("{}: set without {missing}", lone.0);
        assert!(mistakes.contains(&expected), "{mistakes}");
    }
}

#[test]
fn files_without_an_encrypted_address_are_mistakes() {
    let mistakes = Files::new().mistakes(&[
        ("MQTT_URL", "mqtt://broker.local"),
        ("MQTT_CA_FILE", "us.cert"),
        ("MQTT_CERT_FILE", "us.cert"),
        ("MQTT_KEY_FILE", "us.key"),
    ]);
    for key in ["MQTT_CA_FILE", "MQTT_CERT_FILE", "MQTT_KEY_FILE"] {
        let expected = format!("{key}: mqtt://broker.local:1883 is not encrypted; write mqtts://");
        assert!(mistakes.contains(&expected), "{mistakes}");
    }
}
