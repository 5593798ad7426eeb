//! What a gateway has to say, whoever asks: a recording's answers, or those of a synthetic site.

use hyper::StatusCode;
use jiff::{SignedDuration, Timestamp};

use crate::answer::{Answer, Framing};
use crate::clock::Clock;
use crate::firmware::Firmware;
use crate::resource::Resource;
use crate::serial::Serial;

mod inverters;
mod recording;
mod synthetic;

pub(crate) use recording::Recording;
pub use recording::RecordingError;
pub(crate) use synthetic::Synthetic;

/// One gateway behind its doorkeeper.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) firmware: Firmware,
    pub(crate) serial: Serial,
    clock: Clock,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Recording(Recording),
    Synthetic(Synthetic),
}

impl Gateway {
    /// A recorded gateway: its answers stand still, its clock (for nonces and tokens) is ours.
    pub(crate) fn recorded(recording: Recording) -> Self {
        Self {
            firmware: recording.firmware.clone(),
            serial: recording.serial.clone(),
            clock: Clock::real(Timestamp::now()),
            source: Source::Recording(recording),
        }
    }

    /// A synthetic gateway on its own clock.
    pub(crate) fn synthetic(synthetic: Synthetic, clock: Clock) -> Self {
        Self {
            firmware: synthetic.firmware.clone(),
            serial: synthetic.serial.clone(),
            clock,
            source: Source::Synthetic(synthetic),
        }
    }

    /// Its clock, as long as nobody sets it back.
    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    /// What its clock shows.
    pub(crate) fn now(&self) -> Timestamp {
        let set_back_s = match &self.source {
            Source::Recording(_) => 0,
            Source::Synthetic(synthetic) => synthetic.set_back_s(),
        };
        let now = self.clock.now();
        now.checked_sub(SignedDuration::from_secs(set_back_s))
            .unwrap_or(now)
    }

    /// The answer that comes before any check of who asks: a recorded 401 is what that gateway
    /// said, and goes on saying, whatever is sent.
    pub(crate) fn refusal(&self, resource: &Resource) -> Option<Answer> {
        match &self.source {
            Source::Recording(recording) => recording
                .answer(resource)
                .filter(|answer| answer.status == StatusCode::UNAUTHORIZED),
            Source::Synthetic(_) => None,
        }
    }

    /// The answer to someone who may ask, at `now` by the gateway's clock, and whether it is a
    /// recorded one, with all of its headers.
    pub(crate) fn answer(&self, resource: &Resource, now: Timestamp) -> (Answer, bool) {
        let (answer, recorded) = match &self.source {
            Source::Recording(recording) => (recording.answer(resource), true),
            Source::Synthetic(synthetic) => (synthetic.answer(resource, now), false),
        };
        match answer {
            Some(answer) => (answer, recorded),
            None => (self.not_found(), false),
        }
    }

    /// What is asked for does not exist on this firmware.
    pub(crate) fn not_found(&self) -> Answer {
        if self.firmware.uses_tokens() {
            let page = "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n\
                        <center><h1>404 Not Found</h1></center>\r\n<hr>\
                        <center>openresty/1.17.8.1</center>\r\n</body>\r\n</html>\r\n";
            Answer::new(StatusCode::NOT_FOUND, page).content_type("text/html")
        } else {
            Answer::new(
                StatusCode::NOT_FOUND,
                "{ \"error\" : \"404 - Not Found\" }\n",
            )
            .content_type("application/json; charset=ISO-8859-4")
        }
    }
}

/// What a gateway says to everything while it starts. Whether real ones send `Retry-After` was
/// never recorded; the wait that they want is in the text.
pub(crate) fn busy() -> Answer {
    let body = r#"{"status":503,"info":"Resource busy, please retry after 30 seconds"}"#;
    Answer::new(StatusCode::SERVICE_UNAVAILABLE, body).content_type("application/json")
}

/// A page for people with status 200, under the name of data, as firmware 3 answers what it does not
/// have.
pub(crate) fn web_page() -> Answer {
    let page = "<!DOCTYPE html>\n<html>\n<body>\n<h2>Page Not Found</h2>\n</body>\n</html>\n";
    Answer::new(StatusCode::OK, page)
        .content_type("application/json")
        .framing(Framing::Chunked)
}

/// A list of inverters before any of them was heard after a start.
pub(crate) fn empty_list() -> Answer {
    Answer::new(StatusCode::OK, "[]\n").content_type("application/json")
}
