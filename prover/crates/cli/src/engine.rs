//! Where proofs are made: on a device if there is one, else (or when it fails) on the CPU.

use std::sync::atomic::{AtomicU64, Ordering};

use haca_prover_curves::isa;
use haca_prover_groth16::{Blinding, Proof, ProverError, ProvingKey, Witness};
use serde::Serialize;

/// Another place than the CPU to make proofs.
pub trait Device: Send + Sync {
    /// Name for people.
    fn name(&self) -> String;

    /// Bytes of its memory.
    fn memory_bytes(&self) -> u64;

    /// Bytes that keys may have on it together.
    fn key_limit(&self) -> u64;

    /// Bytes that keys have on it.
    fn key_bytes(&self) -> u64;

    /// Whether proofs of this key are for it at all.
    fn takes(&self, key: &ProvingKey) -> bool;

    /// Makes a proof, which the engine verifies.
    ///
    /// # Errors
    /// The device's own message.
    fn prove(
        &self,
        key: &ProvingKey,
        witness: &Witness,
        blinding: Blinding,
    ) -> Result<Proof, String>;
}

/// Makes proofs, every one of them verified.
pub struct Engine {
    device: Option<Box<dyn Device>>,
    device_proofs: AtomicU64,
    device_failures: AtomicU64,
    device_fallbacks: AtomicU64,
}

/// A verified proof, and what made it.
pub struct Proved {
    /// the proof
    pub proof: Proof,
    /// `cpu`, or the device's name
    pub backend: String,
}

/// Something that can make proofs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Backend {
    kind: &'static str,
    name: String,
    #[serde(flatten)]
    memory: Option<DeviceMemory>,
}

/// A device's memory in bytes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DeviceMemory {
    memory_bytes: u64,
    key_limit_bytes: u64,
}

/// Attempts on the device before a proof is made on the CPU.
const DEVICE_ATTEMPTS: usize = 2;

impl Engine {
    /// An engine with or without a device.
    pub fn new(device: Option<Box<dyn Device>>) -> Self {
        Self {
            device,
            device_proofs: AtomicU64::new(0),
            device_failures: AtomicU64::new(0),
            device_fallbacks: AtomicU64::new(0),
        }
    }

    /// What there is to make proofs with, the preferred one first.
    pub fn backends(&self) -> Vec<Backend> {
        let device = self.device.iter().map(|device| Backend {
            kind: "device",
            name: device.name(),
            memory: Some(DeviceMemory {
                memory_bytes: device.memory_bytes(),
                key_limit_bytes: device.key_limit(),
            }),
        });
        device
            .chain([Backend {
                kind: "cpu",
                name: isa::chosen().name().to_owned(),
                memory: None,
            }])
            .collect()
    }

    /// Proofs that a device made and that verified.
    pub fn device_proofs(&self) -> u64 {
        self.device_proofs.load(Ordering::Relaxed)
    }

    /// Bytes of keys on the device.
    pub fn device_key_bytes(&self) -> u64 {
        self.device.as_ref().map_or(0, |device| device.key_bytes())
    }

    /// Attempts in which a device made no proof or a wrong one. A wrong proof counts once the same
    /// witness was proven otherwise: before, the witness may be to blame.
    pub fn device_failures(&self) -> u64 {
        self.device_failures.load(Ordering::Relaxed)
    }

    /// Proofs that the CPU made because the device could not.
    pub fn device_fallbacks(&self) -> u64 {
        self.device_fallbacks.load(Ordering::Relaxed)
    }

    /// Makes a proof and verifies it.
    ///
    /// # Errors
    /// Those of [`ProvingKey::prove`].
    pub fn prove(&self, key: &ProvingKey, witness: &Witness) -> Result<Proved, ProverError> {
        let Some(device) = self.device.as_ref().filter(|device| device.takes(key)) else {
            return on_cpu(key, witness);
        };
        let public = witness.public(key.public_count());
        let mut wrong = 0;
        for _ in 0..DEVICE_ATTEMPTS {
            match device.prove(key, witness, Blinding::fresh()?) {
                Ok(proof) if key.verifying().verify(&proof, public)? => {
                    self.device_proofs.fetch_add(1, Ordering::Relaxed);
                    self.device_failures.fetch_add(wrong, Ordering::Relaxed);
                    return Ok(Proved {
                        proof,
                        backend: device.name(),
                    });
                }
                Ok(_) => {
                    wrong += 1;
                    eprintln!("{}: made a proof that does not verify", device.name());
                }
                Err(message) => {
                    self.device_failures.fetch_add(1, Ordering::Relaxed);
                    eprintln!("{}: {message}", device.name());
                }
            }
        }
        let proved = on_cpu(key, witness)?;
        self.device_failures.fetch_add(wrong, Ordering::Relaxed);
        self.device_fallbacks.fetch_add(1, Ordering::Relaxed);
        Ok(proved)
    }
}

fn on_cpu(key: &ProvingKey, witness: &Witness) -> Result<Proved, ProverError> {
    Ok(Proved {
        proof: key.prove(witness)?,
        backend: "cpu".to_owned(),
    })
}

#[cfg(test)]
mod tests;
