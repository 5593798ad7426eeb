//! Which lines of a batch the server means: halving, until each bad line stands alone.

use std::collections::VecDeque;

use wire::ReportTime;

use super::verdict::Refusal;

/// The most lines of one request: what the makers of `InfluxDB` recommend.
const MAX_LINES: usize = 5_000;

/// The most refusals in a row before the server has to show that it is not refusing everything.
/// From one piece they lead down to pieces of a hundredth of it, and more lines than that are
/// hardly ever bad at once.
const MAX_FRUITLESS: usize = 256;

/// The pieces of one batch that are still to be written, and what is known of the others.
///
/// Pieces are taken in the order they came in, so that each round halves them all: a batch with a
/// few bad lines has most of its good ones accepted early on.
#[derive(Debug)]
pub(super) struct Search {
    times: Vec<ReportTime>,
    pieces: VecDeque<Vec<usize>>,
    suspects: Vec<Suspect>,
    outside_retention: usize,
    /// Whether the server accepted anything during this search.
    proven: bool,
    /// How often it refused since.
    refusals: usize,
}

/// A line that was refused on its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Suspect {
    pub(super) index: usize,
    pub(super) reason: String,
}

/// A single line was too large, so that no smaller piece can help.
#[derive(Debug)]
pub(super) struct Indivisible;

impl Search {
    /// A search in a batch whose readings have these times.
    pub(super) fn new(times: Vec<ReportTime>) -> Self {
        let all: Vec<usize> = (0..times.len()).collect();
        Self {
            pieces: all.chunks(MAX_LINES).map(<[_]>::to_vec).collect(),
            times,
            suspects: Vec::new(),
            outside_retention: 0,
            proven: false,
            refusals: 0,
        }
    }

    /// The lines to write next, by their place in the batch; never an empty piece.
    pub(super) fn next_piece(&mut self) -> Option<Vec<usize>> {
        self.pieces.pop_front()
    }

    /// The server accepted a piece, or a line that it had accepted before.
    pub(super) fn accepted(&mut self) {
        self.proven = true;
        self.refusals = 0;
    }

    /// Something in `piece` was refused; what else is in it may be stored or not.
    pub(super) fn refused(&mut self, piece: &[usize], refusal: Refusal) {
        self.refusals += 1;
        if let Some(oldest_kept) = refusal.oldest_kept {
            let before = |&index: &usize| self.times[index].unix_seconds() < oldest_kept;
            let (outside, rest): (Vec<_>, Vec<_>) = piece.iter().copied().partition(before);
            if !outside.is_empty() {
                // The server has said what it does with these. The message names one reason only,
                // so that the rest is written again, to see whether there is another.
                self.outside_retention += outside.len();
                if !rest.is_empty() {
                    self.pieces.push_back(rest);
                }
                return;
            }
        }
        match *piece {
            [_] if refusal.is_retention => self.outside_retention += 1,
            [index] => self.suspects.push(Suspect {
                index,
                reason: refusal.reason,
            }),
            _ => self.halve(piece),
        }
    }

    /// The request with `piece` was too large.
    pub(super) fn too_large(&mut self, piece: &[usize]) -> Result<(), Indivisible> {
        if piece.len() < 2 {
            return Err(Indivisible);
        }
        self.halve(piece);
        Ok(())
    }

    /// Whether the next refusal may be the server's fault: it is the first, or one of many.
    ///
    /// Asked before the search goes on, so that a server which refuses everything is not sent
    /// each line on its own.
    pub(super) fn needs_proof(&self) -> bool {
        !self.proven || self.is_fruitless()
    }

    /// Whether so much was refused in a row that it is not worth going on without a proof.
    pub(super) fn is_fruitless(&self) -> bool {
        self.refusals >= MAX_FRUITLESS
    }

    /// The lines refused on their own, and how many readings are outside the retention.
    pub(super) fn finish(self) -> (Vec<Suspect>, usize) {
        (self.suspects, self.outside_retention)
    }

    fn halve(&mut self, piece: &[usize]) {
        let (left, right) = piece.split_at(piece.len() / 2);
        self.pieces.push_back(left.to_vec());
        self.pieces.push_back(right.to_vec());
    }
}

#[cfg(test)]
mod tests;
