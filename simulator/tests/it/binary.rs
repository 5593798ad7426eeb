use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::client::http;

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
async fn faults_are_switched_at_the_control_socket_and_planned_by_option() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("control");
    let mut child = program(&["--fault", "busy", "--control", path.to_str().unwrap()])
        .spawn()
        .unwrap();
    let line = first_line(&mut child).await;
    let url = line.strip_prefix("listening on ").unwrap();
    let status = async || {
        let info = http().get(format!("{url}/info")).send().await.unwrap();
        info.status().as_u16()
    };
    let mut control = BufReader::new(UnixStream::connect(&path).await.unwrap());
    let mut say = async |line: &str| {
        control.write_all(line.as_bytes()).await.unwrap();
        control.write_all(b"\n").await.unwrap();
        let mut answer = String::new();
        let read = timeout(DEADLINE, control.read_line(&mut answer));
        read.await.unwrap().unwrap();
        answer
    };
    assert_eq!(status().await, 503);
    assert_eq!(say("heal").await, "ok\n");
    assert_eq!(status().await, 200);
    assert_eq!(say("busy@0s+1h").await, "ok\n");
    assert_eq!(status().await, 503);
    let mistake = say("buzy").await;
    assert!(mistake.contains("\"buzy\" is none of "), "{mistake}");
    assert_eq!(say("heal").await, "ok\n");
    assert_eq!(status().await, 200);
    for word in ["reader-started", "freeze", "thaw", "set-back 1h"] {
        let refusal = say(word).await;
        assert!(
            refusal.contains("start the simulator with --hold"),
            "{refusal}"
        );
    }

    let pid = child.id().unwrap().to_string();
    let killed = Command::new("kill").arg(&pid).status().await.unwrap();
    assert!(killed.success());
    timeout(DEADLINE, child.wait()).await.unwrap().unwrap();
    assert!(!path.exists(), "the socket's file goes with it");
}

#[tokio::test]
async fn a_clock_that_is_set_back_at_the_control_socket_shows_in_its_answers() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("control");
    let mut child = program(&["--hold", "127.0.0.1", "--control", path.to_str().unwrap()])
        .spawn()
        .unwrap();
    let line = first_line(&mut child).await;
    let url = line.strip_prefix("listening on ").unwrap();
    let time = async || {
        let info = http().get(format!("{url}/info")).send().await.unwrap();
        let info = info.text().await.unwrap();
        let (_, time) = info.split_once("<time>").unwrap();
        time.split('<').next().unwrap().parse::<i64>().unwrap()
    };
    let mut control = BufReader::new(UnixStream::connect(&path).await.unwrap());
    let mut say = async |line: &str| {
        control
            .write_all(format!("{line}\n").as_bytes())
            .await
            .unwrap();
        let mut answer = String::new();
        let read = timeout(DEADLINE, control.read_line(&mut answer));
        read.await.unwrap().unwrap();
        answer
    };
    let before = time().await;
    for word in ["reader-started", "freeze", "thaw", "set-back 1h"] {
        assert_eq!(say(word).await, "ok\n", "{word}");
    }
    assert!((before - 3_600..before - 3_000).contains(&time().await));
    let mistake = say("set-back far").await;
    assert!(
        mistake.contains("\"far\" is not a length of time"),
        "{mistake}"
    );
}

#[tokio::test]
async fn the_cloud_is_named_second_and_switched_at_the_control_socket() {
    let directory = tempfile::tempdir().unwrap();
    let (control, log) = (directory.path().join("control"), Stdio::piped());
    let mut child = program(&["--cloud", "127.0.0.1:0", "--control"])
        .arg(&control)
        .stderr(log)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut line = async || {
        let line = timeout(DEADLINE, lines.next_line()).await.unwrap();
        line.unwrap().unwrap()
    };
    assert!(line().await.starts_with("listening on https://"));
    let second = line().await;
    let url = second.strip_prefix("cloud on ").unwrap();
    let mut control = BufReader::new(UnixStream::connect(&control).await.unwrap());
    let mut say = async |line: &str| {
        let line = format!("{line}\n");
        control.write_all(line.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let read = timeout(DEADLINE, control.read_line(&mut answer));
        read.await.unwrap().unwrap();
        answer
    };
    let status = async || {
        let tokens = http().post(format!("{url}/tokens")).send().await.unwrap();
        tokens.status().as_u16()
    };
    assert_eq!(status().await, 403);
    assert_eq!(say("cloud down on").await, "ok\n");
    assert_eq!(status().await, 503);
    assert_eq!(say("cloud password very-secret").await, "ok\n");
    let mistake = say("cloud mfa perhaps").await;
    assert!(mistake.contains("write mfa on|off, "), "{mistake}");

    child.start_kill().unwrap();
    let output = timeout(DEADLINE, child.wait_with_output()).await.unwrap();
    let log = String::from_utf8(output.unwrap().stderr).unwrap();
    assert!(log.contains("the cloud was switched"), "{log}");
    assert!(!log.contains("very-secret"), "{log}");
}

#[tokio::test]
async fn the_gateway_is_changed_at_the_control_socket() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("control");
    let mut child = program(&[
        "--firmware",
        "5.0.62",
        "--http-listen",
        "127.0.0.1:0",
        "--control",
    ])
    .arg(&path)
    .spawn()
    .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut line = async || {
        let line = timeout(DEADLINE, lines.next_line()).await.unwrap();
        line.unwrap().unwrap()
    };
    let first = line().await;
    let url = first.strip_prefix("listening on http://").unwrap();
    assert_eq!(line().await, format!("port 80 is http://{url}"));
    let mut control = BufReader::new(UnixStream::connect(&path).await.unwrap());
    let mut say = async |line: &str| {
        let line = format!("{line}\n");
        control.write_all(line.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let read = timeout(DEADLINE, control.read_line(&mut answer));
        read.await.unwrap().unwrap();
        answer
    };
    let status = async |path: &str| {
        let response = http().get(format!("http://{url}{path}")).send().await;
        response.map_or(0, |response| response.status().as_u16())
    };
    assert_eq!(status("/production.json").await, 200);
    assert_eq!(say("firmware 7.6.175").await, "ok\n");
    assert_eq!(status("/production.json").await, 301);
    assert_eq!(say("certificate").await, "ok\n");
    assert_eq!(say("firmware 5.0.62").await, "ok\n");
    assert_eq!(say("reboot 0s+1h").await, "ok\n");
    let empty = http()
        .get(format!("http://{url}/info"))
        .send()
        .await
        .unwrap();
    assert_eq!(empty.status(), 200);
    assert_eq!(say("heal").await, "ok\n");
    for (line, mistake) in [
        ("firmware eight", "is not a firmware version"),
        ("firmware 9.0", "a site can have 3.9 to 8.x"),
        ("reboot soon", "\"soon\" is not a length of time"),
        ("reboot 1s+soon", "\"soon\" is not a length of time"),
        ("replace 123", "\"123\" is no inverter in use"),
        ("certificate now", "is no fault"),
        ("cloud down on", "start the simulator with --cloud"),
    ] {
        let said = say(line).await;
        assert!(said.contains(mistake), "{line}: {said}");
    }
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
            "\"king\" is not a role: write owner or installer",
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
