use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::client::http;

mod control;

const DEADLINE: Duration = Duration::from_secs(30);

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_envoy-simulator"));
    command
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

async fn first_line(child: &mut Child) -> String {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    timeout(DEADLINE, lines.next_line())
        .await
        .unwrap()
        .unwrap()
        .unwrap()
}

#[tokio::test]
async fn it_names_its_address_first_and_ends_with_0_on_a_signal() {
    for (signal, firmware, scheme) in [("-TERM", "5.0.62", "http"), ("-INT", "8.3.5169", "https")] {
        let mut child = program(&["--listen", "127.0.0.1:0", "--firmware", firmware])
            .spawn()
            .unwrap();
        let line = first_line(&mut child).await;
        let url = line.strip_prefix("listening on ").unwrap();
        assert!(url.starts_with(&format!("{scheme}://127.0.0.1:")), "{line}");
        let info = http().get(format!("{url}/info")).send().await.unwrap();
        assert!(info.text().await.unwrap().contains("<sn>122012345678</sn>"));

        let pid = child.id().unwrap().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .await
                .unwrap()
                .success()
        );
        let status = timeout(DEADLINE, child.wait()).await.unwrap().unwrap();
        assert_eq!(status.code(), Some(0), "{signal}");
    }
}

/// The code and what is logged by one that asks the simulator at `address` whether it answers.
async fn health(address: &str) -> (Option<i32>, String) {
    let asked = program(&["--health", address]).output();
    let asked = timeout(DEADLINE, asked).await.unwrap().unwrap();
    (
        asked.status.code(),
        String::from_utf8_lossy(&asked.stderr).into_owned(),
    )
}

#[tokio::test]
async fn health_ends_with_0_while_the_simulator_answers_and_with_1_where_none_does() {
    for firmware in ["5.0.62", "8.3.5169"] {
        let mut child = program(&["--firmware", firmware]).spawn().unwrap();
        let line = first_line(&mut child).await;
        let address = line.rsplit('/').next().unwrap();
        assert_eq!(health(address).await.0, Some(0), "{firmware}");

        child.kill().await.unwrap();
        let (code, said) = health(address).await;
        assert_eq!(code, Some(1), "{firmware}");
        assert!(
            said.contains(&format!("nothing listens at {address}")),
            "{said}"
        );
    }
}

#[tokio::test]
async fn health_ends_with_1_when_the_simulator_hangs() {
    let mut child = program(&["--firmware", "5.0.62", "--fault", "hang"])
        .spawn()
        .unwrap();
    let line = first_line(&mut child).await;
    let (code, said) = health(line.rsplit('/').next().unwrap()).await;
    assert_eq!(code, Some(1));
    assert!(said.contains("no answer at"), "{said}");
}

#[tokio::test]
async fn the_token_is_written_before_the_first_line_for_its_owner_only() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    let mut child = program(&["--token-out", path.to_str().unwrap()])
        .spawn()
        .unwrap();
    let line = first_line(&mut child).await;
    let token = std::fs::read_to_string(&path).unwrap();
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let url = line.strip_prefix("listening on ").unwrap();
    let request = http()
        .get(format!("{url}/auth/check_jwt"))
        .bearer_auth(token.trim());
    assert_eq!(request.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn bad_input_ends_with_64_and_a_message_that_helps() {
    for (arguments, message) in [
        (
            &["--recording", "/nowhere"][..],
            "can't read /nowhere: check the path",
        ),
        (
            &["--serial", "a/b"],
            "\"a/b\" is not a serial: give the 12 digits",
        ),
        (&["--inverters", "0"], "inverters is 0: give at least 1"),
        (
            &["--inverters", "many"],
            "invalid value 'many' for '--inverters <N>'",
        ),
        (
            &["--speed", "86401"],
            "speed is 86401: give a whole number from 1 to 86400",
        ),
        (
            &["--firmware", "eight"],
            "is not a firmware version: give dotted numbers",
        ),
        (
            &["--start", "2999-01-01T00:00:00Z"],
            "give a time from 2008 to now",
        ),
        (
            &["--noon", "25:00"],
            "give a time of day in UTC, such as 09:30",
        ),
        (
            &["--fault", "hnag@3s"],
            "\"hnag\" is none of refuse, hang, ",
        ),
        (
            &["--fault", "hang@30"],
            "\"30\" is not a length of time: write it as 30s",
        ),
        (
            &["--control", "/nowhere/c"],
            "can't open the control socket /nowhere/c: name a file",
        ),
        (
            &["--cloud-role", "owner"],
            "required arguments were not provided",
        ),
        (
            &["--cloud", "127.0.0.1:0", "--cloud-role", "king"],
            "\"king\" is not a role: write owner, installer or anybody",
        ),
        (
            &["--cloud", "127.0.0.1:0", "--cloud-lifetime", "long"],
            "give a length of time, such as 12h",
        ),
        (
            &["--cloud", "127.0.0.1:0", "--cloud-requests", "/nowhere/r"],
            "can't open /nowhere/r for the cloud's requests",
        ),
        (&["--recording", ".", "--seed", "3"], "cannot be used with"),
        (
            &["--ledger", "/nowhere/l"],
            "can't open the ledger /nowhere/l",
        ),
    ] {
        let output = timeout(DEADLINE, program(arguments).output())
            .await
            .unwrap()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(64), "{arguments:?}: {stderr}");
        assert!(stderr.contains(message), "{arguments:?}: {stderr}");
        assert!(output.stdout.is_empty());
    }
}
