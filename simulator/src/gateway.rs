//! What a gateway has to say, whoever asks: a recording's answers, or those of a synthetic site.

use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use jiff::{SignedDuration, Timestamp, civil};
use tokio::time::sleep;

use crate::answer::{Answer, Framing};
use crate::board::NotUpdated;
use crate::clock::{Clock, OurTime};
use crate::firmware::Firmware;
use crate::nightly;
use crate::options::check_firmware;
use crate::resource::Resource;
use crate::serial::Serial;
use crate::site::{NotChanged, NotReplaced, Panels};

mod inverters;
mod recording;
mod synthetic;

pub(crate) use recording::Recording;
pub use recording::RecordingError;
pub(crate) use synthetic::{Synthetic, battery_serial};

/// Between two looks at a clock.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// One gateway behind its doorkeeper. Its clones share what it has measured.
#[derive(Clone, Debug)]
pub(crate) struct Gateway {
    pub(crate) firmware: Firmware,
    pub(crate) serial: Serial,
    clock: Clock,
    /// When it is noon where it stands, in UTC.
    noon: civil::Time,
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    Recording(Arc<Recording>),
    Synthetic(Synthetic),
}

impl Gateway {
    /// A recorded gateway: its answers stand still, its clock (for nonces and tokens) is ours.
    pub(crate) fn recorded(recording: Recording, ours: OurTime) -> Self {
        let now = ours.now();
        Self {
            firmware: recording.firmware.clone(),
            serial: recording.serial.clone(),
            clock: Clock::real(ours, now),
            noon: civil::time(12, 0, 0, 0),
            source: Source::Recording(Arc::new(recording)),
        }
    }

    /// A synthetic gateway on its own clock, with the time of its noon in UTC.
    pub(crate) fn synthetic(synthetic: Synthetic, clock: Clock, noon: civil::Time) -> Self {
        Self {
            firmware: synthetic.firmware.clone(),
            serial: synthetic.serial.clone(),
            clock,
            noon,
            source: Source::Synthetic(synthetic),
        }
    }

    /// Its clock, as long as nobody sets it back.
    pub(crate) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// The same site, with all that it has measured, on another firmware. The rhythm in which that
    /// asks its inverters begins with the next day.
    pub(crate) fn updated(&self, firmware: Firmware) -> Result<Self, NotUpdated> {
        let Source::Synthetic(synthetic) = &self.source else {
            return Err(NotUpdated::Recorded);
        };
        check_firmware(&firmware)?;
        Ok(Self {
            source: Source::Synthetic(synthetic.updated(firmware.clone())),
            firmware,
            ..self.clone()
        })
    }

    /// Puts a new inverter in the place of this one, and says which.
    pub(crate) fn replace(&self, inverter: &str) -> Result<String, NotReplaced> {
        match &self.source {
            Source::Recording(_) => Err(NotReplaced::Recorded),
            Source::Synthetic(synthetic) => synthetic.replace(inverter, self.now()),
        }
    }

    /// Makes an inverter dead, shaded or well.
    pub(crate) fn change(&self, inverter: &str, is: Panels) -> Result<(), NotChanged> {
        match &self.source {
            Source::Recording(_) => Err(NotChanged::Recorded),
            Source::Synthetic(synthetic) => synthetic.change(inverter, is, self.now()),
        }
    }

    /// The counters of lifetimes go on from this; those of a recording stand still.
    pub(crate) fn count_from(&self, wh: u32) {
        if let Source::Synthetic(synthetic) = &self.source {
            synthetic.count_from(wh, self.now());
        }
    }

    /// Until when a request of now would hang in a night in which that happens.
    pub(crate) fn hangs_until(&self) -> Option<Timestamp> {
        nightly::hangs_until(self.now(), self.noon)
    }

    /// Returns once its clock shows this.
    pub(crate) async fn until(&self, time: Timestamp) {
        loop {
            let left = time.duration_since(self.now());
            match Duration::try_from(left) {
                Ok(left) if !left.is_zero() => {
                    sleep((left / self.clock.speed()).max(SHORTEST_WAIT)).await;
                }
                _ => return,
            }
        }
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
    /// recorded one, with all of its headers. `heard` is whether it has heard its inverters since it started.
    pub(crate) fn answer(
        &self,
        resource: &Resource,
        now: Timestamp,
        heard: bool,
    ) -> (Answer, bool) {
        let (answer, recorded) = match &self.source {
            Source::Recording(recording) => (recording.answer(resource), true),
            Source::Synthetic(synthetic) => (synthetic.answer(resource, now, heard), false),
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
