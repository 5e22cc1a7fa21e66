//! Where proofs are made: on a device if there is one, else (or when it fails) on the CPU.

use std::sync::atomic::{AtomicU64, Ordering};

use haca_prover_curves::lanes::ARITHMETIC;
use haca_prover_groth16::{Blinding, Proof, ProverError, ProvingKey, Witness};
use serde::Serialize;

/// Another place than the CPU to make proofs.
pub trait Device: Send + Sync {
    /// Name for people.
    fn name(&self) -> String;

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
pub struct Backend {
    kind: &'static str,
    name: String,
}

/// Attempts on the device before a proof is made on the CPU.
const DEVICE_ATTEMPTS: usize = 2;

impl Engine {
    /// An engine with or without a device.
    pub fn new(device: Option<Box<dyn Device>>) -> Self {
        Self {
            device,
            device_failures: AtomicU64::new(0),
            device_fallbacks: AtomicU64::new(0),
        }
    }

    /// What there is to make proofs with, the preferred one first.
    pub fn backends(&self) -> Vec<Backend> {
        let device = self.device.iter().map(|device| Backend {
            kind: "device",
            name: device.name(),
        });
        device
            .chain([Backend {
                kind: "cpu",
                name: ARITHMETIC.to_owned(),
            }])
            .collect()
    }

    /// Proofs that a device failed to make or made wrong.
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
        if let Some(device) = &self.device {
            for _ in 0..DEVICE_ATTEMPTS {
                let public = witness.public(key.public_count());
                match device.prove(key, witness, Blinding::fresh()?) {
                    Ok(proof) if key.verifying().verify(&proof, public)? => {
                        return Ok(Proved {
                            proof,
                            backend: device.name(),
                        });
                    }
                    Ok(_) => eprintln!("{}: made a proof that does not verify", device.name()),
                    Err(message) => eprintln!("{}: {message}", device.name()),
                }
                self.device_failures.fetch_add(1, Ordering::Relaxed);
            }
            self.device_fallbacks.fetch_add(1, Ordering::Relaxed);
        }
        Ok(Proved {
            proof: key.prove(witness)?,
            backend: "cpu".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests;
