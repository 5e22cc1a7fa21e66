//! Loading the library and calling it.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char};
use std::path::{Path, PathBuf};
use std::ptr::{self, NonNull};

use haca_prover_groth16::parts::{RawSums, Sums};
use haca_prover_groth16::{ProvingKey, Witness};
use libloading::Library;

use crate::interface::{
    ABI_VERSION, AbiVersion, Device, KeyBytes, Load, Prove, RawDevice, RawKey, RawLoadedKey, Unload,
};

/// Longest message that the library may write, its closing zero included.
const MESSAGE_BYTES: usize = 512;

/// Why there is no device to prove on.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// No file.
    #[error("there is no {0}")]
    Absent(PathBuf),
    /// A file that is no library, or lacks a function.
    #[error("{path} cannot be loaded: {reason}")]
    Unusable {
        /// the file
        path: PathBuf,
        /// the system's words
        reason: String,
    },
    /// A library of another version of this program.
    #[error("{path} has interface {found}, this program needs {ABI_VERSION}: build both anew")]
    WrongVersion {
        /// the file
        path: PathBuf,
        /// its version
        found: u32,
    },
    /// The library has nothing to work on.
    #[error("{path}: {reason}")]
    NoDevice {
        /// the file
        path: PathBuf,
        /// the library's words
        reason: String,
    },
}

/// A loaded library with its device.
#[derive(Debug, Clone)]
pub struct Gpu {
    functions: Functions,
    name: String,
    memory_bytes: u64,
}

/// The functions stay callable for ever: the library is never unloaded.
#[derive(Debug, Clone, Copy)]
struct Functions {
    device: Device,
    key_bytes: KeyBytes,
    load: Load,
    prove: Prove,
    unload: Unload,
}

/// A key that lies on the device.
#[derive(Debug)]
pub struct LoadedKey {
    functions: Functions,
    key: NonNull<RawLoadedKey>,
}

// SAFETY: the interface allows calls from any thread, one at a time for each key; `prove` and
// `drop` take the key exclusively.
unsafe impl Send for LoadedKey {}

impl Gpu {
    /// Loads the library in `path` and looks for its device.
    ///
    /// # Errors
    /// [`LoadError`] in one line.
    pub fn open(path: &Path) -> Result<Self, LoadError> {
        // A whole path: a bare name would be searched for in places that others choose.
        let path = path
            .canonicalize()
            .map_err(|_| LoadError::Absent(path.to_owned()))?;
        let unusable = |error: libloading::Error| LoadError::Unusable {
            path: path.clone(),
            reason: reason_of(&error),
        };
        // SAFETY: loading runs the library's initialisers. It is ours, or what the operator named
        // in its place.
        let library = unsafe { Library::new(&path) }.map_err(unusable)?;
        // Its threads and the driver's may outlive any use of it.
        let library: &'static Library = Box::leak(Box::new(library));

        // SAFETY: every version of the interface has this function with this type.
        let found = unsafe {
            let version = library.get::<AbiVersion>("haca_cuda_abi_version");
            version.map_err(unusable)?()
        };
        if found != ABI_VERSION {
            return Err(LoadError::WrongVersion { path, found });
        }
        let functions = Functions::find(library).map_err(unusable)?;
        let mut device = RawDevice {
            name: [0; 256],
            memory_bytes: 0,
            major: 0,
            minor: 0,
        };
        // SAFETY: `device` and the message's buffer are writable and as large as is said.
        checked(|message, bytes| unsafe { (functions.device)(&raw mut device, message, bytes) })
            .map_err(|reason| LoadError::NoDevice { path, reason })?;
        Ok(Self {
            functions,
            name: text(&device.name),
            memory_bytes: device.memory_bytes,
        })
    }

    /// The device's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes of the device's memory.
    pub fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }

    /// Puts a key onto the device, after `make_room` for so many bytes there.
    ///
    /// # Errors
    /// The library's own message, or that of `make_room`.
    pub fn load(
        &self,
        key: &ProvingKey,
        make_room: impl FnOnce(u64) -> Result<(), String>,
    ) -> Result<LoadedKey, String> {
        let parts = key.parts();
        let raw = RawKey::of(&parts);
        // SAFETY: `raw` points into `parts`, which lives to the end of this function.
        make_room(unsafe { (self.functions.key_bytes)(&raw const raw) })?;
        let mut loaded = ptr::null_mut();
        // SAFETY: as above, and `loaded` and the message's buffer are writable.
        checked(|message, bytes| unsafe {
            (self.functions.load)(&raw const raw, &raw mut loaded, message, bytes)
        })?;
        let key = NonNull::new(loaded).ok_or("the library returned no key")?;
        Ok(LoadedKey {
            functions: self.functions,
            key,
        })
    }
}

impl Functions {
    fn find(library: &'static Library) -> Result<Self, libloading::Error> {
        // SAFETY: the types are those of this version of the interface, which was checked.
        unsafe {
            Ok(Self {
                device: *library.get("haca_cuda_device")?,
                key_bytes: *library.get("haca_cuda_key_bytes")?,
                load: *library.get("haca_cuda_load")?,
                prove: *library.get("haca_cuda_prove")?,
                unload: *library.get("haca_cuda_unload")?,
            })
        }
    }
}

impl LoadedKey {
    /// The sums over the key's points, checked to be points.
    ///
    /// # Errors
    /// The library's own message, or which sum is no point.
    pub fn sums(&mut self, witness: &Witness) -> Result<Sums, String> {
        let words = witness.words();
        let mut sums = RawSums::INFINITY;
        // SAFETY: the key is loaded and ours alone; `words` has as many elements as is said; `sums`
        // and the message's buffer are writable.
        checked(|message, bytes| unsafe {
            (self.functions.prove)(
                self.key.as_ptr(),
                words.as_ptr(),
                words.len() as u64,
                &raw mut sums,
                message,
                bytes,
            )
        })?;
        sums.check().map_err(|error| error.to_string())
    }
}

impl Drop for LoadedKey {
    fn drop(&mut self) {
        // SAFETY: the key is loaded, ours alone, and not used again.
        unsafe { (self.functions.unload)(self.key.as_ptr()) }
    }
}

/// Calls with a buffer for the message of a failure.
fn checked(call: impl FnOnce(*mut c_char, usize) -> i32) -> Result<(), String> {
    let mut message: [c_char; MESSAGE_BYTES] = [0; MESSAGE_BYTES];
    match call(message.as_mut_ptr(), MESSAGE_BYTES) {
        0 => Ok(()),
        status => {
            let message = text(&message);
            Err(if message.is_empty() {
                format!("status {status} without a message")
            } else {
                message
            })
        }
    }
}

/// What the system says, where it says anything.
fn reason_of(error: &libloading::Error) -> String {
    let reason = std::error::Error::source(error).map_or(error.to_string(), ToString::to_string);
    reason.replace(['\n', '\r'], " ")
}

/// The text in a buffer, in one line; all of it if the closing zero is missing.
fn text(buffer: &[c_char]) -> String {
    let bytes: Vec<u8> = buffer.iter().flat_map(|byte| byte.to_ne_bytes()).collect();
    let text = CStr::from_bytes_until_nul(&bytes).map_or(&bytes[..], CStr::to_bytes);
    String::from_utf8_lossy(text).replace(['\n', '\r'], " ")
}
