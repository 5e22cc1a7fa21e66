//! Instructions that threads of a warp execute together: shuffles, votes, barriers of the warp.

use super::fault::Reason;
use super::warp::{LANES, Warp, lanes};
use crate::ptx::instruction::{Operation, ShuffleMode, Word};

/// What came of threads arriving at such an instruction.
pub(super) enum Meeting {
    /// all members are there: these threads have executed it
    Held(u32),
    /// others are awaited
    Awaited,
}

impl Warp {
    /// The members that an instruction names, if threads meet there.
    pub(super) fn members(operation: &Operation) -> Option<Word> {
        match operation {
            Operation::Shuffle { members, .. }
            | Operation::Ballot { members, .. }
            | Operation::WarpBarrier { members } => Some(*members),
            _ => None,
        }
    }

    /// Lets `threads`, all at `at`, meet those that wait there already.
    pub(super) fn meet(
        &mut self,
        operation: &Operation,
        members: Word,
        threads: u32,
        at: u32,
    ) -> Result<Meeting, (usize, Reason)> {
        let named = self.word(members);
        let waiting = lanes(self.at_meeting)
            .filter(|lane| self.at[*lane] == at)
            .fold(0, |mask, lane| mask | 1 << lane);
        let present = threads | waiting;
        let mut expected = 0;
        for lane in lanes(present) {
            if named[lane] >> lane & 1 == 0 {
                return Err((lane, Reason::NotAMember(lane)));
            }
            expected |= named[lane];
        }
        if expected & self.live & !present != 0 {
            self.at_meeting |= threads;
            return Ok(Meeting::Awaited);
        }
        self.at_meeting &= !present;
        self.era += 1;
        match *operation {
            Operation::Shuffle {
                mode,
                to,
                valid,
                from,
                by,
                clamp,
                ..
            } => {
                let (value, valid_threads) = self.shuffled(mode, from, by, clamp, present)?;
                self.put_word(to, value, present);
                if let Some(valid) = valid {
                    self.put_bit(valid, valid_threads, present);
                }
            }
            Operation::Ballot { to, of, .. } => {
                let voted = self.bit(of) & present;
                let votes = std::array::from_fn(|lane| voted & named[lane]);
                self.put_word(to, votes, present);
            }
            _ => {}
        }
        Ok(Meeting::Held(present))
    }

    /// PTX ISA, `shfl.sync`: each thread's value, and the threads whose source was within bounds.
    fn shuffled(
        &self,
        mode: ShuffleMode,
        from: Word,
        by: Word,
        clamp: Word,
        present: u32,
    ) -> Result<([u32; LANES], u32), (usize, Reason)> {
        let (from, by, clamp) = (self.word(from), self.word(by), self.word(clamp));
        let mut value = [0; LANES];
        let mut valid = 0;
        for lane in lanes(present) {
            let number = i32::try_from(lane).unwrap_or(0);
            let by = (by[lane] & 31).cast_signed();
            let segment = (clamp[lane] >> 8 & 31).cast_signed();
            let bound = number & segment | (clamp[lane] & 31).cast_signed() & !segment;
            let first = number & segment;
            let (source, within) = match mode {
                ShuffleMode::Up => (number - by, number - by >= bound),
                ShuffleMode::Down => (number + by, number + by <= bound),
                ShuffleMode::Butterfly => (number ^ by, number ^ by <= bound),
                ShuffleMode::Index => {
                    let source = first | by & !segment;
                    (source, source <= bound)
                }
            };
            let source = if within {
                valid |= 1 << lane;
                usize::try_from(source).unwrap_or(lane)
            } else {
                lane
            };
            if present >> source & 1 == 0 {
                return Err((lane, Reason::ForeignLane(source)));
            }
            value[lane] = from[source];
        }
        Ok((value, valid))
    }
}
