//! A block's own memory, and who touched it last: two threads that touch the same word, one of them
//! writing, must have a barrier between them.

use super::memory::MemoryError;
use super::order::Order;

const GRAIN: usize = 4;

/// A thread that touches a word, and when.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// number in the block
    pub warp: u32,
    /// number in the warp
    pub lane: usize,
    /// barriers that the block has passed
    pub era: u32,
    /// those of the warp
    pub order: &'a Order,
}

/// How a word is touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touch {
    /// without changing it
    Read,
    /// by a store
    Write,
    /// by an atomic operation, of which any number may meet
    Atomic,
}

/// Stands for no thread.
const NOBODY: u16 = u16::MAX;

/// Who touched a word in one way since the block's last barrier.
#[derive(Debug, Clone, Copy)]
struct Touches {
    era: u32,
    /// threads of the last warp, without those that are ordered before another one of them
    lanes: u32,
    /// the warp's moment
    moment: u32,
    warp: u16,
    /// a thread of another warp
    elsewhere: u16,
}

#[derive(Debug, Clone, Copy)]
struct Trace {
    reads: Touches,
    writes: Touches,
    atomics: Touches,
}

const UNTOUCHED: Touches = Touches {
    era: 0,
    lanes: 0,
    moment: 0,
    warp: 0,
    elsewhere: NOBODY,
};

/// The memory.
#[derive(Debug)]
pub struct Shared {
    bytes: Vec<u8>,
    traces: Vec<Trace>,
}

/// What is wrong with an access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SharedError {
    /// As for other memory.
    #[error("shared memory: {0}")]
    Memory(#[from] MemoryError),
    /// Two threads without a barrier between them.
    #[error("shared memory, offset {offset}: race of threads {first} and {second}")]
    Race {
        /// where
        offset: usize,
        /// number in the block
        first: u32,
        /// number in the block
        second: u32,
    },
}

impl Shared {
    /// So many bytes, nothing written.
    pub fn new(size: usize) -> Self {
        let untouched = Trace {
            reads: UNTOUCHED,
            writes: UNTOUCHED,
            atomics: UNTOUCHED,
        };
        Self {
            bytes: vec![0; size],
            traces: vec![untouched; size.div_ceil(GRAIN)],
        }
    }

    /// Bytes at `at`, before they are touched that way.
    pub fn touch(
        &mut self,
        at: u64,
        count: usize,
        how: Touch,
        now: Moment<'_>,
    ) -> Result<&mut [u8], SharedError> {
        let start = usize::try_from(at).unwrap_or(usize::MAX);
        if start.saturating_add(count) > self.bytes.len() {
            return Err(SharedError::Memory(MemoryError::OutOfBounds {
                offset: at,
                bytes: count,
                size: self.bytes.len(),
            }));
        }
        for word in start / GRAIN..(start + count).div_ceil(GRAIN) {
            let offset = word * GRAIN;
            let trace = &mut self.traces[word];
            if how != Touch::Write && trace.writes.lanes == 0 {
                return Err(SharedError::Memory(MemoryError::Uninitialised(
                    offset as u64,
                )));
            }
            if let Some(first) = trace.conflict(how, now) {
                let second = now.warp * 32 + now.lane as u32;
                return Err(SharedError::Race {
                    offset,
                    first,
                    second,
                });
            }
            trace.add(how, now);
        }
        Ok(&mut self.bytes[start..start + count])
    }
}

impl Trace {
    /// The thread that this access races with.
    fn conflict(&self, how: Touch, now: Moment<'_>) -> Option<u32> {
        let with_write = self.writes.conflict(now);
        match how {
            Touch::Read => with_write.or_else(|| self.atomics.conflict(now)),
            Touch::Atomic => with_write.or_else(|| self.reads.conflict(now)),
            Touch::Write => with_write
                .or_else(|| self.atomics.conflict(now))
                .or_else(|| self.reads.conflict(now)),
        }
    }

    fn add(&mut self, how: Touch, now: Moment<'_>) {
        match how {
            Touch::Read => self.reads.add(now),
            Touch::Atomic => self.atomics.add(now),
            // All that came before is ordered before it.
            Touch::Write => self.writes = Touches::of(now),
        }
    }
}

impl Touches {
    fn of(now: Moment<'_>) -> Self {
        Self {
            era: now.era,
            lanes: 1 << now.lane,
            moment: now.order.now(),
            warp: now.warp as u16,
            elsewhere: NOBODY,
        }
    }

    fn conflict(&self, now: Moment<'_>) -> Option<u32> {
        if self.lanes == 0 || self.era != now.era {
            return None;
        }
        if u32::from(self.warp) != now.warp {
            return Some(self.first());
        }
        if self.elsewhere != NOBODY {
            return Some(u32::from(self.elsewhere));
        }
        let lane = now.order.unordered(self.lanes, self.moment, now.lane)?;
        Some(now.warp * 32 + lane as u32)
    }

    fn add(&mut self, now: Moment<'_>) {
        let mut next = Self::of(now);
        if self.lanes != 0 && self.era == now.era {
            if u32::from(self.warp) != now.warp {
                next.elsewhere = self.first() as u16;
            } else {
                next.elsewhere = self.elsewhere;
                let order = now.order;
                if order.unordered(self.lanes, self.moment, now.lane).is_some() {
                    next.lanes |= self.lanes;
                }
            }
        }
        *self = next;
    }

    fn first(&self) -> u32 {
        u32::from(self.warp) * 32 + self.lanes.trailing_zeros()
    }
}
