//! What is in force and where each value comes from, for `--print-config`.
//!
//! TOML, so that it can be read by people and kept as a file: the source stands in a comment, a
//! secret's text is left out, and so is what is not set.

use std::fmt::Write as _;

use toml_writer::{ToTomlValue as _, TomlStringBuilder};

use super::source::Origin;
use super::{Key, Settings, value};

const HEAD: &str = "\
# The settings in force, and where each of them comes from. Secrets are not shown;
# apart from those this can be kept as a file and given with --config.
";

/// The table, one line a setting.
pub(super) fn table(settings: &Settings) -> String {
    let lines: Vec<Line> = settings
        .keys
        .iter()
        .flat_map(|key| lines(settings, key))
        .collect();
    let width = lines
        .iter()
        .map(|line| line.text.chars().count())
        .max()
        .unwrap_or_default();
    let mut table = HEAD.to_owned();
    for section in sections(&lines) {
        table.push('\n');
        if !section.is_empty() {
            let _ = writeln!(table, "[{section}]");
        }
        for line in lines.iter().filter(|line| line.section == section) {
            let _ = writeln!(table, "{:width$}  # {}", line.text, line.source);
        }
    }
    table
}

struct Line {
    section: &'static str,
    text: String,
    source: String,
}

/// Every section once. Keys without one come first, as they must in TOML.
fn sections(lines: &[Line]) -> Vec<&'static str> {
    let mut sections = Vec::new();
    let without = lines.iter().filter(|line| line.section.is_empty());
    for line in without.chain(lines) {
        if !sections.contains(&line.section) {
            sections.push(line.section);
        }
    }
    sections
}

fn lines(settings: &Settings, key: &Key) -> Vec<Line> {
    let (section, leaf) = key.name.rsplit_once('.').unwrap_or(("", key.name));
    let line = |text: String, source: String| Line {
        section,
        text,
        source,
    };
    let given = settings.raw(key);
    let twin = settings.raw_twin(key);
    // What only tests set is shown when it is set.
    if key.env.is_empty() && !settings.is_set(key) {
        return Vec::new();
    }
    let mut lines = Vec::new();
    match given {
        Some((_, origin)) if key.secret => {
            lines.push(line(
                format!("# {leaf} = \"***\""),
                format!("hidden, from {origin}"),
            ));
        }
        Some((text, origin)) => {
            let text = assignment(leaf, &value::shown(key, &text));
            lines.push(line(text, source(&origin)));
        }
        None => {}
    }
    if let Some((path, origin)) = twin {
        let leaf = format!("{leaf}_file");
        lines.push(if value::may_be_path(&path) {
            line(assignment(&leaf, &path), source(&origin))
        } else {
            line(
                format!("# {leaf} = \"***\""),
                format!("hidden, from {origin}"),
            )
        });
    }
    if lines.is_empty() {
        lines.push(match settings.assumed.get(key.name) {
            Some(value) => line(assignment(leaf, value), "default".to_owned()),
            None => line(format!("# {leaf}"), "not set".to_owned()),
        });
    }
    lines
}

fn assignment(leaf: &str, text: &str) -> String {
    let text = TomlStringBuilder::new(text).as_basic().to_toml_value();
    format!("{leaf} = {text}")
}

fn source(origin: &Origin) -> String {
    match origin {
        Origin::Default(_) => "default".to_owned(),
        origin => origin.to_string(),
    }
}
