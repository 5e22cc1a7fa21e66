//! The CUDA device: whether there is one, and the keys that lie on it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use haca_prover_cuda::{Gpu, LoadedKey};
use haca_prover_groth16::parts::Sums;
use haca_prover_groth16::{Blinding, Proof, ProvingKey, Witness};

use crate::args::{Backend, DeviceOptions};
use crate::engine::{Device, Engine};
use crate::resident::Resident;

/// Names the library where it does not lie beside the program.
pub const LIBRARY_VARIABLE: &str = "HACA_PROVER_CUDA_LIBRARY";
const LIBRARY_NAME: &str = "libhaca_cuda.so";
/// Smaller domains are faster on the CPU, and too small for the device's transforms.
const MIN_DOMAIN: usize = 1 << 10;

/// The device of a loaded library.
struct CudaDevice {
    gpu: Gpu,
    limit: u64,
    keys: Mutex<Resident<LoadedKey>>,
    /// of `keys`, without waiting for the proof that holds them
    key_bytes: AtomicU64,
}

/// The engine that was asked for. Without a device an automatic one says so and uses the CPU.
///
/// # Errors
/// One line, when a device was asked for and is not there.
pub fn engine(options: &DeviceOptions) -> Result<Engine, String> {
    if options.backend == Backend::Cpu {
        return Ok(Engine::new(None));
    }
    match (open(options), options.backend) {
        (Ok(device), _) => Ok(Engine::new(Some(Box::new(device)))),
        (Err(reason), Backend::Auto) => {
            eprintln!("no CUDA, proofs are made on the CPU: {reason}");
            Ok(Engine::new(None))
        }
        (Err(reason), _) => Err(format!("--backend cuda: {reason}")),
    }
}

fn open(options: &DeviceOptions) -> Result<CudaDevice, String> {
    let gpu = Gpu::open(&library_path()?).map_err(|error| error.to_string())?;
    // Work in progress needs the rest.
    let limit = options.key_bytes.unwrap_or(gpu.memory_bytes() / 4 * 3);
    Ok(CudaDevice {
        gpu,
        limit,
        keys: Mutex::new(Resident::new(limit)),
        key_bytes: AtomicU64::new(0),
    })
}

fn library_path() -> Result<PathBuf, String> {
    if let Some(path) = std::env::var_os(LIBRARY_VARIABLE) {
        return Ok(path.into());
    }
    std::env::current_exe()
        .map(|program| program.with_file_name(LIBRARY_NAME))
        .map_err(|error| format!("where this program lies is not known: {error}"))
}

impl CudaDevice {
    /// One proof at a time: they share the device's memory and streams.
    fn keys(&self) -> MutexGuard<'_, Resident<LoadedKey>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sums(
        &self,
        key: &ProvingKey,
        witness: &Witness,
        keys: &mut Resident<LoadedKey>,
    ) -> Result<Sums, String> {
        let life = key.life();
        if keys.get(&life).is_none() {
            self.load(key, keys)?;
        }
        let loaded = keys.get(&life).ok_or("the key is not on the device")?;
        loaded.sums(witness)
    }

    fn load(&self, key: &ProvingKey, keys: &mut Resident<LoadedKey>) -> Result<(), String> {
        let mut bytes = 0;
        let loaded = self.gpu.load(key, |needed| {
            bytes = needed;
            keys.make_room(needed)
        })?;
        keys.insert(key.life(), bytes, loaded);
        Ok(())
    }
}

impl Device for CudaDevice {
    fn name(&self) -> String {
        format!("cuda: {}", self.gpu.name())
    }

    fn memory_bytes(&self) -> u64 {
        self.gpu.memory_bytes()
    }

    fn key_limit(&self) -> u64 {
        self.limit
    }

    fn key_bytes(&self) -> u64 {
        self.key_bytes.load(Ordering::Relaxed)
    }

    fn takes(&self, key: &ProvingKey) -> bool {
        key.domain_size() >= MIN_DOMAIN
    }

    fn prove(
        &self,
        key: &ProvingKey,
        witness: &Witness,
        blinding: Blinding,
    ) -> Result<Proof, String> {
        let mut keys = self.keys();
        keys.drop_gone();
        let sums = self.sums(key, witness, &mut keys);
        if sums.is_err() {
            // The next attempt starts from a fresh copy.
            keys.remove(&key.life());
        }
        self.key_bytes.store(keys.bytes(), Ordering::Relaxed);
        sums.map(|sums| key.assemble(&sums, blinding))
    }
}
