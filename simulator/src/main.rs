//! `envoy-simulator`.

use std::process::ExitCode;

fn main() -> ExitCode {
    simulator::program::main()
}
