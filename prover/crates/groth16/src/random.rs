//! Randomness from the operating system.

use ark_bn254::Fr;
use ark_ff::PrimeField;

use crate::error::ProverError;

/// A uniform scalar: 512 random bits modulo r are within 2^-256 of uniform.
///
/// # Errors
/// [`ProverError::Randomness`] when the system gives none.
pub fn scalar() -> Result<Fr, ProverError> {
    let mut bytes = [0; 64];
    fill(&mut bytes)?;
    Ok(Fr::from_le_bytes_mod_order(&bytes))
}

/// Random bytes.
///
/// # Errors
/// [`ProverError::Randomness`] when the system gives none.
pub fn fill(bytes: &mut [u8]) -> Result<(), ProverError> {
    getrandom::fill(bytes).map_err(ProverError::Randomness)
}
