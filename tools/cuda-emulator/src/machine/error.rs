//! What ends a launch.

use super::memory::MemoryError;
use super::shared::SharedError;

/// What a thread did, or what kept it from going on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// An access to the device's memory.
    #[error("{0}")]
    Memory(#[from] MemoryError),
    /// An access to the block's memory.
    #[error("{0}")]
    Shared(#[from] SharedError),
    /// Behind the launch's parameters, or written.
    #[error("no parameter at offset {0}")]
    Parameter(u64),
    /// The instruction `trap`.
    #[error("trap")]
    Trap,
    /// A shuffle from a thread that takes no part in it.
    #[error("takes a value from thread {0} of its warp, which takes no part")]
    AbsentLane(usize),
    /// A thread that does what it excludes itself from.
    #[error("thread {0} of its warp is not among the members that it names")]
    NotAMember(usize),
    /// Threads of a warp at different barriers, or at the same one in different places.
    #[error("waits at a barrier, and others of its warp at another one")]
    Apart,
    /// Everybody waits for somebody who does not come.
    #[error("waits for ever: {0}")]
    Deadlock(&'static str),
    /// More instructions than any kernel of ours needs.
    #[error("no end after {0} instructions of warps")]
    Endless(u64),
}

/// A failed launch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kernel}, PTX line {line}, block {block:?}, thread {thread}: {reason}")]
pub struct KernelError {
    /// its mangled name
    pub kernel: String,
    /// of the instruction
    pub line: u32,
    /// by axis
    pub block: [u32; 3],
    /// number in the block
    pub thread: u32,
    /// what happened
    pub reason: Reason,
}
