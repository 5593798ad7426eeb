//! The secrets that a program is given.

use std::ffi::OsString;

use crate::leaks::Secrets;

/// How the names of variables for secrets end.
const SECRET: [&str; 2] = ["_PASSWORD", "_TOKEN"];

/// How those of files with secrets do.
const SECRET_FILE: [&str; 2] = ["_PASSWORD_FILE", "_TOKEN_FILE"];

/// What a program in this environment must never print: the values of the variables for secrets, and
/// what the files hold that their twins name.
pub(super) fn of(environment: &[(String, OsString)]) -> Secrets {
    let mut secrets = Secrets::new();
    for (name, value) in environment {
        let value = value.to_string_lossy();
        let value = if SECRET.iter().any(|end| name.ends_with(end)) {
            value.into_owned()
        } else if SECRET_FILE.iter().any(|end| name.ends_with(end)) {
            // A file that can't be read is what some tests are about.
            std::fs::read_to_string(value.as_ref()).unwrap_or_default()
        } else {
            continue;
        };
        let value = value.trim();
        if value.len() >= Secrets::SHORTEST {
            secrets = secrets.with(name, value);
        }
    }
    secrets
}
