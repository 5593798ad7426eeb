use super::*;

fn poll_interval(text: &str) -> Result<Duration, String> {
    let environment = [
        ("ENVOY_HOST", "192.168.1.20"),
        ("STATE_DIR", "/nowhere"),
        ("POLL_INTERVAL", text),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let read = Config::read(Sources {
        environment: environment.into(),
        ..Sources::default()
    });
    read.map(|(config, _)| config.poll_interval)
        .map_err(|problems| problems.to_string())
}

#[test]
fn an_envoy_is_asked_each_minute_at_most_and_each_hour_at_least() {
    assert_eq!(poll_interval(""), Ok(Duration::from_mins(1)));
    assert_eq!(poll_interval("1h"), Ok(Duration::from_hours(1)));
    for (text, reason) in [
        ("59s", "is too short"),
        ("61m", "is too long"),
        ("60", "has no unit"),
    ] {
        let mistake = poll_interval(text).expect_err("out of range");
        let expected = format!("POLL_INTERVAL: {text:?} {reason}");
        assert!(mistake.contains(&expected), "{mistake}");
    }
}
