//! Why calls fail.

use super::limits::MEMORY_BYTES;
use crate::machine::error::KernelError;
use crate::machine::memory::MemoryError;
use crate::ptx::module::PtxError;

/// Why a call failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeviceError {
    /// A handle, pointer or size that is not one.
    #[error("invalid value: {0}")]
    Invalid(&'static str),
    /// A launch that no device would take.
    #[error("{kernel}: invalid launch: {reason}")]
    Launch {
        /// its mangled name
        kernel: String,
        /// what is wrong
        reason: String,
    },
    /// More memory than there is.
    #[error("out of memory: {asked} bytes asked for, {taken} of {MEMORY_BYTES} taken")]
    OutOfMemory {
        /// now
        asked: usize,
        /// before
        taken: usize,
    },
    /// A kernel, or a copy, that failed. The device is of no use after that.
    #[error("{0}")]
    Sticky(String),
    /// Code that cannot be run.
    #[error("{0}")]
    Ptx(#[from] PtxError),
    /// Memory that a copy to the host does not find.
    #[error("{0}")]
    Memory(#[from] MemoryError),
}

impl From<KernelError> for DeviceError {
    fn from(error: KernelError) -> Self {
        Self::Sticky(error.to_string())
    }
}
