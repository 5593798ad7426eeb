//! `envoy-scrape`, and each of the other programs where it is called by their names: it is made of the same
//! parts, so that an image with one file has them all.

use std::env;
use std::ffi::OsStr;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let called = env::args_os().next().unwrap_or_default();
    match Path::new(&called).file_name().and_then(OsStr::to_str) {
        Some("envoy-scraper") => scraper::program::main(),
        Some("envoy-receiver") => receiver::program::main(),
        Some("envoy-simulator") => simulator::program::main(),
        _ => standalone::program::main(),
    }
}
