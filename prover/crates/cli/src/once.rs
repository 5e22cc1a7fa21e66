//! The one-shot commands.

use haca_prover_groth16::ProverError;
use haca_prover_groth16::json::{write_proof, write_signals};

use crate::args::{ProveFiles, VerifyFiles};
use crate::files::{
    FileError, read_key, read_known_key, read_proof_file, read_public_file, read_verifying,
    read_witness, write_json,
};
use crate::verdicts::Verdicts;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// About one file.
    #[error(transparent)]
    File(#[from] FileError),
    /// About the proof.
    #[error(transparent)]
    Prover(#[from] ProverError),
    /// A device was asked for and is not there.
    #[error("{0}")]
    NoDevice(String),
    /// The proof was read and is wrong.
    #[error("the proof is NOT valid for these public signals")]
    Invalid,
}

/// `prove`: nothing is written unless the proof verifies.
///
/// # Errors
/// [`CommandError`] when there is no proof.
pub fn prove(files: &ProveFiles) -> Result<(), CommandError> {
    let key = match files.key_sha256 {
        None => read_key(&files.zkey)?,
        Some(hash) => read_known_key(&files.zkey, hash, Verdicts::of_user().as_ref())?,
    };
    let witness = read_witness(&files.witness)?;
    let proof = key.prove(&witness)?;
    write_json(&files.proof, &write_proof(&proof))?;
    write_json(
        &files.public,
        &write_signals(witness.public(key.public_count())),
    )?;
    Ok(())
}

/// `verify`: prints `valid`, or fails.
///
/// # Errors
/// [`CommandError::Invalid`] for a wrong proof, others when files are not readable.
pub fn verify(files: &VerifyFiles) -> Result<(), CommandError> {
    let key = read_verifying(&files.key)?;
    let public = read_public_file(&files.public)?;
    let proof = read_proof_file(&files.proof)?;
    if !key.verify(&proof, &public)? {
        return Err(CommandError::Invalid);
    }
    println!("valid");
    Ok(())
}
