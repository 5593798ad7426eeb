//! No secret in any output, at any level.
