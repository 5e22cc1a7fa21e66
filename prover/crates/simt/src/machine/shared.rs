//! A block's own memory, and who touched it last: two threads that touch the same word, one of them
//! writing, must have a barrier between them.

use super::memory::MemoryError;

const GRAIN: usize = 4;

/// A thread, and how often its block and its warp have met at barriers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moment {
    /// number in the block
    pub thread: u32,
    /// number in the block
    pub warp: u32,
    /// barriers of the block
    pub block_era: u32,
    /// barriers, shuffles and votes of the warp
    pub warp_era: u32,
}

impl Moment {
    /// Whether something stands between the two, or they are one thread's.
    fn is_ordered_with(&self, later: &Self) -> bool {
        self.thread == later.thread
            || self.block_era != later.block_era
            || (self.warp == later.warp && self.warp_era != later.warp_era)
    }
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

#[derive(Debug, Clone, Copy, Default)]
struct Trace {
    write: Option<(Moment, bool)>,
    read: Option<Moment>,
    /// whether threads of other warps read in the same era
    is_read_widely: bool,
}

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
        Self {
            bytes: vec![0; size],
            traces: vec![Trace::default(); size.div_ceil(GRAIN)],
        }
    }

    /// Bytes at `at`, before they are touched that way.
    pub fn touch(
        &mut self,
        at: u64,
        count: usize,
        how: Touch,
        now: Moment,
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
            if how != Touch::Write && trace.write.is_none() {
                return Err(SharedError::Memory(MemoryError::Uninitialised(
                    offset as u64,
                )));
            }
            if let Some(first) = trace.conflict(how, now) {
                let second = now.thread;
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
    fn conflict(&self, how: Touch, now: Moment) -> Option<u32> {
        if let Some((write, is_atomic)) = self.write
            && !(is_atomic && how == Touch::Atomic)
            && !write.is_ordered_with(&now)
        {
            return Some(write.thread);
        }
        let read = self.read.filter(|_| how != Touch::Read)?;
        let races =
            !read.is_ordered_with(&now) || (self.is_read_widely && read.block_era == now.block_era);
        races.then_some(read.thread)
    }

    fn add(&mut self, how: Touch, now: Moment) {
        if how != Touch::Read {
            self.write = Some((now, how == Touch::Atomic));
            return;
        }
        let before = self.read.filter(|read| read.block_era == now.block_era);
        let other = before.is_some_and(|read| read.warp != now.warp);
        self.is_read_widely = other || (before.is_some() && self.is_read_widely);
        self.read = Some(now);
    }
}
