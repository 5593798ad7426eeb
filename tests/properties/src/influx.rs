//! What InfluxDB answers, or whoever is in its place.

use std::time::Duration;

use store::fuzzing::{LINES, judged};

use crate::{Input, first_line, logged};

/// How much may be said of one answer, in characters: three hundred are quoted.
const LONGEST: usize = 700;

/// The status in the first line, then lines of the head up to an empty one, then the body: only a 204 is taken for
/// stored, each line of a batch that is refused has one reason, and what is said is short and one line.
pub(crate) fn influx(data: &[u8]) -> Input {
    let (status, mut rest) = first_line(data);
    let status = str::from_utf8(status).ok().and_then(|it| it.parse().ok());
    let Some(status) = status else {
        return Input::Refused;
    };
    let mut headers = Vec::new();
    let body = loop {
        let (line, after) = first_line(rest);
        if line.is_empty() {
            break after;
        }
        let text = String::from_utf8_lossy(line).into_owned();
        if let Some((name, value)) = text.split_once(": ") {
            headers.push((name.to_owned(), value.as_bytes().to_vec()));
        }
        rest = after;
    };
    let headers: Vec<(&str, &[u8])> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_slice()))
        .collect();
    let Some(judged) = judged(status, &headers, body) else {
        return Input::Refused;
    };
    assert_eq!(judged.is_stored, status == 204);
    let (probed, _) = &judged.probed;
    for said in [&judged.said, probed] {
        logged::is_fit(said);
        assert!(said.chars().count() < LONGEST, "{said}");
    }
    if let Some((blamed, outside)) = &judged.refused {
        assert!(blamed.is_sorted_by(|one, next| one < next), "{blamed:?}");
        assert_eq!(blamed.len() + outside, LINES);
    }
    let longest = Duration::from_hours(1);
    assert!(judged.retry_after.is_none_or(|asked| asked <= longest));
    Input::Understood
}
