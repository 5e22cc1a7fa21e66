//! The device as the run-time library shows it: modules, memory, streams, launches.

pub mod error;
pub mod fatbinary;
pub mod limits;
mod modules;
mod registry;
pub mod request;
mod streams;

use std::collections::HashMap;

use crate::machine::launch::Launch;
use crate::machine::memory::Memory;
use crate::machine::random::Random;
use error::DeviceError;
use limits::MEMORY_BYTES;
pub use registry::Attributes;
use registry::{Function, Registry};
use request::Request;
use streams::{Streams, Work};

/// One piece of other streams' work is done with this chance, one in so many.
const INTERLEAVING: usize = 3;

/// The device. Modules, kernels and variables are known by numbers that the caller chooses or gets.
#[derive(Debug)]
pub struct Device {
    memory: Memory,
    random: Random,
    registry: Registry,
    streams: Streams<Request>,
    reserved_bytes: usize,
    sizes: HashMap<u64, usize>,
    sticky: Option<String>,
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
            sticky: None,
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
    /// [`DeviceError::Launch`], [`DeviceError::Invalid`], [`DeviceError::Sticky`]
    pub fn launch(&mut self, request: Request, stream: usize) -> Result<(), DeviceError> {
        self.usable()?;
        self.function(request.function)?.admit(&request)?;
        self.give(stream, Work::Launch(request))
    }

    /// Memory that exists from the stream's turn on.
    ///
    /// # Errors
    /// [`DeviceError::OutOfMemory`], [`DeviceError::Invalid`], [`DeviceError::Sticky`]
    pub fn allocate(&mut self, bytes: usize, stream: usize) -> Result<u64, DeviceError> {
        self.usable_stream(stream)?;
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
    /// [`DeviceError::Invalid`], [`DeviceError::Sticky`]
    pub fn release(&mut self, address: u64, stream: usize) -> Result<(), DeviceError> {
        self.usable_stream(stream)?;
        let bytes = self.sizes.remove(&address);
        self.reserved_bytes -= bytes.ok_or(DeviceError::Invalid("pointer"))?;
        self.give(stream, Work::End(address))
    }

    /// Writes bytes in the stream's turn.
    ///
    /// # Errors
    /// [`DeviceError::Invalid`], [`DeviceError::Sticky`]
    pub fn write(&mut self, parts: Vec<(u64, Vec<u8>)>, stream: usize) -> Result<(), DeviceError> {
        self.usable()?;
        self.give(stream, Work::Write(parts))
    }

    /// Copies bytes in the stream's turn.
    ///
    /// # Errors
    /// [`DeviceError::Invalid`], [`DeviceError::Sticky`]
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
    /// [`DeviceError::Memory`], [`DeviceError::Invalid`], [`DeviceError::Sticky`]
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
                self.sticky = Some(format!("copy to the host: {error}"));
                Err(DeviceError::Memory(error))
            }
        }
    }

    /// A new stream.
    ///
    /// # Errors
    /// [`DeviceError::Sticky`]
    pub fn open_stream(&mut self) -> Result<usize, DeviceError> {
        self.usable()?;
        Ok(self.streams.open())
    }

    /// Ends a stream after everything that it has to do. Stream 0 stays.
    ///
    /// # Errors
    /// [`DeviceError::Invalid`], [`DeviceError::Sticky`]
    pub fn close_stream(&mut self, stream: usize) -> Result<(), DeviceError> {
        self.synchronise(stream)?;
        if stream == 0 {
            return Err(DeviceError::Invalid("stream"));
        }
        self.streams.close(stream);
        Ok(())
    }

    /// A new event.
    ///
    /// # Errors
    /// [`DeviceError::Sticky`]
    pub fn new_event(&mut self) -> Result<usize, DeviceError> {
        self.usable()?;
        Ok(self.streams.new_event())
    }

    /// Records an event in a stream.
    ///
    /// # Errors
    /// [`DeviceError::Invalid`], [`DeviceError::Sticky`]
    pub fn record(&mut self, event: usize, stream: usize) -> Result<(), DeviceError> {
        self.usable_stream(stream)?;
        let found = self.streams.record(event, stream);
        found.then_some(()).ok_or(DeviceError::Invalid("event"))
    }

    /// Lets a stream wait for an event.
    ///
    /// # Errors
    /// [`DeviceError::Invalid`], [`DeviceError::Sticky`]
    pub fn wait(&mut self, stream: usize, event: usize) -> Result<(), DeviceError> {
        self.usable_stream(stream)?;
        let found = self.streams.wait(stream, event);
        found.then_some(()).ok_or(DeviceError::Invalid("event"))
    }

    /// Does everything that a stream has to do, and what that waits for.
    ///
    /// # Errors
    /// [`DeviceError::Invalid`], [`DeviceError::Sticky`]
    pub fn synchronise(&mut self, stream: usize) -> Result<(), DeviceError> {
        self.usable_stream(stream)?;
        while let Some(work) = self.streams.next(stream) {
            self.perform(work)?;
        }
        Ok(())
    }

    /// Does everything.
    ///
    /// # Errors
    /// [`DeviceError::Sticky`]
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
        let failed = |what: &str, error| DeviceError::Sticky(format!("{what}: {error}"));
        let memory = &mut self.memory;
        let outcome = match work {
            Work::Begin(address) => {
                let begun = memory.begin(address, &mut self.random);
                begun.map_err(|error| failed("allocation", error))
            }
            Work::End(address) => {
                let ended = memory.end(address);
                ended.map_err(|error| failed("release", error))
            }
            Work::Write(parts) => {
                let mut parts = parts.iter();
                let written = parts.try_for_each(|(address, bytes)| memory.write(*address, bytes));
                written.map_err(|error| failed("copy to the device", error))
            }
            Work::Copy(to, from, bytes) => {
                let content = memory.read(from, bytes).map(<[u8]>::to_vec);
                let copied = content.and_then(|content| memory.write(to, &content));
                copied.map_err(|error| failed("copy on the device", error))
            }
            Work::Launch(request) => self.run(request),
            Work::Record(..) | Work::Wait(..) => Ok(()),
        };
        if let Err(error) = &outcome {
            self.sticky = Some(error.to_string());
        }
        outcome
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

    fn usable_stream(&self, stream: usize) -> Result<(), DeviceError> {
        self.usable()?;
        let is_open = self.streams.is_open(stream);
        is_open.then_some(()).ok_or(DeviceError::Invalid("stream"))
    }

    fn usable(&self) -> Result<(), DeviceError> {
        match &self.sticky {
            None => Ok(()),
            Some(error) => Err(DeviceError::Sticky(error.clone())),
        }
    }
}
