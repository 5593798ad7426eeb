//! The control socket of the program.

use super::*;

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
