//! `check` of both daemons: a chain that is sound, and the ten commonest mistakes of a new user.

mod hanging;
mod mistakes;
mod sound;

use rig::programs::Start;

/// One step, as `check --json` tells it.
#[derive(Debug)]
pub(crate) struct Finding {
    part: String,
    pub(crate) step: String,
    pub(crate) outcome: String,
    pub(crate) text: String,
}

/// What a check said.
pub(crate) struct Checked {
    code: Option<i32>,
    pub(crate) steps: Vec<Finding>,
}

/// Runs a daemon's check to its end.
pub(crate) async fn check(start: Start) -> Checked {
    let mut program = start.args(["check", "--json"]).spawn();
    let status = program.ended().await;
    let printed = program.stdout().join("\n");
    let object: serde_json::Value = serde_json::from_str(&printed)
        .unwrap_or_else(|error| panic!("{error}: {printed:?} {:?}", program.stderr()));
    let text = |step: &serde_json::Value, key: &str| {
        step[key]
            .as_str()
            .expect("each step has each key")
            .to_owned()
    };
    let steps = object["steps"].as_array().expect("a list of steps");
    let checked = Checked {
        code: status.code(),
        steps: steps
            .iter()
            .map(|step| Finding {
                part: text(step, "part"),
                step: text(step, "step"),
                outcome: text(step, "outcome"),
                text: text(step, "text"),
            })
            .collect(),
    };
    assert_eq!(object["passed"], checked.code == Some(0), "{printed}");
    checked
}
