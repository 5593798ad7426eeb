//! Makes room where too much is remembered.

use super::{MOST_ENVOYS, MOST_IN_ALL, Marks};

impl Marks {
    /// Forgets some more than it must, so that it is not done each time.
    pub(super) fn make_room(&mut self) {
        if self.envoys.len() > MOST_ENVOYS {
            self.forget_those_not_used_for_longest();
        }
        if self.in_all > MOST_IN_ALL {
            self.share();
        }
    }

    fn forget_those_not_used_for_longest(&mut self) {
        let mut uses: Vec<u32> = self.envoys.values().map(|known| known.used()).collect();
        uses.sort_unstable();
        let gone = uses.len() - MOST_ENVOYS / 16 * 15;
        let Some(last) = gone.checked_sub(1).map(|last| uses[last]) else {
            return;
        };
        let mut left = gone;
        self.envoys.retain(|_, known| {
            let goes = left > 0 && known.used() <= last;
            left -= usize::from(goes);
            !goes
        });
        self.count();
    }

    /// Each Envoy keeps its share: what is more is forgotten. With that of an Envoy of which nothing is missing there is room
    /// for all of them.
    fn share(&mut self) {
        let weights: Vec<usize> = self.envoys.values().map(|known| known.weight()).collect();
        let mut share = weights.iter().copied().max().unwrap_or_default();
        let all = |share: usize| -> usize { weights.iter().map(|one| one.min(&share)).sum() };
        while share > 2 && all(share) > MOST_IN_ALL / 16 * 15 {
            share -= share.div_ceil(8);
        }
        self.envoys
            .values_mut()
            .for_each(|known| known.shrink(share));
        self.count();
    }

    fn count(&mut self) {
        self.in_all = self.envoys.values().map(|known| known.weight()).sum();
    }
}
