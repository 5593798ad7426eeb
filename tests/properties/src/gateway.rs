//! What a gateway answers.

use envoy::fuzzing::Polls;
use scraper::changes::Changes;
use wire::Serial;

use crate::{Input, first_line, logged, messages};

/// What begins the line before each body; the path follows.
const ANSWER: &str = "--- ";
/// The path of the list of inverters.
const INVERTERS: &str = "/api/v1/production/inverters";

/// Bodies, each after a line such as `--- /info`; each `/info` begins a poll. Whatever a gateway answers, what the
/// scraper makes of it can be published, stored and remembered, and what is refused can be logged.
pub(crate) fn gateway(data: &[u8]) -> Input {
    let mut polls = Polls::default();
    let mut changes = Changes::new();
    let mut seq = 0;
    let answers = answers(data);
    let mut is_understood = !answers.is_empty();
    for poll in answers.chunk_by(|_, (path, _)| *path != "/info") {
        let Some(("/info", body)) = poll.first().copied() else {
            is_understood = false;
            continue;
        };
        for (_, body) in poll {
            let excerpt = envoy::fuzzing::excerpt(body);
            logged::is_fit(&excerpt);
            assert!(!excerpt.contains("eyJ"), "{excerpt}");
        }
        let info = match envoy::info::parse(body) {
            Ok(info) => info,
            Err(error) => {
                logged::is_fit_error(&error);
                is_understood = false;
                continue;
            }
        };
        let serial: Serial = info
            .serial
            .parse()
            .expect("a serial that can be in a topic");
        let list = poll.iter().find(|(path, _)| *path == INVERTERS);
        let list = list.map_or(&b""[..], |(_, body)| body);
        if let Err(error) = envoy::inverters::parse(list) {
            logged::is_fit_error(&error);
            is_understood = false;
        }
        // Beside `/info` and the list.
        let others = poll.len().saturating_sub(2);
        let (poll, understood) = polls.poll(&info, list, &poll[1..]);
        is_understood &= understood == others;
        let judged = changes.take(&poll, info.time);
        for refused in &judged.refused {
            logged::is_fit(refused);
        }
        for measured in judged.new {
            seq += 1;
            let at = measured.at();
            assert!(
                info.time
                    .is_none_or(|now| !wire::is_set_back(at.unix_seconds(), now)),
                "{at} is more than a day ahead of the Envoy's own clock"
            );
            let journal = "k3x9m2pq".parse().expect("an id");
            messages::reading(&measured.numbered(serial.clone(), journal, seq));
        }
        let _ = changes.stale(info.time);
        let remembered = changes.remembered();
        let written = serde_json::to_string(&remembered).expect("it can be written");
        let read: scraper::changes::Remembered =
            serde_json::from_str(&written).expect("what was written");
        assert_eq!(read, remembered);
    }
    Input::understood_if(is_understood)
}

/// Paths and bodies.
fn answers(data: &[u8]) -> Vec<(&str, &[u8])> {
    let mut answers = Vec::new();
    let mut rest = data;
    while let Some((path, body)) = next(&mut rest) {
        answers.push((path, body));
    }
    answers
}

fn next<'a>(rest: &mut &'a [u8]) -> Option<(&'a str, &'a [u8])> {
    let (line, after) = first_line(rest);
    let path = str::from_utf8(line).ok()?.strip_prefix(ANSWER)?;
    let next = after
        .windows(ANSWER.len() + 1)
        .position(|part| part[0] == b'\n' && part[1..] == *ANSWER.as_bytes());
    let (body, behind) = next.map_or((after, &b""[..]), |end| (&after[..end], &after[end + 1..]));
    *rest = behind;
    Some((path, body))
}
