//! The device as the run-time library shows it: modules, memory, streams, launches.

pub mod error;
pub mod fatbinary;
mod registry;
mod streams;

use std::collections::HashMap;

use crate::machine::launch::Launch;
use crate::machine::memory::Memory;
use crate::machine::random::Random;
use error::DeviceError;
pub use registry::Attributes;
use registry::{Function, Registry};
use streams::{Streams, Work};

/// Multiprocessors; a cooperative launch has at most one block on each.
pub const MULTIPROCESSORS: u32 = 6;
/// Memory that all allocations together may have.
pub const MEMORY_BYTES: usize = 4 << 30;
/// Shared memory of a block.
pub const SHARED_BYTES: usize = 48 << 10;
/// Shared memory of a block whose kernel asks for more.
pub const SHARED_BYTES_ASKED: usize = 163 << 10;
/// One piece of other streams' work is done with this chance, one in so many.
const INTERLEAVING: usize = 3;

/// What is to be launched.
#[derive(Debug)]
pub struct Request {
    /// a kernel, as [`Device::define`] named it
    pub function: usize,
    /// by axis
    pub blocks: [u32; 3],
    /// of a block, by axis
    pub threads: [u32; 3],
    /// bytes of shared memory beside what the kernel has
    pub dynamic_shared: usize,
    /// at the offsets that [`Device::parameters`] says
    pub parameters: Vec<u8>,
    /// whether its blocks meet
    pub is_cooperative: bool,
}

/// The device. Modules, kernels and variables are known by numbers that the caller chooses or gets.
#[derive(Debug)]
pub struct Device {
    memory: Memory,
    random: Random,
    registry: Registry,
    streams: Streams<Request>,
    reserved_bytes: usize,
    sizes: HashMap<u64, usize>,
    fault: Option<String>,
    instructions: u64,
}

impl Device {
    /// With nothing on it; orders are drawn from `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            memory: Memory::default(),
            random: Random::new(seed),
            registry: Registry::default(),
            streams: Streams::new(),
            reserved_bytes: 0,
            sizes: HashMap::new(),
            fault: None,
            instructions: 0,
        }
    }

    /// Instructions that warps executed so far.
    pub fn instructions(&self) -> u64 {
        self.instructions
    }

    /// Puts a launch into a stream.
    ///
    /// # Errors
    /// [`DeviceError::Launch`], [`DeviceError::Invalid`], [`DeviceError::Fault`]
    pub fn launch(&mut self, request: Request, stream: usize) -> Result<(), DeviceError> {
        self.usable()?;
        let Function {
            kernel,
            shared_limit,
        } = self.function(request.function)?;
        let refuse = |reason: String| {
            let kernel = kernel.name.clone();
            Err(DeviceError::Launch { kernel, reason })
        };
        let threads: u64 = request.threads.iter().map(|n| u64::from(*n)).product();
        let blocks: u64 = request.blocks.iter().map(|n| u64::from(*n)).product();
        if threads == 0 || threads > u64::from(kernel.max_threads) || blocks == 0 {
            return refuse(format!("{blocks} blocks of {threads} threads"));
        }
        let shared = kernel.shared_bytes + request.dynamic_shared;
        if shared > *shared_limit {
            return refuse(format!(
                "{shared} bytes of shared memory, {shared_limit} allowed"
            ));
        }
        if request.is_cooperative && blocks > u64::from(MULTIPROCESSORS) {
            return refuse(format!(
                "{blocks} blocks that meet, on {MULTIPROCESSORS} multiprocessors"
            ));
        }
        if request.parameters.len() != kernel.parameter_bytes {
            return Err(DeviceError::Invalid("size of the parameters"));
        }
        self.give(stream, Work::Launch(request))
    }

    /// Memory that exists from the stream's turn on.
    ///
    /// # Errors
    /// [`DeviceError::OutOfMemory`], [`DeviceError::Invalid`], [`DeviceError::Fault`]
    pub fn allocate(&mut self, bytes: usize, stream: usize) -> Result<u64, DeviceError> {
        self.usable()?;
        if bytes > MEMORY_BYTES - self.reserved_bytes {
            return Err(DeviceError::OutOfMemory {
                asked: bytes,
                taken: self.reserved_bytes,
            });
        }
        let address = self.memory.reserve(bytes);
        self.reserved_bytes += bytes;
        self.sizes.insert(address, bytes);
        self.give(stream, Work::Begin(address))?;
        Ok(address)
    }

    /// Memory that no longer exists from the stream's turn on.
    ///
    /// # Errors
    /// [`DeviceError::Invalid`], [`DeviceError::Fault`]
    pub fn release(&mut self, address: u64, stream: usize) -> Result<(), DeviceError> {
        self.usable()?;
        let bytes = self.sizes.remove(&address);
        self.reserved_bytes -= bytes.ok_or(DeviceError::Invalid("pointer"))?;
        self.give(stream, Work::End(address))
    }

    /// Writes bytes in the stream's turn.
    ///
    /// # Errors
    /// [`DeviceError::Invalid`], [`DeviceError::Fault`]
    pub fn write(&mut self, parts: Vec<(u64, Vec<u8>)>, stream: usize) -> Result<(), DeviceError> {
        self.usable()?;
        self.give(stream, Work::Write(parts))
    }

    /// Copies bytes in the stream's turn.
    ///
    /// # Errors
    /// [`DeviceError::Invalid`], [`DeviceError::Fault`]
    pub fn copy(
        &mut self,
        to: u64,
        from: u64,
        bytes: usize,
        stream: usize,
    ) -> Result<(), DeviceError> {
        self.usable()?;
        self.give(stream, Work::Copy(to, from, bytes))
    }

    /// Reads bytes after everything that the stream has to do.
    ///
    /// # Errors
    /// [`DeviceError::Fault`]
    pub fn read(
        &mut self,
        address: u64,
        bytes: usize,
        stream: usize,
    ) -> Result<&[u8], DeviceError> {
        self.synchronise(stream)?;
        match self.memory.read(address, bytes) {
            Ok(found) => Ok(found),
            Err(error) => {
                self.fault = Some(format!("copy to the host: {error}"));
                Err(DeviceError::Memory(error))
            }
        }
    }

    /// A new stream.
    pub fn open_stream(&mut self) -> usize {
        self.streams.open()
    }

    /// Ends a stream after everything that it has to do.
    ///
    /// # Errors
    /// [`DeviceError::Fault`]
    pub fn close_stream(&mut self, stream: usize) -> Result<(), DeviceError> {
        self.synchronise(stream)?;
        self.streams.close(stream);
        Ok(())
    }

    /// A new event.
    pub fn new_event(&mut self) -> usize {
        self.streams.new_event()
    }

    /// Records an event in a stream.
    ///
    /// # Errors
    /// [`DeviceError::Invalid`], [`DeviceError::Fault`]
    pub fn record(&mut self, event: usize, stream: usize) -> Result<(), DeviceError> {
        self.usable()?;
        let found = self.streams.record(event, stream);
        found.then_some(()).ok_or(DeviceError::Invalid("event"))
    }

    /// Lets a stream wait for an event.
    ///
    /// # Errors
    /// [`DeviceError::Invalid`], [`DeviceError::Fault`]
    pub fn wait(&mut self, stream: usize, event: usize) -> Result<(), DeviceError> {
        self.usable()?;
        let found = self.streams.wait(stream, event);
        found.then_some(()).ok_or(DeviceError::Invalid("event"))
    }

    /// Does everything that a stream has to do, and nothing more.
    ///
    /// # Errors
    /// [`DeviceError::Fault`]
    pub fn synchronise(&mut self, stream: usize) -> Result<(), DeviceError> {
        self.usable()?;
        while let Some(work) = self.streams.next(stream) {
            self.perform(work)?;
        }
        Ok(())
    }

    /// Does everything.
    ///
    /// # Errors
    /// [`DeviceError::Fault`]
    pub fn synchronise_all(&mut self) -> Result<(), DeviceError> {
        for stream in self.streams.open_streams() {
            self.synchronise(stream)?;
        }
        Ok(())
    }

    fn give(&mut self, stream: usize, work: Work<Request>) -> Result<(), DeviceError> {
        if !self.streams.give(stream, work) {
            return Err(DeviceError::Invalid("stream"));
        }
        if self.random.below(INTERLEAVING) == 0 {
            let open = self.streams.open_streams();
            let chosen = open[self.random.below(open.len())];
            if let Some(work) = self.streams.next(chosen) {
                self.perform(work)?;
            }
        }
        Ok(())
    }

    fn perform(&mut self, work: Work<Request>) -> Result<(), DeviceError> {
        let outcome = match work {
            Work::Begin(address) => {
                let begun = self.memory.begin(address, &mut self.random);
                begun.map_err(DeviceError::from)
            }
            Work::End(address) => self.memory.end(address).map_err(DeviceError::from),
            Work::Write(parts) => parts.iter().try_for_each(|(address, bytes)| {
                self.memory
                    .write(*address, bytes)
                    .map_err(DeviceError::from)
            }),
            Work::Copy(to, from, bytes) => self.copied(to, from, bytes),
            Work::Launch(request) => self.run(request),
            Work::Record(..) | Work::Wait(..) => Ok(()),
        };
        if let Err(error) = &outcome {
            self.fault = Some(error.to_string());
        }
        outcome
    }

    fn copied(&mut self, to: u64, from: u64, bytes: usize) -> Result<(), DeviceError> {
        let content = self.memory.read(from, bytes)?.to_vec();
        Ok(self.memory.write(to, &content)?)
    }

    fn run(&mut self, request: Request) -> Result<(), DeviceError> {
        let Some(Function { kernel, .. }) = self.registry.functions.get(&request.function) else {
            return Err(DeviceError::Invalid("function"));
        };
        // Two words: one that nobody touches, and the one that counts arrivals.
        let meeting = if request.is_cooperative {
            self.memory.allocate_with(vec![0; 8])
        } else {
            0
        };
        let launch = Launch {
            kernel,
            blocks: request.blocks,
            threads: request.threads,
            dynamic_shared: request.dynamic_shared,
            parameters: request.parameters,
            meeting,
        };
        self.instructions += launch.run(&mut self.memory, &mut self.random)?;
        if request.is_cooperative {
            self.memory.end(meeting)?;
        }
        Ok(())
    }

    fn usable(&self) -> Result<(), DeviceError> {
        match &self.fault {
            None => Ok(()),
            Some(fault) => Err(DeviceError::Fault(fault.clone())),
        }
    }
}
