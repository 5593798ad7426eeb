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
    start.env("RUST_LOG", "trace")
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

#[tokio::test]
async fn no_secret_is_printed_at_any_level_whatever_happens() {
    let test = "no secret is printed at any level whatever happens";
    let Some(chain) = Chain::start_own(test, &[OLD, NEW]).await else {
        return;
    };
    let gateway = |serial, firmware| {
        let own = ["--serial", serial, "--firmware", firmware];
        async move { Gateway::start(&[&own, &WITH_SUN[..]].concat()).await }
    };
    let (old, new) = (gateway(OLD, "5.0.62").await, gateway(NEW, "8.3.5169").await);
    let token_file = new.token_file().expect("firmware 8 has tokens");
    let token = std::fs::read_to_string(token_file).expect("it can be read");
    let installer = installer_password(OLD).await;
    let mut secrets = Secrets::new()
        .with("the Envoy's token", token.trim())
        .with("the installer password", &installer)
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
    let leak = secrets.deliberate_leak();
    assert!(
        secrets.leaks(&leak).len() >= secrets.forms(),
        "the search finds each secret in each form"
    );

    let mut programs = vec![
        (
            "scraper, firmware 5",
            chatty(chain.scraper(&old, OLD)).spawn(),
        ),
        (
            "scraper, firmware 8",
            chatty(chain.scraper(&new, NEW)).spawn(),
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
    chain.broker.stop().await;
    chain.influx.kill().await;
    for (_, program) in &programs {
        program.stderr_line("no connection to the broker").await;
    }
    chain.broker.start_again().await;
    chain.influx.start_again().await;
    for (_, program) in &programs {
        program.stderr_line("connected to the broker again").await;
    }

    // Each refusal of a secret, and what is shown of a configuration.
    programs.extend([
        (
            "wrong password at the broker",
            chatty(
                chain
                    .scraper(&new, NEW)
                    .env("MQTT_PASSWORD", WRONG_PASSWORD),
            )
            .spawn(),
        ),
        (
            "wrong token at the database",
            chatty(chain.receiver().env("INFLUX_TOKEN", WRONG_INFLUX_TOKEN))
                .env("RECEIVER_NAME", "another")
                .spawn(),
        ),
        (
            "wrong password at the Envoy",
            chatty(old.reader(Binary::Scraper))
                .env("ENVOY_PASSWORD", WRONG_ENVOY_PASSWORD)
                .env("ENVOY_USERNAME", "installer")
                .spawn(),
        ),
    ]);
    programs[3]
        .1
        .stderr_line("no connection to the broker")
        .await;
    programs[4]
        .1
        .stderr_line("the store takes no readings")
        .await;
    programs[5]
        .1
        .stderr_line("the Envoy refuses the user")
        .await;

    for (what, mut program) in programs {
        program.terminate().await;
        let lines = printed(&program);
        assert!(
            lines.iter().any(|line| line.contains("TRACE")),
            "{what} logs everything"
        );
        holds_none(&secrets, what, &lines);
    }
    for (what, start) in [
        (
            "check of the scraper",
            chain.scraper(&new, NEW).arg("check"),
        ),
        ("check of the receiver", chain.receiver().arg("check")),
        (
            "settings of the scraper",
            chain.scraper(&new, NEW).arg("--print-config"),
        ),
        (
            "settings of the receiver",
            chain.receiver().arg("--print-config"),
        ),
        ("print", old.reader(Binary::Scraper).arg("print")),
    ] {
        let mut program = chatty(start).spawn();
        program.ended().await;
        let lines = printed(&program);
        assert!(!lines.is_empty(), "{what} prints something");
        holds_none(&secrets, what, &lines);
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
