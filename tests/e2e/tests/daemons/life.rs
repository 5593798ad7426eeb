//! From the start of a process to its end: readiness, signals, exit codes.

mod goodbye;
mod output;
mod second;
mod service_manager;
mod shared_directory;
mod signals;
mod surroundings;
