//! No secret in any output, at any level.
//!
//! Everything is logged at `trace`, by all crates below ours, too, and every line of every program
//! is searched for the secrets themselves, in each form in which one could have got there.

use rig::chain::Chain;
use rig::gateway::Gateway;
use rig::leaks::Secrets;
use rig::programs::{Binary, Program, Start};
use rig::servers::Account;
use rig::wait;

use crate::{ARRIVAL, WITH_SUN};

const OLD: &str = "121500000031";
const NEW: &str = "202400000032";

/// Secrets that are wrong are secrets as well: often the right one with a slip.
const WRONG_PASSWORD: &str = "wrong-passw0rd-of-a-broker";
const WRONG_INFLUX_TOKEN: &str = "wrong-t0ken-of-a-database==";
const WRONG_ENVOY_PASSWORD: &str = "wrong-passw0rd-of-an-envoy";

/// What begins an authorization header's value, in any scheme that is used here.
const HEADERS: [&str; 4] = ["bearer ey", "digest username=", "basic ", "token "];

/// A program that logs everything.
fn chatty(start: Start) -> Start {
    start.env("RUST_LOG", "trace,rumqttc=trace")
}

/// All that a program has printed.
fn printed(program: &Program) -> Vec<String> {
    [program.stdout(), program.stderr()].concat()
}

/// The password that old firmware expects, as the scraper computes it.
async fn installer_password(serial: &str) -> String {
    let mut program = Start::new(Binary::Scraper)
        .args(["password", serial])
        .spawn();
    assert!(program.ended().await.success());
    program.stdout().concat()
}

/// Nothing of the secrets, and no authorization header, is in these lines.
fn holds_none(secrets: &Secrets, what: &str, lines: &[String]) {
    let leaks = secrets.leaks(lines);
    assert!(leaks.is_empty(), "{what}: {leaks:?}");
    for line in lines {
        let line = line.to_lowercase();
        let Some((_, behind)) = line.split_once("authorization") else {
            continue;
        };
        let header = HEADERS.iter().find(|header| behind.contains(*header));
        assert!(
            header.is_none(),
            "{what}: an authorization header: {header:?}"
        );
    }
}

/// Two Envoys of either kind with their chain, and every secret in it.
struct Scene {
    chain: Chain,
    old: Gateway,
    new: Gateway,
    secrets: Secrets,
}

impl Scene {
    async fn start(test: &str) -> Option<Self> {
        let chain = Chain::start_own(test, &[OLD, NEW]).await?;
        let gateway = async |serial, firmware| {
            let own = ["--serial", serial, "--firmware", firmware];
            Gateway::start(&[&own, &WITH_SUN[..]].concat()).await
        };
        let (old, new) = (gateway(OLD, "5.0.62").await, gateway(NEW, "8.3.5169").await);
        let token_file = new.token_file().expect("firmware 8 has tokens");
        let token = std::fs::read_to_string(token_file).expect("it can be read");
        let mut secrets = Secrets::new()
            .with("the Envoy's token", token.trim())
            .with("the installer password", &installer_password(OLD).await)
            .with("InfluxDB's token", chain.influx.token())
            .with("a wrong password", WRONG_PASSWORD)
            .with("a wrong InfluxDB token", WRONG_INFLUX_TOKEN)
            .with("a wrong Envoy password", WRONG_ENVOY_PASSWORD);
        for account in [
            chain.scraper_account(OLD),
            chain.scraper_account(NEW),
            chain.receiver_account(),
        ] {
            secrets = secrets.with(account.user(), account.password());
        }
        Some(Self {
            chain,
            old,
            new,
            secrets,
        })
    }

    /// The daemons through an outage of everything.
    async fn outages(&self) -> Vec<(&'static str, Program)> {
        let chain = &self.chain;
        let programs = vec![
            (
                "scraper, firmware 5",
                chatty(chain.scraper(&self.old, OLD)).spawn(),
            ),
            (
                "scraper, firmware 8",
                chatty(chain.scraper(&self.new, NEW)).spawn(),
            ),
            ("receiver", chatty(chain.receiver()).spawn()),
        ];
        wait::until_true("readings of both", ARRIVAL, async || {
            let stored = chain.stored().await;
            [OLD, NEW]
                .iter()
                .all(|serial| stored.iter().any(|report| report.envoy == *serial))
        })
        .await;
        for gateway in [&self.old, &self.new] {
            gateway.inject("unauthorized").await;
        }
        chain.broker.stop().await;
        chain.influx.kill().await;
        for (_, program) in &programs {
            program.stderr_line("no connection to the broker").await;
        }
        for (_, scraper) in &programs[..2] {
            scraper
                .stderr_line("the Envoy's readings can't be had")
                .await;
        }
        for gateway in [&self.old, &self.new] {
            gateway.heal().await;
        }
        chain.broker.start_again().await;
        chain.influx.start_again().await;
        for (_, program) in &programs {
            program.stderr_line("connected to the broker again").await;
        }
        programs
    }

    /// Daemons whose secrets are refused.
    async fn refusals(&self) -> Vec<(&'static str, Program)> {
        let chain = &self.chain;
        let at_broker = chain
            .scraper(&self.new, NEW)
            .env("STATE_DIR", chain.state("refused-by-the-broker"))
            .env("MQTT_PASSWORD", WRONG_PASSWORD);
        let at_database = chain
            .receiver()
            .env("INFLUX_TOKEN", WRONG_INFLUX_TOKEN)
            .env("RECEIVER_NAME", "another");
        let at_envoy = chain
            .scraper(&self.old, OLD)
            .env("STATE_DIR", chain.state("refused-by-the-envoy"))
            .env("ENVOY_USERNAME", "installer")
            .env("ENVOY_PASSWORD", WRONG_ENVOY_PASSWORD);
        let mut programs = Vec::new();
        for (what, start, said) in [
            (
                "wrong password at the broker",
                at_broker,
                "no connection to the broker",
            ),
            (
                "wrong token at the database",
                at_database,
                "the store takes no readings",
            ),
            (
                "wrong password at the Envoy",
                at_envoy,
                "the Envoy refuses the user",
            ),
        ] {
            let program = chatty(start).spawn();
            program.stderr_line(said).await;
            programs.push((what, program));
        }
        programs
    }

    /// Commands that end by themselves.
    fn commands(&self) -> [(&'static str, Start); 5] {
        let scraper = || self.chain.scraper(&self.new, NEW);
        let receiver = || self.chain.receiver();
        [
            ("check of the scraper", scraper().arg("check")),
            ("check of the receiver", receiver().arg("check")),
            ("settings of the scraper", scraper().arg("--print-config")),
            ("settings of the receiver", receiver().arg("--print-config")),
            ("print", self.old.reader(Binary::Scraper).arg("print")),
        ]
    }
}

#[tokio::test]
async fn no_secret_is_printed_at_any_level_whatever_happens() {
    let test = "no secret is printed at any level whatever happens";
    let Some(scene) = Scene::start(test).await else {
        return;
    };
    let leak = scene.secrets.deliberate_leak();
    assert!(
        scene.secrets.leaks(&leak).len() >= scene.secrets.forms(),
        "the search finds each secret in each form"
    );

    // A program that prints a secret when it is asked to.
    let mut password = Start::new(Binary::Scraper).args(["password", OLD]).spawn();
    password.ended().await;
    assert!(
        !scene.secrets.leaks(&printed(&password)).is_empty(),
        "the search finds what a program prints"
    );

    let mut programs = scene.outages().await;
    programs.extend(scene.refusals().await);
    for (what, mut program) in programs {
        program.terminate().await;
        let lines = printed(&program);
        assert!(
            lines.iter().any(|line| line.contains("TRACE")),
            "{what} logs everything"
        );
        holds_none(&scene.secrets, what, &lines);
    }
    for (what, start) in scene.commands() {
        let mut program = chatty(start).spawn();
        program.ended().await;
        let lines = printed(&program);
        assert!(!lines.is_empty(), "{what} prints something");
        holds_none(&scene.secrets, what, &lines);
    }
}

#[tokio::test]
async fn no_secret_is_printed_where_it_was_put_into_the_wrong_place() {
    const SECRET: &str = "hunter2-in-the-wr0ng-place";
    let secrets = Secrets::new().with("the secret", SECRET);
    let scraper = || Start::new(Binary::Scraper).env("ENVOY_HOST", "192.0.2.1");
    let with_user = |scheme: &str| format!("{scheme}://me:{SECRET}@broker.example");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("settings.toml");
    std::fs::write(&file, format!("[mqtt]\npassword = \"{SECRET}\n"))
        .expect("a temporary directory can be written");
    for (what, start) in [
        (
            "an address of a broker",
            scraper().env("MQTT_URL", with_user("mqtt")),
        ),
        (
            "an address of an Envoy",
            scraper().env("ENVOY_HOST", with_user("https")),
        ),
        ("a broken file", scraper().arg("--config").arg(&file)),
        (
            "a secret with a line end",
            scraper().env("ENVOY_TOKEN", format!("{SECRET}\n{SECRET}")),
        ),
        (
            "a flag for a secret",
            scraper().arg(format!("--mqtt-password={SECRET}")),
        ),
        (
            "a flag and its secret",
            scraper().args(["--mqtt-password", SECRET]),
        ),
        (
            "an address of a database",
            Start::new(Binary::Receiver).env("INFLUX_URL", with_user("http")),
        ),
    ] {
        for further in [&[][..], &["--print-config"][..]] {
            let mut program = chatty(start.clone().args(further.iter().copied())).spawn();
            let status = program.ended().await;
            let lines = printed(&program);
            assert_eq!(status.code(), Some(64), "{what}: {lines:?}");
            holds_none(&secrets, what, &lines);
        }
    }
}

/// An account's password is random, so that it can be looked for.
#[test]
fn passwords_of_tests_are_long_enough_to_be_looked_for() {
    assert!(Account::scraper(NEW).password().len() >= 20);
}
