//! Instructions that threads of a warp execute together: shuffles, votes, barriers of the warp.

use super::error::Reason;
use super::lanes::{LANES, lanes};
use super::warp::Warp;
use crate::ptx::instruction::{Operation, ShuffleMode, Word};

/// What came of threads arriving at such an instruction.
pub(super) enum Meeting {
    /// all members of these threads are there, and they have executed it
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

    /// Lets `threads`, all at `at`, meet those that wait there already. Those that name the same
    /// members go on together.
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
        let (mut held, mut rest) = (0, present);
        while let Some(first) = lanes(rest).next() {
            let group = match members {
                Word::Number(_) => rest,
                Word::Row(_) => lanes(rest)
                    .filter(|lane| named[*lane] == named[first])
                    .fold(0, |mask, lane| mask | 1 << lane),
            };
            rest &= !group;
            if let Some(lane) = lanes(group & !named[first]).next() {
                return Err((lane, Reason::NotAMember(lane)));
            }
            if named[first] & self.live & !group == 0 {
                self.hold(operation, group)?;
                held |= group;
            }
        }
        self.at_meeting = (self.at_meeting | present) & !held;
        Ok(if held == 0 {
            Meeting::Awaited
        } else {
            Meeting::Held(held)
        })
    }

    /// Threads that name each other, and nobody else, execute an instruction.
    fn hold(&mut self, operation: &Operation, group: u32) -> Result<(), (usize, Reason)> {
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
                let (value, valid_threads) = self.shuffled(mode, from, by, clamp, group)?;
                self.put_word(to, value, group);
                if let Some(valid) = valid {
                    self.put_bit(valid, valid_threads, group);
                }
            }
            Operation::Ballot { to, of, .. } => {
                let votes = self.bit(of) & group;
                self.put_word(to, [votes; LANES], group);
            }
            _ => self.order.meet(group, group == self.live),
        }
        Ok(())
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
                return Err((lane, Reason::AbsentLane(source)));
            }
            value[lane] = from[source];
        }
        Ok((value, valid))
    }
}
