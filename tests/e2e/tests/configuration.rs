//! Wrong settings as their users meet them: the real programs, which say what is wrong and end with
//! code 64. The messages themselves are in `standalone/tests/mistakes`.

use std::process::Output;

use rig::programs::{Binary, Start};
use tempfile::TempDir;

/// A password that must not be seen anywhere.
const SECRET: &str = "hunter2-hunter2";

/// Standard output, standard error and the exit code.
fn of(output: &Output) -> (String, String, Option<i32>) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        text(&output.stdout),
        text(&output.stderr),
        output.status.code(),
    )
}

/// What is said on standard error by a program that refuses to start.
fn refusal(start: &Start) -> String {
    let (stdout, stderr, code) = of(&start.to_end());
    assert_eq!(code, Some(64), "{stderr}");
    assert_eq!(stdout, "");
    assert!(!stderr.contains(SECRET), "{stderr}");
    stderr
}

fn file(content: &str) -> (TempDir, String) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("settings.toml");
    std::fs::write(&path, content).expect("the directory is ours");
    let path = path.to_str().expect("a Unicode path").to_owned();
    (directory, path)
}

#[test]
fn a_program_without_any_setting_says_what_it_needs() {
    let said = refusal(&Start::new(Binary::Receiver));
    for name in ["INFLUX_TOKEN", "INFLUX_ORG", "INFLUX_BUCKET"] {
        assert!(said.contains(&format!("{name}: missing: ")), "{said}");
    }
}

#[test]
fn a_flag_a_variable_and_a_file_are_wrong_at_once() {
    let (_directory, path) = file(&format!("[mqtt]\npasword = \"{SECRET}\"\n"));
    let said = refusal(
        &Start::new(Binary::Scraper)
            .args(["--config", &path, "--poll-interval", "5s"])
            .env("ENVOY_HOST", "https://enlighten.enphaseenergy.com")
            .env("ENVOY_TOKEN", SECRET),
    );
    let expected = format!(
        "the configuration has 4 mistakes:
  mqtt.pasword in {path}: there is no such key; did you mean mqtt.password?
  ENVOY_HOST: \"https://enlighten.enphaseenergy.com\" is Enphase's cloud: give the address of the Envoy in your home network, such as envoy.local or 192.168.1.20
  ENVOY_TOKEN: the secret is no token: those begin with eyJ; a password of Enphase's site is none
  --poll-interval: \"5s\" is too short: gateways that are asked more often stop answering; write 60s or more
(--print-config shows what is set, and where)
"
    );
    assert_eq!(said, expected);
}

#[test]
fn a_broken_file_is_named_with_its_line_and_without_its_text() {
    let (_directory, path) = file(&format!("[mqtt]\npassword = \"{SECRET}\n"));
    let said = refusal(&Start::new(Binary::Receiver).args(["--config", &path]));
    let expected = format!("{path}: line 2 (password) is not TOML");
    assert!(said.contains(&expected), "{said}");
}

#[test]
fn a_wrong_flag_names_the_right_one() {
    for binary in [Binary::Scraper, Binary::Standalone] {
        let said = refusal(&Start::new(binary).args(["--envy", "192.168.1.20"]));
        assert!(said.contains("'--envoy'"), "{said}");
    }
    let said = refusal(&Start::new(Binary::Receiver).args(["--influx-url"]));
    assert!(
        said.contains("a value is required for '--influx-url"),
        "{said}"
    );
}

#[test]
fn a_secret_on_the_command_line_is_refused_and_not_repeated() {
    let equals = format!("--mqtt-password={SECRET}");
    let uses: [&[&str]; 3] = [
        &["--mqtt-password", SECRET],
        &[&equals],
        &["run", "--envoy-token", SECRET],
    ];
    for arguments in uses {
        let said = refusal(&Start::new(Binary::Scraper).args(arguments));
        assert!(said.contains("secrets have no flag"), "{said}");
    }
}

#[test]
fn what_is_in_force_is_printed_and_nothing_is_started() {
    for (binary, lines) in [
        (
            Binary::Scraper,
            &[
                "host = \"192.168.1.20\"",
                "# ENVOY_HOST",
                "# password = \"***\"",
                "# not set",
            ][..],
        ),
        (
            Binary::Receiver,
            &[
                "url = \"http://localhost:8086\"",
                "# default",
                "hidden, from MQTT_PASSWORD",
            ],
        ),
        (
            Binary::Standalone,
            &[
                "state_dir = ",
                "filter = \"info,mqtt5=error\"",
                "# ENVOY_HOST",
            ],
        ),
    ] {
        let start = Start::new(binary)
            .arg("--print-config")
            .env("HOME", "/nowhere")
            .env("ENVOY_HOST", "192.168.1.20")
            .env("INFLUX_ORG", "home")
            .env("INFLUX_BUCKET", "envoy")
            .env("INFLUX_TOKEN", SECRET)
            .env("MQTT_PASSWORD", SECRET);
        let (stdout, stderr, code) = of(&start.to_end());
        assert_eq!((stderr.as_str(), code), ("", Some(0)), "{stdout}");
        for line in lines {
            assert!(stdout.contains(line), "{line} is not in:\n{stdout}");
        }
        assert!(!stdout.contains(SECRET), "{stdout}");
    }
    let print = Start::new(Binary::Scraper)
        .args(["print", "--print-config"])
        .env("ENVOY_HOST", "192.168.1.20");
    let (stdout, _, code) = of(&print.to_end());
    assert_eq!(code, Some(0));
    assert!(stdout.contains("filter = \"warn\""), "{stdout}");
}

#[test]
fn what_is_in_force_is_printed_before_its_mistakes() {
    let start = Start::new(Binary::Receiver)
        .arg("--print-config")
        .env("MQTT_URL", format!("http://me:{SECRET}@broker"))
        .env("MQTT_USER", "me");
    let (stdout, stderr, code) = of(&start.to_end());
    assert_eq!(code, Some(64));
    assert!(stdout.contains("url = \"http://***@broker\""), "{stdout}");
    assert!(
        stderr.contains(
            "doubtful: MQTT_USER: is no setting of this program; did you mean MQTT_USERNAME?"
        ),
        "{stderr}"
    );
    assert!(
        stderr.contains("the configuration has 4 mistakes:"),
        "{stderr}"
    );
    assert!(!(stdout + &stderr).contains(SECRET), "{stderr}");
}

#[tokio::test]
async fn a_variable_that_is_misspelt_is_remarked_upon_and_the_program_runs() {
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = nowhere.local_addr().expect("it is bound").to_string();
    drop(nowhere);
    let mut program = Start::new(Binary::Scraper)
        .env("ENVOY_HOST", &address)
        .env("MQTT_PASSWROD", SECRET)
        .spawn();
    let line = program.stderr_line("did you mean MQTT_PASSWORD?").await;
    assert!(line.contains("WARN") && !line.contains(SECRET), "{line}");
    assert!(program.terminate().await.success());
}
