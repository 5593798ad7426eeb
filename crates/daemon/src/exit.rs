//! The exit codes of every program here.

use std::process::ExitCode;

/// Wrong usage or configuration (`EX_USAGE` of `sysexits.h`): trying again without a change is of
/// no use, so a service manager can tell it from a failure that heals.
pub const USAGE: u8 = 64;

/// Prints a configuration's mistakes to standard error and gives the exit code that goes with them.
#[expect(
    clippy::print_stderr,
    reason = "logging starts only with a sound configuration"
)]
#[must_use]
pub fn usage(problems: &crate::settings::Problems) -> ExitCode {
    eprintln!("{problems}");
    ExitCode::from(USAGE)
}

/// Prints what is wrong with an argument and gives the exit code that goes with it.
#[must_use]
#[expect(clippy::print_stderr, reason = "nothing is logged on the command line")]
pub fn misuse(message: &str) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::from(USAGE)
}

/// Runs a program's asynchronous part to its end and turns its outcome into an exit code.
///
/// What is still under way on threads then is not waited for: the search for a name's address can
/// take half a minute.
pub fn block_on(program: impl Future<Output = Result<(), Box<dyn std::error::Error>>>) -> ExitCode {
    let outcome = match tokio::runtime::Runtime::new() {
        Ok(runtime) => {
            let outcome = runtime.block_on(program);
            runtime.shutdown_background();
            outcome
        }
        Err(error) => Err(error.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure(error.as_ref()),
    }
}

/// Prints why a program ended, with every cause, and gives the exit code 1.
#[expect(
    clippy::print_stderr,
    reason = "the last words of a program, whatever its log level"
)]
#[must_use]
pub fn failure(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("error: {}", with_causes(error));
    ExitCode::FAILURE
}

/// An error's sentence and those of its causes, in one line.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
