//! What was loaded: modules, kernels and variables.

use std::collections::HashMap;

use super::error::DeviceError;
use super::{Device, MULTIPROCESSORS, Request, SHARED_BYTES, SHARED_BYTES_ASKED};
use crate::ptx::module::Module;
use crate::ptx::translate::Kernel;

/// Modules in order, kernels and variables by the caller's numbers.
#[derive(Debug, Default)]
pub(super) struct Registry {
    modules: Vec<Loaded>,
    pub functions: HashMap<usize, Function>,
    variables: HashMap<usize, u64>,
}

impl Registry {
    fn module(&self, number: usize) -> Result<&Loaded, DeviceError> {
        let found = self.modules.get(number);
        found.ok_or(DeviceError::Invalid("module"))
    }
}

#[derive(Debug)]
struct Loaded {
    module: Module,
    globals: HashMap<String, u64>,
}

#[derive(Debug)]
pub(super) struct Function {
    pub kernel: Kernel,
    /// most dynamic shared memory, if it was asked for
    asked_shared: Option<usize>,
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

impl Device {
    /// Loads PTX; the module's number.
    ///
    /// # Errors
    /// [`DeviceError::Ptx`]
    pub fn load(&mut self, ptx: &str) -> Result<usize, DeviceError> {
        let module = Module::parse(ptx)?;
        let mut globals = HashMap::new();
        for variable in &module.globals {
            let mut content = variable.content.clone();
            content.resize(variable.size.unwrap_or(content.len()), 0);
            let address = self.memory.allocate_with(content);
            globals.insert(variable.name.clone(), address);
        }
        self.registry.modules.push(Loaded { module, globals });
        Ok(self.registry.modules.len() - 1)
    }

    /// Makes a kernel of a module known as `function`.
    ///
    /// # Errors
    /// [`DeviceError::Invalid`], [`DeviceError::Ptx`]
    pub fn define(
        &mut self,
        module: usize,
        function: usize,
        name: &str,
    ) -> Result<(), DeviceError> {
        let loaded = self.registry.module(module)?;
        let found = loaded.module.functions.get(name);
        let found = found.filter(|function| function.is_kernel);
        let found = found.ok_or(DeviceError::Invalid("kernel's name"))?;
        let kernel = Kernel::translate(&loaded.module, found, &loaded.globals)?;
        let defined = Function {
            kernel,
            asked_shared: None,
        };
        self.registry.functions.insert(function, defined);
        Ok(())
    }

    /// Makes a variable of a module known as `variable`.
    ///
    /// # Errors
    /// [`DeviceError::Invalid`]
    pub fn declare(
        &mut self,
        module: usize,
        variable: usize,
        name: &str,
    ) -> Result<(), DeviceError> {
        let loaded = self.registry.module(module)?;
        let address = loaded.globals.get(name);
        let address = *address.ok_or(DeviceError::Invalid("variable's name"))?;
        self.registry.variables.insert(variable, address);
        Ok(())
    }

    /// Where a variable lies.
    ///
    /// # Errors
    /// [`DeviceError::Invalid`]
    pub fn address_of(&self, variable: usize) -> Result<u64, DeviceError> {
        let address = self.registry.variables.get(&variable).copied();
        address.ok_or(DeviceError::Invalid("variable"))
    }

    /// What a kernel needs.
    ///
    /// # Errors
    /// [`DeviceError::Invalid`]
    pub fn attributes(&self, function: usize) -> Result<Attributes, DeviceError> {
        let Function { kernel, .. } = self.function(function)?;
        Ok(Attributes {
            max_threads: kernel.max_threads,
            shared_bytes: kernel.shared_bytes,
        })
    }

    /// Offsets and sizes of a kernel's parameters.
    ///
    /// # Errors
    /// [`DeviceError::Invalid`]
    pub fn parameters(&self, function: usize) -> Result<Vec<(usize, usize)>, DeviceError> {
        Ok(self.function(function)?.kernel.parameters.clone())
    }

    /// Lets a kernel's blocks have so much dynamic shared memory.
    ///
    /// # Errors
    /// [`DeviceError::Invalid`]
    pub fn allow_shared(&mut self, function: usize, bytes: usize) -> Result<(), DeviceError> {
        let found = self.registry.functions.get_mut(&function);
        let found = found.ok_or(DeviceError::Invalid("function"))?;
        if found.kernel.shared_bytes.saturating_add(bytes) > SHARED_BYTES_ASKED {
            return Err(DeviceError::Invalid("bytes of shared memory"));
        }
        found.asked_shared = Some(bytes);
        Ok(())
    }

    pub(super) fn function(&self, function: usize) -> Result<&Function, DeviceError> {
        let found = self.registry.functions.get(&function);
        found.ok_or(DeviceError::Invalid("function"))
    }
}
