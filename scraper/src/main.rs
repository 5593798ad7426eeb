//! `envoy-scraper`.

use std::process::ExitCode;

fn main() -> ExitCode {
    scraper::program::main()
}
