//! What a launch is.

use crate::ptx::translate::Kernel;

/// What is launched.
#[derive(Debug)]
pub struct Launch<'a> {
    /// the code
    pub kernel: &'a Kernel,
    /// blocks by axis
    pub blocks: [u32; 3],
    /// threads of a block by axis
    pub threads: [u32; 3],
    /// bytes of shared memory beside what the kernel has
    pub dynamic_shared: usize,
    /// laid out as the kernel reads them
    pub parameters: Vec<u8>,
    /// address of the memory by which the blocks of a cooperative launch meet; 0 otherwise
    pub meeting: u64,
}
