//! What Mosquitto does that our guards rest on.
