//! What was loaded: modules, kernels and variables.

use std::collections::HashMap;

use super::error::DeviceError;
use super::limits::{MULTIPROCESSORS, SHARED_BYTES, SHARED_BYTES_ASKED};
use super::request::Request;
use crate::ptx::module::Module;
use crate::ptx::translate::Kernel;

/// Modules in order, kernels and variables by the caller's numbers.
#[derive(Debug, Default)]
pub(super) struct Registry {
    pub modules: Vec<Loaded>,
    pub functions: HashMap<usize, Function>,
    pub variables: HashMap<usize, u64>,
}

impl Registry {
    pub fn module(&self, number: usize) -> Result<&Loaded, DeviceError> {
        let found = self.modules.get(number);
        found.ok_or(DeviceError::Invalid("module"))
    }
}

#[derive(Debug)]
pub(super) struct Loaded {
    pub module: Module,
    pub globals: HashMap<String, u64>,
}

#[derive(Debug)]
pub(super) struct Function {
    pub kernel: Kernel,
    /// most dynamic shared memory, if it was asked for
    pub asked_shared: Option<usize>,
}

/// What CUDA's compute capability 8.0 allows.
const MAX_BLOCKS: [u32; 3] = [(1 << 31) - 1, 65_535, 65_535];
const MAX_THREADS: [u32; 3] = [1024, 1024, 64];

impl Function {
    /// Whether a device would take such a launch.
    ///
    /// # Errors
    /// [`DeviceError::Launch`], [`DeviceError::Invalid`]
    pub fn admit(&self, request: &Request) -> Result<(), DeviceError> {
        let kernel = &self.kernel;
        let refuse = |reason: String| {
            let kernel = kernel.name.clone();
            Err(DeviceError::Launch { kernel, reason })
        };
        let Request {
            blocks, threads, ..
        } = request;
        let fits = |sizes: &[u32; 3], most: [u32; 3]| {
            sizes.iter().zip(most).all(|(size, most)| *size <= most)
        };
        // Neither overflows once each axis is within its bound.
        let product = |sizes: &[u32; 3]| sizes.iter().map(|size| u64::from(*size)).product::<u64>();
        if !fits(blocks, MAX_BLOCKS) || !fits(threads, MAX_THREADS) {
            return refuse(format!("{blocks:?} blocks of {threads:?} threads"));
        }
        let (count, size) = (product(blocks), product(threads));
        if size == 0 || size > u64::from(kernel.max_threads) || count == 0 {
            return refuse(format!("{count} blocks of {size} threads"));
        }
        let dynamic = request.dynamic_shared;
        let shared = kernel.shared_bytes.saturating_add(dynamic);
        let is_within = match self.asked_shared {
            None => shared <= SHARED_BYTES,
            Some(asked) => dynamic <= asked && shared <= SHARED_BYTES_ASKED,
        };
        if !is_within {
            let asked = self.asked_shared.unwrap_or(0);
            return refuse(format!(
                "{shared} bytes of shared memory, {dynamic} of them dynamic; {asked} asked for"
            ));
        }
        if request.is_cooperative && count > u64::from(MULTIPROCESSORS) {
            return refuse(format!(
                "{count} blocks that meet, on {MULTIPROCESSORS} multiprocessors"
            ));
        }
        if request.parameters.len() != kernel.parameter_bytes {
            return Err(DeviceError::Invalid("size of the parameters"));
        }
        Ok(())
    }
}

/// A kernel's needs, as `cudaFuncGetAttributes` tells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attributes {
    /// of a block
    pub max_threads: u32,
    /// without what launches add
    pub shared_bytes: usize,
}
