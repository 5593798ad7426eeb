//! What Mosquitto 2.0 writes of its sessions to `mosquitto.db`.

const MAGIC: &[u8] = b"\x00\xB5\x00mosquitto db";
const VERSION: u32 = 6;
/// The kind of a chunk that is about a client.
const CLIENT: u32 = 6;

/// When the session of a client ends, in Unix seconds, or 0.
pub(super) fn session_ends(state: &[u8], client_id: &str) -> Option<i64> {
    let state = state.strip_prefix(MAGIC)?;
    // Behind a checksum that is always 0.
    assert_eq!(
        number(state, 4)?,
        VERSION,
        "Mosquitto writes another format"
    );
    let mut rest = state.get(8..)?;
    loop {
        let (kind, length) = (number(rest, 0)?, number(rest, 4)?);
        let chunk = rest.get(8..8 + usize::try_from(length).ok()?)?;
        if kind == CLIENT && chunk.get(24..)?.starts_with(client_id.as_bytes()) {
            // The only number that is written as the machine has it; that is little-endian.
            let time = chunk.first_chunk().expect("it has more than 24 bytes");
            return Some(i64::from_le_bytes(*time));
        }
        rest = &rest[8 + chunk.len()..];
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_be_bytes(*bytes))
}
