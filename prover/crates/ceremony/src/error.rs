//! What can go wrong around keys.

use haca_prover_formats::FormatError;
use haca_prover_groth16::ProverError;

/// Why there is no key, or why one was refused.
#[derive(Debug, thiserror::Error)]
pub enum CeremonyError {
    /// A file was refused.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// A key that anyone could forge proofs with, or no randomness.
    #[error(transparent)]
    Prover(#[from] ProverError),
    /// A point is not where it should be.
    #[error("{what}: point {index} {reason}")]
    BadPoint {
        /// the list of points
        what: &'static str,
        /// position in it
        index: usize,
        /// what is wrong with it
        reason: &'static str,
    },
    /// The circuit needs more powers of tau than there are.
    #[error("powers of tau up to 2^{found}, 2^{needed} needed")]
    PowersTooFew {
        /// power of the file
        found: u32,
        /// power of the circuit
        needed: u32,
    },
    /// snarkjs hashes bytes that this file does not have.
    #[error(
        "the file ends right behind section 2, where snarkjs would hash further bytes: no key of \
         power 2^{power} can be made that it would make"
    )]
    NothingBehindPowers {
        /// power of file and circuit
        power: u32,
    },
    /// A powers of tau file that a ceremony cannot have made.
    #[error("{0}")]
    PowersInconsistent(&'static str),
    /// A key is not the one that follows from circuit, powers of tau and contributions.
    #[error("{0}")]
    KeyInconsistent(String),
    /// Contributions that do not follow on each other.
    #[error("contribution {number}: {reason}")]
    BadContribution {
        /// which one, the first is 1
        number: usize,
        /// what is wrong with it
        reason: &'static str,
    },
    /// A key without contributions.
    #[error("the key has no contribution: anyone can forge proofs")]
    NoContribution,
    /// A secret that breaks the powers of tau that it would make.
    #[error("the secret makes powers of tau that repeat: take another")]
    SecretUnusable,
    /// The new file cannot be written.
    #[error("{path}: {source}")]
    Write {
        /// the file
        path: String,
        /// the system's reason
        source: std::io::Error,
    },
}
