//! An InfluxDB that does what a script says, and notes what it keeps.

use std::sync::{Arc, Mutex};

use scripted::influx::{Reply, Request, Server};
use tokio::sync::watch;

use crate::state::{State, is_bad, is_health};

/// What the store does with a request.
pub(crate) struct Said {
    /// The lines that it keeps, whatever it answers.
    pub(crate) kept: Vec<String>,
    /// What it answers.
    pub(crate) reply: Reply,
}

impl Said {
    pub(crate) fn nothing_kept(reply: Reply) -> Self {
        Self {
            kept: Vec::new(),
            reply,
        }
    }

    pub(crate) fn all_kept(request: &Request, reply: Reply) -> Self {
        Self {
            kept: request.lines.clone(),
            reply,
        }
    }
}

/// What a sound InfluxDB does: a bad line spoils its whole request.
pub(crate) fn sound(request: &Request) -> Said {
    if request.lines.iter().any(|line| is_bad(line)) {
        Said::nothing_kept(Reply::error(400, "unable to parse 'bad'"))
    } else {
        Said::all_kept(request, Reply::stored())
    }
}

/// How a store behaves; told how often it was asked before.
pub(crate) type Script = Box<dyn Fn(&Request, usize) -> Said + Send>;

/// Starts it.
pub(crate) async fn influx(state: watch::Sender<State>, script: Arc<Mutex<Script>>) -> Server {
    Server::start(move |request, before| {
        let Said { kept, reply } = (script.lock().unwrap())(request, before.len());
        state.send_modify(|state| {
            state.asked.push(tokio::time::Instant::now());
            let (healths, kept): (Vec<_>, Vec<_>) =
                kept.into_iter().partition(|line| is_health(line));
            state.healths.extend(healths);
            state.kept.extend(kept);
        });
        reply
    })
    .await
}
