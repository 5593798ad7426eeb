//! The steps to the broker, the same for every daemon: name, connection, TLS, login, and whether
//! the account may publish.
//!
//! The check has a client id of its own: with the daemon's it would throw out a daemon that runs.

use std::io::Write;
use std::time::Duration;

use mqtt::{Connection, Event, Events, Message, Reason, Stage};
use tokio::time::timeout;
use wire::Topic;

use super::{Report, Taken, resolve};
use crate::broker::{Broker, explain};
use crate::exit::with_causes;
use crate::random;

const NAME: &str = "name";
const REACHABLE: &str = "reachable";
const TLS: &str = "TLS";
const LOGIN: &str = "login";
const PUBLISH: &str = "publish";

/// More than the session gives one attempt.
const ATTEMPT: Duration = Duration::from_secs(15);

/// How long the broker may take to send back what it lets us publish.
const ECHO: Duration = Duration::from_secs(10);

/// How long the good-bye may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// Who asks, and what is published to see whether it may be.
#[derive(Debug)]
pub struct Caller {
    /// The daemon's client id.
    pub client_id: String,
    /// Its user name when none is configured.
    pub username: String,
    /// The topic that it tries, which nobody listens to.
    pub topic: Topic,
    /// What makes or mends its account.
    pub account_command: String,
}

/// A connection that passed every step.
pub struct Passed {
    /// Ends the connection when it is dropped or closed.
    pub session: mqtt::Session,
    /// What comes on it.
    pub events: Events,
    /// What can be done on it.
    pub connection: Connection,
}

impl Passed {
    /// Says good-bye.
    pub async fn close(self) {
        self.session.close(FAREWELL).await;
    }
}

/// Takes the steps; gives the connection when all of them passed. Without a caller, whose name
/// depends on something that is not known, the account is not tried.
///
/// # Errors
/// When the settings can't be used at all: the password's file can't be read any more.
pub async fn check<W: Write>(
    report: &mut Report<W>,
    broker: &Broker,
    caller: Option<&Caller>,
) -> Result<Option<Passed>, String> {
    let config = config(broker, caller)?;
    let name = resolve(broker.url.host()).await;
    let tls = if broker.url.is_tls() {
        Taken::Passed("the certificate is trusted, and is for this name".to_owned())
    } else {
        Taken::Skipped("not used: mqtt:// is not encrypted".to_owned())
    };
    let mut steps = vec![
        (NAME, Taken::Passed(name.unwrap_or_default())),
        (REACHABLE, Taken::Passed(format!("{} answers", broker.url))),
        (TLS, tls),
    ];
    if caller.is_some() {
        let account = match &config.credentials {
            Some(credentials) => format!("'{}' is let in", credentials.username),
            None => "let in without an account".to_owned(),
        };
        steps.push((LOGIN, Taken::Passed(account)));
    }
    let (session, mut events) = mqtt::start(config).map_err(|error| with_causes(&error))?;
    let awaited = format!(
        "{} has not answered yet; it is given {} s",
        broker.url,
        ATTEMPT.as_secs()
    );
    let attempt = timeout(ATTEMPT, events.next());
    let attempt = match report.patiently(REACHABLE, &awaited, attempt).await {
        Ok(Some(Event::Connected(connection))) => Ok(connection),
        Ok(Some(Event::Disconnected(reason))) => Err(Failed::of(&reason)),
        Ok(Some(Event::Received(_)) | None) | Err(_) => Err(Failed {
            step: REACHABLE,
            text: format!("{} does not answer in time", broker.url),
            is_about_account: false,
        }),
    };
    let Some(caller) = caller else {
        // A refusal of nobody in particular shows that all before it is as it should be.
        let failed = attempt.err().filter(|failed| !failed.is_about_account);
        steps.push((
            LOGIN,
            Taken::Skipped(
                "not tried: whose account it is depends on a step that failed".to_owned(),
            ),
        ));
        report.attempt(steps, failed.map(|failed| (failed.step, failed.text)));
        return Ok(None);
    };
    let connection = match attempt {
        Ok(connection) => connection,
        Err(failed) => {
            steps.push((PUBLISH, Taken::Passed(String::new())));
            report.attempt(steps, Some((failed.step, failed.text)));
            return Ok(None);
        }
    };
    report.attempt(steps, None);
    let mut passed = Passed {
        session,
        events,
        connection,
    };
    let awaited = format!(
        "what was published has not come back yet; it is given {} s",
        ECHO.as_secs()
    );
    let echo = echo(&mut passed, broker, caller);
    match report.patiently(PUBLISH, &awaited, echo).await {
        Ok(text) => {
            report.passed(PUBLISH, text);
            Ok(Some(passed))
        }
        Err(problem) => {
            report.failed(PUBLISH, problem);
            passed.close().await;
            Ok(None)
        }
    }
}

/// A session of the check's own: its own client id, and nobody is told when it ends.
fn config(broker: &Broker, caller: Option<&Caller>) -> Result<mqtt::Config, String> {
    let (client_id, username) = caller.map_or(("envoy-scrape", ""), |caller| {
        (caller.client_id.as_str(), caller.username.as_str())
    });
    let client_id = format!("{client_id}-check-{}", random::id::<String>());
    let mut config = broker.session(client_id, username, true, None)?;
    if caller.is_none() {
        config.credentials = None;
    }
    Ok(config)
}

/// Whether the account may publish on the topic that it tries.
async fn echo(passed: &mut Passed, broker: &Broker, caller: &Caller) -> Result<String, String> {
    let remedy = format!(
        "give its account the rights with: {}, and have the broker read its accounts again",
        caller.account_command
    );
    comes_back(passed, &caller.topic.render(&broker.topic), &remedy).await
}

/// Publishes a word and waits for it to come back: Mosquitto acknowledges what its ACL forbids, so
/// nothing less proves that the account may publish. What is to be said of it.
///
/// # Errors
/// It does not come back. The message says so, and ends with `remedy` where that is a matter of rights.
pub async fn comes_back(passed: &mut Passed, topic: &str, remedy: &str) -> Result<String, String> {
    let word = random::id::<String>();
    passed
        .connection
        .subscribe([topic])
        .await
        .map_err(|error| format!("{error}; {remedy}"))?;
    let message = Message {
        topic: topic.to_owned(),
        payload: word.clone().into(),
        retain: false,
    };
    let sent = passed.connection.publish(message).await;
    let heard = timeout(ECHO, async {
        while let Some(event) = passed.events.next().await {
            match event {
                Event::Received(delivery) => {
                    let is_ours = delivery.topic == topic && delivery.payload == word.as_bytes();
                    // On a connection that has ended there is nothing to acknowledge.
                    let _ = delivery.acknowledgement.send().await;
                    if is_ours {
                        return Ok(());
                    }
                }
                Event::Disconnected(reason) => return Err(explain(&reason)),
                Event::Connected(_) => {}
            }
        }
        Err("the session ended".to_owned())
    });
    match (sent, heard.await) {
        (Ok(_), Ok(Ok(()))) => Ok(format!("what is published on {topic} comes back")),
        (Ok(_), Err(_)) => Err(format!(
            "not allowed to publish: what was published on {topic} did not come back; {remedy}"
        )),
        (_, Ok(Err(reason))) => Err(reason),
        (Err(gone), _) => Err(gone.to_string()),
    }
}

/// An attempt that failed.
struct Failed {
    step: &'static str,
    text: String,
    /// Whether the broker refuses who asks, and nothing else is wrong.
    is_about_account: bool,
}

impl Failed {
    fn of(reason: &Reason) -> Self {
        Self {
            step: step(reason),
            text: explain(reason),
            is_about_account: matches!(
                reason,
                Reason::Credentials { .. } | Reason::NotAuthorised { .. } | Reason::ClientId { .. }
            ),
        }
    }
}

/// The step that an attempt failed at.
fn step(reason: &Reason) -> &'static str {
    match reason.stage() {
        Stage::Name => NAME,
        Stage::Reach => REACHABLE,
        Stage::Tls => TLS,
        Stage::Login | Stage::Connected => LOGIN,
    }
}
