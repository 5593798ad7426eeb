//! The ten commonest mistakes of a new user: each ends in a sentence that is enough to mend it, at
//! the step that is at fault.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rig::chain::Chain;
use rig::gateway::Gateway;
use rig::programs::{Binary, Start};
use rig::servers::{Account, Configuration, Mosquitto, Right};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::{Checked, check};
use crate::WITH_SUN;

const ENVOY: &str = "202400000022";

/// A port on which nothing listens: nobody but the system may.
const CLOSED: &str = "127.0.0.1:1";

impl Checked {
    /// Whether this step failed, with all of these words in its sentence; it is the only one.
    fn fails_at(&self, part: &str, step: &str, words: &[&str]) {
        let failed: Vec<_> = self
            .steps
            .iter()
            .filter(|step| step.outcome == "failed")
            .collect();
        let [failed] = failed.as_slice() else {
            panic!("one step fails: {:#?}", self.steps);
        };
        assert_eq!(
            (failed.part.as_str(), failed.step.as_str()),
            (part, step),
            "{failed:?}"
        );
        for word in words {
            assert!(failed.text.contains(word), "{word:?} is not in {failed:?}");
        }
        assert_eq!(self.code, Some(1));
    }
}

#[tokio::test]
async fn mistakes_about_the_envoy_are_named() {
    let test = "mistakes about the envoy are named";
    let Some(chain) = Chain::start(test, &[ENVOY]).await else {
        return;
    };
    let envoy = Gateway::start(&[&["--serial", ENVOY], &WITH_SUN[..]].concat()).await;
    let scraper = || chain.scraper(&envoy, ENVOY);

    check(scraper().env("ENVOY_HOST", CLOSED)).await.fails_at(
        "Envoy",
        "reachable",
        &["nothing listens there", "ENVOY_HOST"],
    );
    check(scraper().env("ENVOY_SERIAL", "202499999999"))
        .await
        .fails_at("Envoy", "serial", &[ENVOY, "202499999999", "ENVOY_SERIAL"]);
    let directory = tempfile::tempdir().expect("a temporary directory");
    let expired = directory.path().join("token");
    std::fs::write(&expired, token(ENVOY, 1_728_900_200))
        .expect("a temporary directory can be written");
    check(scraper().env("ENVOY_TOKEN_FILE", expired))
        .await
        .fails_at(
            "Envoy",
            "login",
            &["expired at 2024-10-14", "entrez", "ENVOY_TOKEN"],
        );

    let another = directory.path().join("another");
    std::fs::write(&another, token("202499999999", 4_102_444_800))
        .expect("a temporary directory can be written");
    check(scraper().env("ENVOY_TOKEN_FILE", another))
        .await
        .fails_at(
            "Envoy",
            "login",
            &[ENVOY, "202499999999", "entrez", "ENVOY_TOKEN"],
        );

    // Another device is there, such as a router with a page of its own.
    let device = another_device().await;
    check(scraper().env("ENVOY_HOST", &device)).await.fails_at(
        "Envoy",
        "is Envoy",
        &["not an Envoy", "ENVOY_HOST"],
    );

    let file = directory.path().join("file");
    std::fs::write(&file, "").expect("a temporary directory can be written");
    check(scraper().env("STATE_DIR", file.join("state")))
        .await
        .fails_at("journal", "state", &["no file can be made", "STATE_DIR"]);

    // What can't be right is found before anything is tried.
    let mut cloud = scraper()
        .env("ENVOY_HOST", "https://enlighten.enphaseenergy.com/web/1234")
        .arg("check")
        .spawn();
    assert_eq!(cloud.ended().await.code(), Some(64));
    let said = cloud.stderr().join("\n");
    assert!(said.contains("Enphase's cloud"), "{said}");
}

#[tokio::test]
async fn mistakes_about_the_broker_are_named() {
    let test = "mistakes about the broker are named";
    let account = Account::scraper(ENVOY);
    let configuration = Configuration::shipped().with_tls();
    let accounts = [account.clone()];
    let Some(broker) = Mosquitto::start_with(test, &accounts, &configuration).await else {
        return;
    };
    let envoy = Gateway::start(&[&["--serial", ENVOY], &WITH_SUN[..]].concat()).await;
    let scraper = || -> Start {
        envoy
            .reader(Binary::Scraper)
            .env("MQTT_URL", broker.url())
            .env("MQTT_PASSWORD", account.password())
    };

    check(scraper().env("MQTT_URL", format!("mqtt://{CLOSED}")))
        .await
        .fails_at("broker", "reachable", &[CLOSED, "port"]);
    // A plain client on the port for TLS, and the other way round.
    let plain = broker.tls_url().replace("mqtts:", "mqtt:");
    check(scraper().env("MQTT_URL", plain))
        .await
        .fails_at("broker", "login", &["mqtts://"]);
    let encrypted = broker.url().replace("mqtt:", "mqtts:");
    check(
        scraper()
            .env("MQTT_URL", encrypted)
            .env("MQTT_CA_FILE", broker.ca_file()),
    )
    .await
    .fails_at("broker", "TLS", &["TLS"]);
    check(scraper().env("MQTT_URL", broker.tls_url()))
        .await
        .fails_at("broker", "TLS", &["CA", "MQTT_CA_FILE"]);
    check(scraper().env("MQTT_PASSWORD", "no-such-password"))
        .await
        .fails_at("broker", "login", &[ENVOY, "user name", "password"]);

    let elsewhere = || scraper().env("HOME_ASSISTANT_PREFIX", "house/ha");
    check(elsewhere()).await.fails_at(
        "broker",
        "Home Assistant",
        &[
            "not allowed to publish",
            "--home-assistant-prefix house/ha",
            "HOME_ASSISTANT=false",
        ],
    );
    let silent = check(elsewhere().env("HOME_ASSISTANT", "false")).await;
    assert_eq!(silent.code, Some(0), "{:?}", silent.steps);
    broker
        .set_account(&account.clone().with_home_assistant_prefix("house/ha"))
        .await;
    let allowed = check(elsewhere()).await;
    assert_eq!(allowed.code, Some(0), "{:?}", allowed.steps);

    broker
        .set_account(&account.clone().with_topic("other"))
        .await;
    check(scraper()).await.fails_at(
        "broker",
        "publish",
        &["not allowed to publish", "mosquitto/account scraper"],
    );
}

#[tokio::test]
async fn mistakes_about_the_database_are_named() {
    let test = "mistakes about the database are named";
    let Some(chain) = Chain::start(test, &[ENVOY]).await else {
        return;
    };
    let receiver = || chain.receiver();

    check(receiver().env("INFLUX_URL", format!("http://{CLOSED}")))
        .await
        .fails_at("InfluxDB", "reachable", &["INFLUX_URL"]);
    check(receiver().env("INFLUX_TOKEN", "no-such-token"))
        .await
        .fails_at("InfluxDB", "token", &["INFLUX_TOKEN"]);
    check(receiver().env("INFLUX_ORG", "nobody"))
        .await
        .fails_at("InfluxDB", "organisation", &["nobody", "INFLUX_ORG"]);
    check(receiver().env("INFLUX_BUCKET", "nowhere"))
        .await
        .fails_at("InfluxDB", "bucket", &["nowhere", "INFLUX_BUCKET"]);
    let read_only = chain.influx.new_token(chain.bucket(), &[Right::Read]).await;
    check(receiver().env("INFLUX_TOKEN", read_only))
        .await
        .fails_at("InfluxDB", "write", &["read", "INFLUX_TOKEN"]);
}

/// As Enphase's cloud makes them, but for the signature, which only the Envoy can judge.
fn token(serial: &str, expires_at: i64) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"kid":"1","typ":"JWT","alg":"ES256"}"#);
    let claims = format!(
        r#"{{"aud":"{serial}","iss":"Entrez","enphaseUser":"owner","exp":{expires_at},"iat":1697364200,"jti":"1","username":"someone"}}"#
    );
    let claims = URL_SAFE_NO_PAD.encode(claims);
    format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode([7; 64]))
}

/// The address of something that has a web page of its own for whatever is asked.
async fn another_device() -> String {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("there is a free port");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = client.read(&mut request).await;
            let page = "<html>My router</html>";
            let head = format!(
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                page.len()
            );
            let _ = client.write_all(format!("{head}{page}").as_bytes()).await;
        }
    });
    address.to_string()
}
