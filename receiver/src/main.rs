//! `envoy-receiver`.

use std::process::ExitCode;

fn main() -> ExitCode {
    receiver::program::main()
}
