//! Envoys that are found by mDNS, also where their address changes. Each test has an mDNS port of its own.

mod following;
mod names;
mod replaced;

use std::net::UdpSocket;
use std::path::Path;

use rig::gateway::Gateway;
use rig::programs::{Binary, Start};
use rig::wait;
use tempfile::TempDir;

use crate::ARRIVAL;
use crate::alone::NO_BROKER;
use crate::check::check;

/// An old Envoy, which needs no token.
const OLD: [&str; 6] = [
    "--firmware",
    "5.0.62",
    "--start",
    "2026-06-20T12:00:00Z",
    "--speed",
    "60",
];

/// A part of the network in which Envoys hear each other, and nobody else.
struct Neighbourhood {
    port: u16,
    directory: TempDir,
}

impl Neighbourhood {
    fn new() -> Self {
        let socket = UdpSocket::bind("0.0.0.0:0").expect("a free port");
        Self {
            port: socket.local_addr().expect("an address").port(),
            directory: tempfile::tempdir().expect("a temporary directory"),
        }
    }

    async fn envoy(&self, serial: &str, further: &[&str]) -> Gateway {
        let announce = format!("--announce={}", self.port);
        let arguments = ["--serial", serial, &announce];
        Gateway::start(&[&arguments[..], further].concat()).await
    }

    /// The scraper's program, without an address.
    fn scraper(&self, token: Option<&Path>) -> Start {
        let file = self.directory.path().join("scraper.toml");
        let testing = format!(
            "[testing]\nmdns_port = {}\npoll_interval = \"1s\"\nenvoy_timeout = \"5s\"\n",
            self.port
        );
        std::fs::write(&file, testing).expect("the file is written");
        let start = Start::new(Binary::Scraper)
            .env("MQTT_URL", NO_BROKER)
            .env("STATE_DIR", self.directory.path().join("state"))
            .arg("--config")
            .arg(file);
        match token {
            Some(token) => start.env("ENVOY_TOKEN_FILE", token),
            None => start,
        }
    }
}

/// Waits until the scraper was shown more reports than now.
async fn goes_on(envoy: &Gateway) {
    let before = envoy.ledger().len();
    wait::until_true("more reports are read", ARRIVAL, async || {
        envoy.ledger().len() > before
    })
    .await;
}

/// The same Envoy at another address, and at noon of another day: what it shows then is new.
async fn moved(envoy: Gateway, address: &str, day: &str) -> Gateway {
    let beginning = format!("{day}T12:00:00Z").parse().expect("a time");
    envoy.stop().await.start_at(address, beginning).await
}

async fn printed(start: &Start) -> (Option<i32>, String, String) {
    let mut program = start.clone().spawn();
    let status = program.ended().await;
    let lines = |lines: Vec<String>| lines.join("\n");
    (
        status.code(),
        lines(program.stdout()),
        lines(program.stderr()),
    )
}

#[tokio::test]
async fn envoys_are_listed_with_what_to_set() {
    let here = Neighbourhood::new();
    let first = here.envoy("122000000001", &OLD).await;
    let second = here.envoy("122000000002", &[]).await;
    let discover = here.scraper(None).args(["discover", "--seconds", "6"]);
    let (code, said, errors) = printed(&discover).await;
    assert_eq!(code, Some(0), "{errors}");
    for (serial, envoy, firmware) in [
        ("122000000001", &first, "5.0.62"),
        ("122000000002", &second, "8.3.5169"),
    ] {
        let line = said.lines().find(|line| line.starts_with(serial));
        let line = line.unwrap_or_else(|| panic!("{serial} is not in {said}"));
        assert!(
            line.contains(envoy.address()) && line.ends_with(firmware),
            "{line}"
        );
    }
    assert!(said.contains("Set ENVOY_SERIAL"), "{said}");
    let (_, said, _) = printed(&discover.arg("--json")).await;
    let listed: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(listed[0]["serial"], "122000000001", "{said}");
    assert_eq!(listed[1]["answers"], true, "{said}");
}

#[tokio::test]
async fn where_no_envoy_is_each_command_says_why_that_may_be_and_ends() {
    let here = Neighbourhood::new();
    for command in [&["discover", "--seconds", "1"][..], &["print"]] {
        let (code, _, said) = printed(&here.scraper(None).args(command)).await;
        assert_eq!(code, Some(1), "{command:?}: {said}");
        for part in ["VLAN", "container or pod", "ENVOY_HOST"] {
            assert!(said.contains(part), "{command:?}: {said}");
        }
    }
    let checked = check(here.scraper(None)).await;
    let first = checked.steps.first().expect("it is looked for");
    assert_eq!(
        (first.step.as_str(), first.outcome.as_str()),
        ("found", "failed")
    );
    for part in ["VLAN", "container or pod", "ENVOY_HOST"] {
        assert!(first.text.contains(part), "{first:?}");
    }
}

#[tokio::test]
async fn an_envoy_without_a_configured_address_is_printed_and_checked() {
    let here = Neighbourhood::new();
    let envoy = here.envoy("122000000001", &[]).await;
    let scraper = here.scraper(envoy.token_file().as_deref());
    let (code, said, errors) = printed(&scraper.clone().arg("print")).await;
    assert_eq!(code, Some(0), "{errors}");
    assert!(said.contains("Envoy 122000000001"), "{said}");
    let checked = check(scraper).await;
    let found = checked.steps.iter().find(|step| step.step == "found");
    let found = found.expect("it is looked for");
    assert_eq!(found.outcome, "passed", "{found:?}");
    assert!(found.text.contains(envoy.address()), "{found:?}");
}

#[tokio::test]
async fn a_check_says_where_the_envoy_is_that_is_not_where_it_is_configured() {
    let here = Neighbourhood::new();
    let envoy = here.envoy("122000000001", &OLD).await;
    let scraper = here.scraper(None).env("ENVOY_HOST", "127.0.0.1:1");
    for scraper in [scraper.clone(), scraper.env("ENVOY_SERIAL", "122000000001")] {
        let checked = check(scraper).await;
        let step = checked.steps.iter().find(|step| step.step == "reachable");
        let step = step.expect("it is asked");
        assert_eq!(step.outcome, "failed", "{step:?}");
        for part in ["nothing listens there", envoy.address(), "set ENVOY_HOST"] {
            assert!(step.text.contains(part), "{step:?}");
        }
    }
}

#[tokio::test]
async fn a_check_lists_the_envoys_of_which_one_may_be_meant_and_keeps_a_chosen_scheme() {
    let here = Neighbourhood::new();
    let first = here.envoy("122000000001", &OLD).await;
    let second = here.envoy("122000000002", &OLD).await;
    let text = async |scraper: Start| {
        let checked = check(scraper).await;
        let step = checked
            .steps
            .into_iter()
            .find(|step| step.step == "reachable");
        step.expect("it is asked").text
    };
    let scraper = here.scraper(None).env("ENVOY_HOST", "https://127.0.0.1:1");
    let said = text(scraper.clone()).await;
    for part in ["several Envoys", first.address(), second.address()] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    let said = text(scraper.env("ENVOY_SERIAL", "122000000002")).await;
    let expected = format!("set ENVOY_HOST to https://{}", second.address());
    assert!(said.contains(&expected), "{said}");
    assert!(!said.contains("leave it out"), "{said}");
}

#[tokio::test]
async fn an_envoy_of_which_there_is_but_a_journal_is_named_with_its_file() {
    let here = Neighbourhood::new();
    let _envoy = here.envoy("122000000001", &OLD).await;
    // With a slip.
    let scraper = here.scraper(None);
    let mut slip = scraper.clone().env("ENVOY_SERIAL", "122000000010").spawn();
    slip.stderr_line("122000000010 does not announce itself")
        .await;
    assert!(slip.terminate().await.success());
    let (code, _, said) = printed(&scraper.clone().arg("print")).await;
    assert_eq!(code, Some(1), "{said}");
    let file = here
        .directory
        .path()
        .join("state/journal-122000000010.redb");
    let file = file.display().to_string();
    for part in ["only 122000000001", "remove", &file, "ENVOY_SERIAL"] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    let checked = check(scraper).await;
    let found = checked.steps.first().expect("it is looked for");
    assert!(found.text.contains(&file), "{found:?}");
}

#[tokio::test]
async fn of_several_envoys_the_serial_decides_and_without_one_none_is_read() {
    let here = Neighbourhood::new();
    let first = here.envoy("122000000001", &OLD).await;
    let _second = here.envoy("122000000002", &OLD).await;
    let without = here.scraper(None);
    let (code, _, said) = printed(&without.clone().arg("print")).await;
    assert_eq!(code, Some(1), "{said}");
    for part in ["122000000001 at", "122000000002 at", "ENVOY_SERIAL"] {
        assert!(said.contains(part), "{said}");
    }
    let mut waits = without.clone().spawn();
    waits
        .stderr_line("several Envoys announce themselves")
        .await;
    assert!(waits.terminate().await.success());
    let with = without.env("ENVOY_SERIAL", "122000000001");
    let mut reads = with.spawn();
    goes_on(&first).await;
    assert!(reads.terminate().await.success());
}

#[tokio::test]
async fn a_scraper_that_starts_before_its_envoy_finds_it_later() {
    let here = Neighbourhood::new();
    let mut scraper = here.scraper(None).spawn();
    scraper.stderr_line("no Envoy announces itself here").await;
    let envoy = here.envoy("122000000001", &OLD).await;
    goes_on(&envoy).await;
    let said = scraper.stderr();
    let said: Vec<_> = said
        .iter()
        .filter(|line| line.contains("no Envoy announces itself"))
        .collect();
    assert_eq!(said.len(), 1, "{said:#?}");
    assert!(scraper.terminate().await.success());
}
