//! Keys, witnesses and proofs from files.

use std::path::Path;

use haca_prover_formats::FormatError;
use haca_prover_formats::json::{self, ProofJson, VerifyingKeyJson};
use haca_prover_formats::mapped::MappedFile;
use haca_prover_formats::wtns::WitnessFile;
use haca_prover_formats::zkey::KeyFile;
use haca_prover_groth16::json::{read_proof, read_signals, read_verifying_key};
use haca_prover_groth16::key::verifying_key;
use haca_prover_groth16::{
    KeyTrust, Proof, ProverError, ProvingKey, Scalar, VerifyingKey, Witness,
};

use crate::content::ContentHash;
use crate::verdicts::Verdicts;

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
    /// The file's content is not what the caller expected.
    #[error("{path}: its SHA-256 is {found}, {expected} expected")]
    HashMismatch {
        /// the file
        path: String,
        /// hash of the file
        found: ContentHash,
        /// hash asked for
        expected: ContentHash,
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

/// A proving key with a hash that the caller knows. A hash on the list is not checked again; a key
/// that passes gets on it.
///
/// # Errors
/// As [`read_key`], and [`FileError::HashMismatch`].
pub fn read_known_key(
    path: &Path,
    expected: ContentHash,
    verdicts: Option<&Verdicts>,
) -> Result<ProvingKey, FileError> {
    let trust = if verdicts.is_some_and(|list| list.holds(&expected)) {
        KeyTrust::CheckedBefore
    } else {
        KeyTrust::Unknown
    };
    let refused = |error| FileError::new(path, error);
    let file = MappedFile::open(path).map_err(|error| refused(error.into()))?;
    let (found, key) = rayon::join(
        || ContentHash::of(file.bytes()),
        || ProvingKey::from_file_trusting(&KeyFile::read(file.bytes())?, trust),
    );
    if found != expected {
        let path = path.display().to_string();
        return Err(FileError::HashMismatch {
            path,
            found,
            expected,
        });
    }
    let key = key.map_err(refused)?;
    if let (KeyTrust::Unknown, Some(list)) = (trust, verdicts) {
        list.add(found);
    }
    Ok(key)
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
