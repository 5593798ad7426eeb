//! Acknowledgements, many in one write.
//!
//! rumqttc writes each request to the socket by itself: of a batch of a thousand acknowledgements that are a
//! thousand system calls. So only the first of those that come together goes through its queue. Once that one is
//! written, and before anything else is, the event loop writes all that were called for since, in one go.

use std::sync::{Mutex, MutexGuard};

/// Those that follow the one in rumqttc's queue.
#[derive(Debug, Default)]
pub(super) struct Following(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    /// Whether one is in rumqttc's queue.
    led: bool,
    /// In the order of the calls.
    packets: Vec<u16>,
}

impl Following {
    /// Takes an acknowledgement in. Where none is in rumqttc's queue, `lead` puts this one there.
    pub(super) fn push<E>(
        &self,
        packet: u16,
        lead: impl FnOnce() -> Result<(), E>,
    ) -> Result<(), E> {
        let mut queue = self.queue();
        if queue.led {
            queue.packets.push(packet);
        } else {
            lead()?;
            queue.led = true;
        }
        Ok(())
    }

    /// The one in rumqttc's queue is written: all that follow it, to be written before anything else is.
    pub(super) fn take(&self) -> Vec<u16> {
        let mut queue = self.queue();
        queue.led = false;
        std::mem::take(&mut queue.packets)
    }

    /// Whether there is one that was not written yet.
    pub(super) fn are_due(&self) -> bool {
        self.queue().led
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0
            .lock()
            .expect("nothing panics while it holds this lock: it is held for queue operations only")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_of_many_leads_and_the_next_one_after_these() {
        let following = Following::default();
        let mut queued = Vec::new();
        for packet in 1..=4 {
            if packet == 4 {
                assert_eq!(following.take(), [2, 3]);
            }
            let lead = || {
                queued.push(packet);
                Ok::<_, ()>(())
            };
            following.push(packet, lead).unwrap();
        }
        assert_eq!(queued, [1, 4]);
        assert_eq!(following.take(), []);
    }

    #[test]
    fn nothing_follows_one_that_was_not_taken() {
        let following = Following::default();
        assert_eq!(following.push(1, || Err("gone")), Err("gone"));
        assert_eq!(following.push(2, || Err("gone")), Err("gone"));
        assert_eq!(following.take(), []);
    }
}
