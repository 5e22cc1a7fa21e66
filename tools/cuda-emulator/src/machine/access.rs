//! Loads, stores and atomic additions.

use super::arithmetic::extended;
use super::error::Reason;
use super::lanes::{Row, lanes};
use super::memory::{Memory, MemoryError};
use super::shared::{Moment, Shared, Touch};
use super::warp::Warp;
use crate::ptx::instruction::{Address, Base, Space, Target, Value, Word};

/// Everything that a warp's threads can reach.
pub struct Reach<'a> {
    /// the device's
    pub memory: &'a mut Memory,
    /// the block's
    pub shared: &'a mut Shared,
    /// the launch's
    pub parameters: &'a [u8],
    /// barriers that the block has passed
    pub block_era: u32,
}

type Outcome = Result<(), (usize, Reason)>;

impl Warp {
    pub(super) fn load(
        &mut self,
        reach: &mut Reach<'_>,
        to: &[Target],
        (bits, signed): (u32, bool),
        address: Address,
        threads: u32,
    ) -> Outcome {
        let addresses = self.addresses(address);
        let width = bits as usize / 8;
        for lane in lanes(threads) {
            let at = addresses[lane];
            let bytes = width * to.len();
            let moment = self.moment(lane, reach.block_era);
            let failed = |reason| (lane, reason);
            aligned(at, bytes).map_err(failed)?;
            let found: &[u8] = match address.space {
                Space::Global => reach.memory.read(at, bytes).map_err(|e| failed(e.into()))?,
                Space::Shared => reach
                    .shared
                    .touch(at, bytes, Touch::Read, moment)
                    .map_err(|e| failed(e.into()))?,
                Space::Parameter => {
                    let start = usize::try_from(at).unwrap_or(usize::MAX);
                    let found = reach.parameters.get(start..start.saturating_add(bytes));
                    found.ok_or_else(|| failed(Reason::Parameter(at)))?
                }
            };
            for (part, target) in found.chunks_exact(width).zip(to) {
                let mut word = [0; 8];
                word[..width].copy_from_slice(part);
                let value = extended(u64::from_le_bytes(word), bits, signed);
                match *target {
                    Target::Half(row) => self.words[row as usize][lane] = value as u32 & 0xffff,
                    Target::Word(row) => self.words[row as usize][lane] = value as u32,
                    Target::Long(row) => self.longs[row as usize][lane] = value,
                }
            }
        }
        Ok(())
    }

    pub(super) fn store(
        &mut self,
        reach: &mut Reach<'_>,
        from: &[Value],
        bits: u32,
        address: Address,
        threads: u32,
    ) -> Outcome {
        let addresses = self.addresses(address);
        let width = bits as usize / 8;
        let bytes = width * from.len();
        for lane in lanes(threads) {
            let mut content = [0; 32];
            for (part, value) in content.chunks_exact_mut(width).zip(from) {
                let value = match *value {
                    Value::Word(Word::Row(row)) => u64::from(self.words[row as usize][lane]),
                    Value::Word(Word::Number(number)) => u64::from(number),
                    Value::Long(long) => self.long(long)[lane],
                };
                part.copy_from_slice(&value.to_le_bytes()[..width]);
            }
            let at = addresses[lane];
            let moment = self.moment(lane, reach.block_era);
            let failed = |reason| (lane, reason);
            aligned(at, bytes).map_err(failed)?;
            match address.space {
                Space::Global => {
                    let written = reach.memory.write(at, &content[..bytes]);
                    written.map_err(|e| failed(e.into()))?;
                }
                Space::Shared => reach
                    .shared
                    .touch(at, bytes, Touch::Write, moment)
                    .map_err(|e| failed(e.into()))?
                    .copy_from_slice(&content[..bytes]),
                Space::Parameter => return Err(failed(Reason::Parameter(at))),
            }
        }
        Ok(())
    }

    pub(super) fn add_atomically(
        &mut self,
        reach: &mut Reach<'_>,
        to: Option<u32>,
        address: Address,
        by: Word,
        threads: u32,
    ) -> Outcome {
        let addresses = self.addresses(address);
        let by = self.word(by);
        for lane in lanes(threads) {
            let at = addresses[lane];
            let moment = self.moment(lane, reach.block_era);
            let failed = |reason| (lane, reason);
            aligned(at, 4).map_err(failed)?;
            let before = match address.space {
                Space::Global => {
                    let before = reach.memory.read(at, 4).map(word_of);
                    let before = before.map_err(|e| failed(e.into()))?;
                    let sum = before.wrapping_add(by[lane]);
                    let written = reach.memory.write(at, &sum.to_le_bytes());
                    written.map_err(|e| failed(e.into()))?;
                    before
                }
                Space::Shared => {
                    let bytes = reach.shared.touch(at, 4, Touch::Atomic, moment);
                    let bytes = bytes.map_err(|e| failed(e.into()))?;
                    let before = word_of(bytes);
                    bytes.copy_from_slice(&before.wrapping_add(by[lane]).to_le_bytes());
                    before
                }
                Space::Parameter => return Err(failed(Reason::Parameter(at))),
            };
            if let Some(to) = to {
                self.words[to as usize][lane] = before;
            }
        }
        Ok(())
    }

    fn addresses(&self, address: Address) -> Row<u64> {
        let base = match address.base {
            Base::Word(word) => self.word(word).map(u64::from),
            Base::Long(long) => self.long(long),
        };
        base.map(|base| base.wrapping_add_signed(address.offset))
    }

    fn moment(&self, lane: usize, era: u32) -> Moment<'_> {
        Moment {
            warp: self.number,
            lane,
            era,
            order: &self.order,
        }
    }

    /// A thread's number in the block.
    pub(super) fn thread(&self, lane: usize) -> u32 {
        self.number * 32 + u32::try_from(lane).unwrap_or(0)
    }
}

fn word_of(bytes: &[u8]) -> u32 {
    bytes
        .first_chunk()
        .map_or(0, |chunk| u32::from_le_bytes(*chunk))
}

fn aligned(address: u64, bytes: usize) -> Result<(), Reason> {
    if address.is_multiple_of(bytes as u64) {
        return Ok(());
    }
    Err(Reason::Memory(MemoryError::Misaligned { address, bytes }))
}
