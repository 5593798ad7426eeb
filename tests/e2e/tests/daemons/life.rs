//! From the start of a process to its end: readiness, signals, exit codes.
