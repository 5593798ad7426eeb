//! Journals that seem to have been put back from an older copy.

use store::Marks;
use tokio::time::Instant;
use wire::ReplayRequest;

use super::Site;

impl Site {
    /// A journal that was announced with less than we have of it was put back from an older copy, and its
    /// numbers come to name other readings. Asking for the highest one tells its scraper, which gives it
    /// another id.
    ///
    /// What came after its announcement says nothing, since the next one will name it. Nor does one look alone:
    /// a broker may have kept an older announcement, or let readings overtake one, and then the next is close
    /// behind. To wait for the next one itself, minutes perhaps, would be too long: by then a journal that grows
    /// may hold as many again, and would pass for the one that we know.
    pub(super) fn doubt(&mut self, marks: &Marks, now: Instant) -> Option<ReplayRequest> {
        let said_last = self.journals.iter().filter(|one| one.heard() == self.heard);
        let suspected = said_last
            .filter_map(|one| Some((one, marks.highest(&self.envoy, one.id())?)))
            .find(|(one, highest)| one.is_below(*highest))
            .map(|(one, highest)| (one.id().clone(), highest, one.last()));
        let Some((journal, highest, last)) = suspected else {
            self.suspected = None;
            return None;
        };
        let before = self.suspected.replace(Box::new((journal.clone(), highest)));
        let is_the_same = before.is_some_and(|before| before.0 == journal && before.1 > last);
        if !is_the_same || self.doubted.is_some_and(|last| now < last + self.wait) {
            return None;
        }
        self.doubted = Some(now);
        ReplayRequest::new(journal, vec![highest..=highest]).ok()
    }
}
