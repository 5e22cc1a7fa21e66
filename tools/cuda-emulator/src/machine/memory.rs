//! The device's memory: allocations that know how long they exist.

use super::random::Random;

/// The address's upper bits number the allocation, so that nothing is ever found by an address that
/// belongs to something freed.
const OFFSET_BITS: u32 = 40;

/// What is wrong with an access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MemoryError {
    /// Nothing was ever allocated there.
    #[error("no memory at {0:#x}")]
    Unknown(u64),
    /// Behind the allocation's end.
    #[error("{bytes} bytes at offset {offset} of an allocation of {size}")]
    OutOfBounds {
        /// where
        offset: u64,
        /// how many
        bytes: usize,
        /// of the allocation
        size: usize,
    },
    /// The allocation's stream has not come so far, or it was freed.
    #[error("memory at {0:#x} that is not yet allocated, or freed")]
    NotLive(u64),
    /// Never written.
    #[error("offset {0} of an allocation, which was never written")]
    Uninitialised(u64),
    /// The address is no multiple of the access's size.
    #[error("{bytes} bytes at {address:#x}: not aligned")]
    Misaligned {
        /// where
        address: u64,
        /// how many
        bytes: usize,
    },
}

#[derive(Debug)]
struct Allocation {
    size: usize,
    is_live: bool,
    bytes: Vec<u8>,
}

/// All allocations.
#[derive(Debug, Default)]
pub struct Memory {
    allocations: Vec<Allocation>,
}

impl Memory {
    /// An address for so many bytes, which exist from [`Self::begin`] on.
    pub fn reserve(&mut self, size: usize) -> u64 {
        self.allocations.push(Allocation {
            size,
            is_live: false,
            bytes: Vec::new(),
        });
        (self.allocations.len() as u64) << OFFSET_BITS
    }

    /// An allocation that exists at once, with its content.
    pub fn allocate_with(&mut self, content: Vec<u8>) -> u64 {
        let address = self.reserve(content.len());
        if let Some(allocation) = self.allocations.last_mut() {
            allocation.is_live = true;
            allocation.bytes = content;
        }
        address
    }

    /// Lets a reserved allocation exist, filled with noise: who reads before he writes gets that.
    pub fn begin(&mut self, address: u64, random: &mut Random) -> Result<(), MemoryError> {
        let allocation = self.at_start(address)?;
        let size = allocation.size;
        allocation.is_live = true;
        allocation.bytes = random.noise(size);
        Ok(())
    }

    /// Ends an allocation.
    pub fn end(&mut self, address: u64) -> Result<(), MemoryError> {
        let allocation = self.at_start(address)?;
        if !allocation.is_live {
            return Err(MemoryError::NotLive(address));
        }
        allocation.is_live = false;
        allocation.bytes = Vec::new();
        Ok(())
    }

    /// Writes bytes.
    pub fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), MemoryError> {
        if bytes.is_empty() {
            return Ok(());
        }
        let (allocation, at) = self.find(address, bytes.len())?;
        allocation.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    /// Reads bytes.
    pub fn read(&mut self, address: u64, count: usize) -> Result<&[u8], MemoryError> {
        if count == 0 {
            return Ok(&[]);
        }
        let (allocation, at) = self.find(address, count)?;
        Ok(&allocation.bytes[at..at + count])
    }

    fn find(
        &mut self,
        address: u64,
        count: usize,
    ) -> Result<(&mut Allocation, usize), MemoryError> {
        let number = (address >> OFFSET_BITS).wrapping_sub(1);
        let offset = address & ((1 << OFFSET_BITS) - 1);
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        let at = usize::try_from(offset).unwrap_or(usize::MAX);
        let Some(allocation) = self.allocations.get_mut(index) else {
            return Err(MemoryError::Unknown(address));
        };
        if !allocation.is_live {
            return Err(MemoryError::NotLive(address));
        }
        if at.saturating_add(count) > allocation.size {
            return Err(MemoryError::OutOfBounds {
                offset,
                bytes: count,
                size: allocation.size,
            });
        }
        Ok((allocation, at))
    }

    /// The allocation that begins at an address.
    fn at_start(&mut self, address: u64) -> Result<&mut Allocation, MemoryError> {
        let number = (address >> OFFSET_BITS).wrapping_sub(1);
        let is_start = address & ((1 << OFFSET_BITS) - 1) == 0;
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        match self.allocations.get_mut(index) {
            Some(allocation) if is_start => Ok(allocation),
            _ => Err(MemoryError::Unknown(address)),
        }
    }
}
