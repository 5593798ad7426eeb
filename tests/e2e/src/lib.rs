//! The chain end to end, on real servers.
