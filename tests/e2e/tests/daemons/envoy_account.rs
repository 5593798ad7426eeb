//! The owner's account as the real scraper uses it: a token for an Envoy that had none, for good.
//!
//! No broker is needed: polls go on without one.

use std::path::PathBuf;

use rig::gateway::Gateway;
use rig::leaks::Secrets;
use rig::programs::{Binary, Program, Start};
use tempfile::TempDir;

use crate::WITH_SUN;
use crate::alone::{NO_BROKER, POLLED, SETTINGS, says_more};

/// The simulated cloud's account, which is no secret.
pub(crate) const USERNAME: &str = "owner@example.com";
pub(crate) const PASSWORD: &str = "a-simulated-password";

/// What `check` and `print` say where they did more than look.
const LOGIN_OF_LOOK: &str = "this look made a login at Enlighten";

/// An Envoy with Enphase's cloud, and the state of a scraper.
struct Scene {
    serial: &'static str,
    gateway: Gateway,
    cloud: String,
    directory: TempDir,
}

impl Scene {
    async fn new(serial: &'static str, firmware: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(directory.path().join("scraper.toml"), SETTINGS).expect("it can be written");
        let requests = directory.path().join("requests");
        let requests = requests.to_str().expect("a plain path");
        let own = ["--serial", serial, "--firmware", firmware];
        let cloud = ["--cloud", "127.0.0.1:0", "--cloud-requests", requests];
        let gateway = Gateway::start(&[&own[..], &cloud, &WITH_SUN].concat()).await;
        let cloud = gateway.cloud().await;
        Self {
            serial,
            gateway,
            cloud,
            directory,
        }
    }

    /// A scraper that is not started yet, or one of its sub-commands.
    fn scraper(&self) -> Start {
        Start::new(Binary::Scraper)
            .arg("--config")
            .arg(self.directory.path().join("scraper.toml"))
            // As people give it, without a scheme.
            .env("ENVOY_HOST", self.gateway.address())
            .env("ENLIGHTEN_USERNAME", USERNAME)
            .env("ENLIGHTEN_PASSWORD", PASSWORD)
            .env("ENLIGHTEN_URL", &self.cloud)
            .env("ENTREZ_URL", &self.cloud)
            .env("STATE_DIR", self.directory.path().join("state"))
            .env("MQTT_URL", NO_BROKER)
    }

    fn daemon(&self) -> Program {
        self.scraper()
            .env("RUST_LOG", "info,scraper=debug,envoy=trace,daemon=debug")
            .spawn()
    }

    fn token_file(&self) -> PathBuf {
        let name = format!("state/token-{}", self.serial);
        self.directory.path().join(name)
    }

    /// How often the cloud was asked to let somebody in.
    fn logins(&self) -> usize {
        let requests = std::fs::read_to_string(self.directory.path().join("requests"));
        let requests = requests.unwrap_or_default();
        let logins = requests.lines().filter(|line| line.contains("/login"));
        logins.count()
    }
}

#[tokio::test]
async fn one_login_is_enough_for_a_scraper_and_for_its_restarts() {
    let scene = Scene::new("202400000051", "8.3.5169").await;
    for _ in 0..3 {
        let mut scraper = scene.daemon();
        says_more(&scraper, POLLED, 2).await;
        let token = std::fs::read_to_string(scene.token_file()).expect("a kept token");
        let secrets = Secrets::new().with("the token", token.trim());
        assert!(secrets.leaks(&scraper.stderr()).is_empty());
        assert!(scraper.terminate().await.success());
    }
    let check = scene.scraper().arg("check").to_end();
    let told = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(told.contains("the account renews it before that"), "{told}");
    assert!(!told.contains(LOGIN_OF_LOOK), "{told}");
    assert_eq!(scene.logins(), 1);
}

#[tokio::test]
async fn an_update_from_password_to_token_and_on_needs_no_restart() {
    let scene = Scene::new("202400000052", "5.0.62").await;
    let mut scraper = scene.daemon();
    says_more(&scraper, POLLED, 2).await;
    assert_eq!(scene.logins(), 0, "firmware 5 takes no token");
    for firmware in ["7.6.175", "8.2.4345", "8.3.5433"] {
        scene.gateway.update(firmware).await;
        let another = format!("firmware=D{firmware}");
        scraper.stderr_line(&another).await;
        says_more(&scraper, POLLED, 2).await;
    }
    assert_eq!(scene.logins(), 1);
    let lines = scraper.stderr().into_iter();
    let errors: Vec<_> = lines.filter(|line| line.contains("ERROR")).collect();
    assert_eq!(errors, [""; 0]);
    assert!(scraper.terminate().await.success());
}

#[tokio::test]
async fn a_token_is_printed_alone_and_what_it_is_beside_it() {
    let scene = Scene::new("202400000053", "8.3.5169").await;
    let printed = scene.scraper().arg("token").to_end();
    assert!(printed.status.success());
    let (out, error) = (printed.stdout, printed.stderr);
    let token = String::from_utf8(out).expect("a token is ASCII");
    assert_eq!(token.lines().count(), 1, "{token:?}");
    assert!(token.starts_with("eyJ"));
    let told = String::from_utf8_lossy(&error).into_owned();
    for part in [scene.serial, "role owner", "expires at 20"] {
        assert!(told.contains(part), "{told}");
    }
    // It is one that the Envoy takes.
    let file = scene.directory.path().join("token");
    std::fs::write(&file, token).expect("it can be written");
    let print = Start::new(Binary::Scraper).arg("print");
    let print = print
        .env("ENVOY_HOST", scene.gateway.url())
        .env("ENVOY_TOKEN_FILE", file)
        .env("STATE_DIR", scene.directory.path());
    assert!(print.to_end().status.success());
}

#[tokio::test]
async fn an_account_that_gets_no_token_is_explained_by_check_and_by_token() {
    let scene = Scene::new("202400000054", "8.3.5169").await;
    for (switch, expected) in [
        ("cloud mfa on", "second factor (MFA)"),
        ("cloud blocked on", "turns this account away"),
        ("cloud too-many-sessions everywhere", "too many sessions"),
        ("cloud password another", "does not let this account in"),
        ("cloud down on", "out of order"),
    ] {
        scene.gateway.inject(switch).await;
        let check = scene.scraper().arg("check").to_end();
        let told = String::from_utf8_lossy(&check.stdout).into_owned();
        let login = told.lines().find(|line| line.contains(" login "));
        assert!(login.is_some_and(|line| line.contains(expected)), "{told}");
        assert!(told.contains(LOGIN_OF_LOOK), "{told}");
        // What there is to do about it stands alone.
        assert!(!told.contains("so does the next one"), "{told}");
        let token = scene.scraper().arg("token").to_end();
        assert_eq!(token.status.code(), Some(1), "{switch}");
        assert!(token.stdout.is_empty(), "{switch}");
        let told = String::from_utf8_lossy(&token.stderr).into_owned();
        assert!(told.contains(expected), "{told}");
        for switch in ["mfa off", "blocked off", "too-many-sessions off"] {
            scene.gateway.inject(&format!("cloud {switch}")).await;
        }
    }
}

#[tokio::test]
async fn a_check_made_where_the_cloud_is_not_there_tells_of_no_login() {
    let scene = Scene::new("202400000057", "8.3.5169").await;
    let scraper = scene.scraper().env("ENLIGHTEN_URL", "http://127.0.0.1:9");
    let check = scraper.arg("check").to_end();
    let told = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(told.contains("can't be reached"), "{told}");
    assert!(!told.contains(LOGIN_OF_LOOK), "{told}");
}

#[tokio::test]
async fn a_check_says_which_settings_are_doubtful() {
    let scene = Scene::new("202400000058", "8.3.5169").await;
    let file = scene
        .gateway
        .token_file()
        .expect("a token of the simulator's");
    let check = scene.scraper().env("ENVOY_TOKEN_FILE", file).arg("check");
    let checked = check.to_end();
    let told = String::from_utf8_lossy(&checked.stderr).into_owned();
    let expected = "doubtful: ENLIGHTEN_USERNAME: not used, since ENVOY_TOKEN goes before it";
    assert!(told.contains(expected), "{told}");
}

#[tokio::test]
async fn a_look_that_makes_a_login_says_so_and_keeps_nothing() {
    let scene = Scene::new("202400000055", "8.3.5169").await;
    let print = scene.scraper().args(["print", "--json"]).to_end();
    assert!(print.status.success());
    let readings = String::from_utf8_lossy(&print.stdout).into_owned();
    assert!(readings.starts_with('{'), "{readings}");
    let check = scene.scraper().arg("check").to_end();
    for told in [print.stderr, check.stdout] {
        let told = String::from_utf8_lossy(&told).into_owned();
        assert!(told.contains(LOGIN_OF_LOOK), "{told}");
    }
    assert_eq!(scene.logins(), 2);
    assert!(!scene.token_file().exists());
}

#[tokio::test]
async fn a_scraper_that_is_started_again_and_again_makes_no_login_each_time() {
    let scene = Scene::new("202400000056", "8.3.5169").await;
    scene.gateway.inject("cloud mfa on").await;
    for expected in [
        "second factor (MFA)",
        "is fetched before",
        "is fetched before",
    ] {
        let mut scraper = scene.daemon();
        scraper.stderr_line(expected).await;
        assert!(scraper.terminate().await.success());
    }
    assert_eq!(scene.logins(), 1);
}

#[tokio::test]
async fn without_an_account_token_tells_how_to_get_one_by_hand() {
    let token = Start::new(Binary::Scraper).arg("token").to_end();
    assert_eq!(token.status.code(), Some(64));
    let told = String::from_utf8_lossy(&token.stderr).into_owned();
    for part in [
        "ENLIGHTEN_USERNAME",
        "https://entrez.enphaseenergy.com",
        "ENVOY_TOKEN_FILE",
    ] {
        assert!(told.contains(part), "{told}");
    }
}

#[tokio::test]
async fn an_account_without_rights_is_named_by_check_and_by_the_scraper() {
    let scene = Scene::new("202400000059", "8.3.5169").await;
    scene.gateway.inject("cloud role anybody").await;
    let check = scene.scraper().arg("check").to_end();
    let told = String::from_utf8_lossy(&check.stdout).into_owned();
    let login = told.lines().find(|line| line.contains("✗ login"));
    let login = login.unwrap_or_else(|| panic!("no login failed: {told}"));
    for part in ["anybody", "system's owner", "ENLIGHTEN_USERNAME"] {
        assert!(login.contains(part), "{part} is not in {login}");
    }
    let mut scraper = scene.daemon();
    scraper.stderr_line("does not let it").await;
    assert!(scraper.terminate().await.success());
}
