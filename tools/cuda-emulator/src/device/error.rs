//! Why calls fail.

use super::MEMORY_BYTES;
use crate::machine::fault::Fault;
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
    Fault(String),
    /// Code that cannot be run.
    #[error("{0}")]
    Ptx(#[from] PtxError),
    /// Memory that a copy to the host does not find.
    #[error("{0}")]
    Memory(#[from] MemoryError),
}

impl From<Fault> for DeviceError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault.to_string())
    }
}
