//! A recorded gateway: one file per path, its status and headers in `<name>_log.json`.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};

use hyper::StatusCode;
use hyper::header::{
    CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING,
};
use serde::Deserialize;
use thiserror::Error;

use super::inverters;
use crate::answer::{Answer, Framing};
use crate::firmware::Firmware;
use crate::resource::Resource;
use crate::serial::Serial;

/// The answers of one gateway, by file name.
#[derive(Debug)]
pub(crate) struct Recording {
    pub(crate) firmware: Firmware,
    pub(crate) serial: Serial,
    answers: HashMap<String, Answer>,
}

/// Why a directory can't be replayed.
#[derive(Debug, Error)]
pub enum RecordingError {
    /// The directory or a file of it can't be read.
    #[error("can't read {}: check the path and its permissions", .path.display())]
    Unreadable {
        /// What was to be read.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is no usable `/info`, so serial and firmware are unknown.
    #[error(
        "{} is no recording: its file `info` must hold <sn> and <software> ({problem})",
        .directory.display()
    )]
    Info {
        /// The directory.
        directory: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A log of status and headers can't be understood.
    #[error("{} is not a log of status and headers ({problem})", .path.display())]
    Log {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

/// The content of `<name>_log.json`.
#[derive(Default, Deserialize)]
struct Log {
    code: Option<u16>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

impl Recording {
    /// Reads a whole recording into memory: some 30 small files.
    pub(crate) fn load(directory: &Path) -> Result<Self, RecordingError> {
        let bodies = bodies(directory)?;
        let info_error = |problem: String| RecordingError::Info {
            directory: directory.to_owned(),
            problem,
        };
        let info = bodies
            .get("info")
            .ok_or_else(|| info_error("it is missing".to_owned()))?;
        let info = String::from_utf8_lossy(info);
        let element = |name| element(&info, name).ok_or_else(|| info_error(format!("no <{name}>")));
        let serial = element("sn")?
            .parse::<Serial>()
            .map_err(|e| info_error(e.to_string()))?;
        let firmware = element("software")?
            .parse::<Firmware>()
            .map_err(|e| info_error(e.to_string()))?;

        let mut answers = HashMap::new();
        for (name, body) in bodies {
            let log = log(&directory.join(format!("{name}_log.json")))?;
            let mut answer = log.answer(body, &firmware);
            if name == inverters::NAME && answer.status == StatusCode::OK {
                match serde_json::from_slice::<Vec<inverters::Entry>>(&answer.body) {
                    Ok(entries) => answer.shows = inverters::shown(&entries, &serial),
                    Err(error) => tracing::warn!(%error, "the recorded list shows no reports"),
                }
            }
            answers.insert(name, answer);
        }
        Ok(Self {
            firmware,
            serial,
            answers,
        })
    }

    /// The recorded answer. A query that was not recorded is ignored, as gateways do.
    pub(super) fn answer(&self, resource: &Resource) -> Option<Answer> {
        let exact = resource
            .name_with_query()
            .and_then(|name| self.answers.get(&name));
        let by_name = exact.or_else(|| self.answers.get(resource.name()));
        let answer = by_name.or_else(|| self.answers.get("info").filter(|_| resource.is_info()));
        answer.cloned()
    }
}

impl Log {
    /// What was recorded, as far as it is still true: lengths are counted again, and whether the
    /// connection stays is for the server to add.
    fn answer(self, body: Vec<u8>, firmware: &Firmware) -> Answer {
        let mut headers = HeaderMap::new();
        let mut framing = match firmware.major() {
            ..4 => Framing::EndOfConnection,
            _ => Framing::Length,
        };
        for (name, value) in self.headers {
            let Ok(name) = HeaderName::try_from(name) else {
                continue;
            };
            match name {
                CONTENT_LENGTH => framing = Framing::Length,
                TRANSFER_ENCODING => framing = Framing::Chunked,
                CONNECTION if value.eq_ignore_ascii_case("keep-alive") => {}
                name => values(&name, &value).for_each(|value| {
                    headers.append(name.clone(), value);
                }),
            }
        }
        let status = self.code.and_then(|code| StatusCode::from_u16(code).ok());
        let mut answer = Answer::new(status.unwrap_or(StatusCode::OK), body).framing(framing);
        answer.headers = headers;
        answer
    }
}

/// The values of a header as they were on the wire: text is Latin-1, and a date that was sent twice
/// was logged with a comma between.
fn values(name: &HeaderName, logged: &str) -> impl Iterator<Item = HeaderValue> {
    let repeated = (name == hyper::header::DATE).then_some("GMT, ");
    let parts: Vec<String> = match repeated {
        Some(between) => logged
            .replace(between, "GMT\n")
            .split('\n')
            .map(str::to_owned)
            .collect(),
        None => vec![logged.to_owned()],
    };
    parts.into_iter().filter_map(|part| {
        let bytes: Option<Vec<u8>> = part.chars().map(|c| u8::try_from(c).ok()).collect();
        HeaderValue::from_bytes(&bytes?).ok()
    })
}

/// All bodies of a directory by name. Files that begin with `_` are notes.
fn bodies(directory: &Path) -> Result<HashMap<String, Vec<u8>>, RecordingError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| RecordingError::Unreadable { path, source }
    };
    let mut bodies = HashMap::new();
    for entry in std::fs::read_dir(directory).map_err(unreadable(directory))? {
        let path = entry.map_err(unreadable(directory))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if path.is_file() && !name.starts_with('_') && !name.ends_with("_log.json") {
            bodies.insert(
                name.to_owned(),
                std::fs::read(&path).map_err(unreadable(&path))?,
            );
        }
    }
    Ok(bodies)
}

/// Status and headers of a recorded answer; without a log it is a 200.
fn log(path: &Path) -> Result<Log, RecordingError> {
    match std::fs::read(path) {
        Ok(json) => serde_json::from_slice(&json).map_err(|error| RecordingError::Log {
            path: path.to_owned(),
            problem: error.to_string(),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Log::default()),
        Err(source) => Err(RecordingError::Unreadable {
            path: path.to_owned(),
            source,
        }),
    }
}

/// The text of the first element of that name.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0.trim())
}
