//! The first key of a circuit, written.

use std::path::Path;

use crate::error::CeremonyError;
use crate::initial::{InitialKey, Receiver, SECTIONS};
use crate::output::Output;
use crate::parties::Hash;

/// Writes the first key of a circuit. Anyone can forge proofs for it until somebody contributes.
///
/// # Returns
/// The hash of the circuit.
///
/// # Errors
/// [`CeremonyError`]; then there is no file.
pub fn setup(key: &InitialKey, path: &Path) -> Result<Hash, CeremonyError> {
    let mut output = Output::create(path, "zkey", SECTIONS)?;
    let hash = key.send(&mut output)?;
    output.finish()?;
    Ok(hash)
}

impl Receiver for Output {
    fn section(&mut self, number: u32, length: u64) -> Result<(), CeremonyError> {
        Output::section(self, number, length)
    }

    fn add(&mut self, bytes: &[u8]) -> Result<(), CeremonyError> {
        Output::add(self, bytes)
    }
}
