//! The exit codes of every program here.

use std::io::{self, Write as _};
use std::process::ExitCode;

use tokio::runtime::{Builder, Runtime};

use crate::logs;
use crate::settings::{Problem, Problems};

/// Wrong usage or configuration (`EX_USAGE` of `sysexits.h`): trying again without a change is of
/// no use, so a service manager can tell it from a failure that heals.
pub const USAGE: u8 = 64;

/// Prints what is doubtful in a configuration, and its mistakes, to standard error and gives the exit code that goes with them.
#[must_use]
pub fn usage(problems: &Problems, remarks: &[Problem]) -> ExitCode {
    doubtful(remarks);
    say(&format!(
        "{problems}\n(--print-config shows what is set, and where)"
    ));
    ExitCode::from(USAGE)
}

/// Prints the settings in force to standard output, what is doubtful or wrong with them to standard
/// error, and gives the exit code that goes with that.
#[must_use]
pub fn in_force(settings: crate::settings::Settings) -> ExitCode {
    // When standard output is closed there is nobody to tell.
    let _ = io::stdout().write_all(settings.in_force().as_bytes());
    doubtful(settings.remarks());
    match settings.finish(Some(())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problems) => {
            say(&problems.to_string());
            ExitCode::from(USAGE)
        }
    }
}

/// Prints what is wrong with an argument and gives the exit code that goes with it.
#[must_use]
pub fn misuse(message: &str) -> ExitCode {
    say(&format!("error: {message}"));
    ExitCode::from(USAGE)
}

/// Runs a program's asynchronous part to its end and turns its outcome into an exit code.
///
/// What is still under way on threads then is not waited for: the search for a name's address can
/// take half a minute.
pub fn block_on(program: impl Future<Output = Result<(), Box<dyn std::error::Error>>>) -> ExitCode {
    run(Runtime::new(), program).map_or_else(|code| code, |()| ExitCode::SUCCESS)
}

/// Threads for what blocks. glibc keeps memory for each that ever ran beside others, up to 4 MiB where the journal is
/// read and written. Two may hang for half a minute in a search for a name's address, of the broker and of the Envoy.
const BLOCKING_THREADS: usize = 4;

/// The same on this thread alone, but for what blocks: for a program whose parts wait for each other most of the
/// time. Waking another thread for each step costs more than it brings, and each has memory of its own.
pub fn block_on_one_thread(
    program: impl Future<Output = Result<(), Box<dyn std::error::Error>>>,
) -> ExitCode {
    let runtime = Builder::new_current_thread()
        .max_blocking_threads(BLOCKING_THREADS)
        .enable_all()
        .build();
    run(runtime, program).map_or_else(|code| code, |()| ExitCode::SUCCESS)
}

/// The same for a command that may find, as `is_misuse` says of its error, that other arguments or settings would
/// help: then the exit code is that of wrong usage.
pub fn block_on_unless_misused<E: std::error::Error + 'static>(
    command: impl Future<Output = Result<(), E>>,
    is_misuse: impl FnOnce(&E) -> bool,
) -> ExitCode {
    let mut misused = None;
    let code = block_on(async {
        match command.await {
            Err(error) if is_misuse(&error) => misused = Some(error.to_string()),
            result => result?,
        }
        Ok(())
    });
    misused.map_or(code, |message| misuse(&message))
}

/// Runs a check to its end: the exit code is 0 when all is well, else 1. So it is when whoever reads has read
/// enough, as in `check | head`: nobody is told of that.
pub fn check(check: impl Future<Output = Result<bool, Box<dyn std::error::Error>>>) -> ExitCode {
    let check = async {
        match check.await {
            Err(error) if is_closed_pipe(error.as_ref()) => Ok(false),
            outcome => outcome,
        }
    };
    match run(Runtime::new(), check) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(code) => code,
    }
}

fn is_closed_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn run<T>(
    runtime: io::Result<Runtime>,
    program: impl Future<Output = Result<T, Box<dyn std::error::Error>>>,
) -> Result<T, ExitCode> {
    let outcome = match runtime {
        Ok(runtime) => {
            let outcome = runtime.block_on(program);
            runtime.shutdown_background();
            outcome
        }
        Err(error) => Err(error.into()),
    };
    outcome.map_err(|error| failure(error.as_ref()))
}

/// Prints why a program ended, with every cause, and gives the exit code 1. Where the log is JSON, this
/// is its last event.
#[must_use]
pub fn failure(error: &dyn std::error::Error) -> ExitCode {
    let text = with_causes(error);
    if logs::takes_json_errors() {
        tracing::error!("{text}");
    } else {
        say(&format!("error: {text}"));
    }
    ExitCode::FAILURE
}

/// Says to people what is doubtful in a configuration.
pub(crate) fn doubtful(remarks: &[Problem]) {
    for remark in remarks {
        say(&format!("doubtful: {remark}"));
    }
}

/// Says something on standard error. When nobody reads it any more, there is nobody to tell.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
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
