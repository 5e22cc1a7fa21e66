//! What a caller asks for.

/// What is to be launched.
#[derive(Debug)]
pub struct Request {
    /// a kernel, as [`super::Device::define`] named it
    pub function: usize,
    /// by axis
    pub blocks: [u32; 3],
    /// of a block, by axis
    pub threads: [u32; 3],
    /// bytes of shared memory beside what the kernel has
    pub dynamic_shared: usize,
    /// at the offsets that [`super::Device::parameters`] says
    pub parameters: Vec<u8>,
    /// whether its blocks meet
    pub is_cooperative: bool,
}
