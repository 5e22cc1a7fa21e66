//! Loads modules and makes their kernels and variables known.

use std::collections::HashMap;

use super::Device;
use super::error::DeviceError;
use super::limits::SHARED_BYTES_ASKED;
use super::registry::{Attributes, Function, Loaded};
use crate::ptx::module::Module;
use crate::ptx::translate::Kernel;

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
