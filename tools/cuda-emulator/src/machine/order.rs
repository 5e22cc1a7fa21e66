//! Which accesses of a warp's threads come before which: vector clocks (Mattern, 1989) that tick at
//! barriers of the warp. Shuffles and votes say nothing about memory.

use super::lanes::{LANES, lanes};

/// What each thread knows of the others: `seen[a][b]` is the last barrier that orders what b did
/// before it before what a does from now on.
type Seen = [[u32; LANES]; LANES];

/// A warp's barriers so far.
#[derive(Debug, Default)]
pub struct Order {
    now: u32,
    /// the last barrier that all threads came to
    complete: u32,
    /// barriers of some threads; most warps have none
    partial: Option<Box<Seen>>,
}

impl Order {
    /// The moment of an access that happens now.
    pub fn now(&self) -> u32 {
        self.now
    }

    /// Some threads come to a barrier; `is_complete` if there are no others.
    pub(super) fn meet(&mut self, threads: u32, is_complete: bool) {
        self.now += 1;
        if is_complete {
            self.complete = self.now;
            return;
        }
        let seen = self
            .partial
            .get_or_insert_with(|| Box::new([[0; LANES]; LANES]));
        let mut joined = [0; LANES];
        for lane in lanes(threads) {
            for (to, from) in joined.iter_mut().zip(&seen[lane]) {
                *to = (*to).max(*from);
            }
        }
        for lane in lanes(threads) {
            joined[lane] = self.now;
        }
        for lane in lanes(threads) {
            seen[lane] = joined;
        }
    }

    /// The first of `threads` whose access at a moment is not ordered with one of `lane` now.
    pub(super) fn unordered(&self, threads: u32, moment: u32, lane: usize) -> Option<usize> {
        if self.complete > moment {
            return None;
        }
        let others = threads & !(1 << lane);
        lanes(others).find(|other| {
            let seen = self.partial.as_ref().map_or(0, |seen| seen[lane][*other]);
            seen <= moment
        })
    }
}
