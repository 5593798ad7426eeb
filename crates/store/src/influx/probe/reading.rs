//! Reads what the probe wrote, where the token may read.

use std::fmt::Write;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{CHECK_MEASUREMENT, Connection, Outcome, failed, message};

/// How long a stored point may take until it can be read: a single server has it at once, one of
/// many parts a little later.
const READ_BACK_WITHIN: Duration = Duration::from_secs(3);

/// Between two looks for it.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Whether the token may read the bucket.
pub(super) async fn is_allowed(connection: &Connection) -> bool {
    let flux = format!(
        "from(bucket: {}) |> range(start: -1s) |> limit(n: 1)",
        quoted(&connection.bucket)
    );
    matches!(connection.query(flux).await, Ok(reply) if reply.status.is_success())
}

/// Looks for the point that was written. That reading is not possible is no fault: the receiver only
/// writes.
pub(super) async fn back(connection: &Connection, run: u32) -> Outcome {
    let bucket = &connection.bucket;
    let flux = format!(
        r#"from(bucket: {}) |> range(start: -1h)
            |> filter(fn: (r) => r._measurement == "{CHECK_MEASUREMENT}" and r._field == "run")
            |> filter(fn: (r) => r._value == {run})"#,
        quoted(bucket)
    );
    let until = Instant::now() + READ_BACK_WITHIN.min(connection.timeout());
    loop {
        let reply = match connection.query(flux.clone()).await {
            Ok(reply) => reply,
            Err(failure) => return Outcome::NotChecked(failure.problem),
        };
        let code = reply.status.as_u16();
        match code {
            200 => {}
            // A token without the right to read is told that there is no such bucket.
            401 | 403 | 404 => {
                return Outcome::NotChecked(format!(
                    "not allowed to read: not checked, and not needed (it answered {code}: {})",
                    message(&reply.body)
                ));
            }
            _ => {
                return Outcome::NotChecked(format!(
                    "reading is not possible, and not needed (it answered {code}: {})",
                    message(&reply.body)
                ));
            }
        }
        if String::from_utf8_lossy(&reply.body).contains(&format!(",{run},")) {
            return Outcome::Passed(format!("the point is in '{bucket}'"));
        }
        if Instant::now() >= until {
            return failed(
                format!("InfluxDB took the point, but it is not in '{bucket}'"),
                "look at InfluxDB's log, and whether INFLUX_URL leads to the InfluxDB that is meant",
            );
        }
        sleep(LOOK_EVERY).await;
    }
}

/// A text as Flux writes it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            // What follows could be code.
            '$' => quoted.push_str("\\x24"),
            control if control.is_ascii_control() => {
                write!(quoted, "\\x{:02x}", u32::from(control))
                    .expect("writing to a String does not fail");
            }
            other => quoted.push(other),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buckets_name_can_not_end_its_text_in_flux() {
        for (name, flux) in [
            ("solar", r#""solar""#),
            (r#"a" |> drop()"#, r#""a\" |> drop()""#),
            (r"back\slash", r#""back\\slash""#),
            ("${secret}", r#""\x24{secret}""#),
            ("line\nend", r#""line\x0aend""#),
            ("größe", r#""größe""#),
        ] {
            assert_eq!(quoted(name), flux);
        }
    }
}
