//! Keys, witnesses and proofs from files.

use std::path::Path;

use haca_prover_formats::FormatError;
use haca_prover_formats::json::{self, ProofJson, VerifyingKeyJson};
use haca_prover_formats::mapped::MappedFile;
use haca_prover_formats::wtns::WitnessFile;
use haca_prover_formats::zkey::KeyFile;
use haca_prover_groth16::json::{read_proof, read_signals, read_verifying_key};
use haca_prover_groth16::key::verifying_key;
use haca_prover_groth16::{Proof, ProverError, ProvingKey, Scalar, VerifyingKey, Witness};

/// A failure, with the file that it is about.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file cannot be read or written; the system's message names it.
    #[error("{0}")]
    Unusable(String),
    /// The file's content was refused.
    #[error("{path}: {source}")]
    Refused {
        /// the file
        path: String,
        /// why
        source: ProverError,
    },
}

impl FileError {
    fn new(path: &Path, source: ProverError) -> Self {
        match source {
            ProverError::Format(error @ FormatError::Io { .. }) => {
                Self::Unusable(error.to_string())
            }
            source => Self::Refused {
                path: path.display().to_string(),
                source,
            },
        }
    }
}

fn with_bytes<T>(
    path: &Path,
    read: impl FnOnce(&[u8]) -> Result<T, ProverError>,
) -> Result<T, FileError> {
    MappedFile::open(path)
        .map_err(ProverError::from)
        .and_then(|file| read(file.bytes()))
        .map_err(|error| FileError::new(path, error))
}

/// A proving key.
///
/// # Errors
/// [`FileError`] when it cannot be read or is not a sound key.
pub fn read_key(path: &Path) -> Result<ProvingKey, FileError> {
    with_bytes(path, |bytes| ProvingKey::from_file(&KeyFile::read(bytes)?))
}

/// A witness.
///
/// # Errors
/// [`FileError`] when it cannot be read or is not a witness.
pub fn read_witness(path: &Path) -> Result<Witness, FileError> {
    with_bytes(path, |bytes| {
        Ok(Witness::from_file(&WitnessFile::read(bytes)?))
    })
}

/// A verifying key, from its JSON or out of a proving key.
///
/// # Errors
/// [`FileError`] when it cannot be read or is not a verifying key.
pub fn read_verifying(path: &Path) -> Result<VerifyingKey, FileError> {
    with_bytes(path, |bytes| {
        if bytes.starts_with(b"zkey") {
            return verifying_key(&KeyFile::read(bytes)?);
        }
        read_verifying_key(&json::parse::<VerifyingKeyJson>("verifying key", bytes)?)
    })
}

/// A proof.
///
/// # Errors
/// [`FileError`] when it cannot be read or is not a proof.
pub fn read_proof_file(path: &Path) -> Result<Proof, FileError> {
    with_bytes(path, |bytes| {
        read_proof(&json::parse::<ProofJson>("proof", bytes)?)
    })
}

/// Public signals.
///
/// # Errors
/// [`FileError`] when they cannot be read or are not numbers of the field.
pub fn read_public_file(path: &Path) -> Result<Vec<Scalar>, FileError> {
    with_bytes(path, |bytes| {
        read_signals(&json::parse::<Vec<String>>("public signals", bytes)?)
    })
}

/// Writes a JSON document as snarkjs does.
///
/// # Errors
/// [`FileError`] when it cannot be written.
pub fn write_json<T: serde::Serialize>(path: &Path, value: &T) -> Result<(), FileError> {
    let text = json::print(value).map_err(|error| FileError::new(path, error.into()))?;
    std::fs::write(path, text)
        .map_err(|error| FileError::Unusable(format!("{}: {error}", path.display())))
}
