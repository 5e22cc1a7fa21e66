//! How much there is of everything.

/// Multiprocessors; a cooperative launch has at most one block on each.
pub const MULTIPROCESSORS: u32 = 6;
/// Memory that all allocations together may have.
pub const MEMORY_BYTES: usize = 4 << 30;
/// Shared memory of a block.
pub const SHARED_BYTES: usize = 48 << 10;
/// Shared memory of a block whose kernel asks for more.
pub const SHARED_BYTES_ASKED: usize = 163 << 10;
