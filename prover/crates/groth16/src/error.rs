//! What can go wrong around a proof.

use haca_prover_formats::FormatError;

/// Why there is no proof, or no answer about one.
#[derive(Debug, thiserror::Error)]
pub enum ProverError {
    /// A file was refused.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// A key's or proof's point is not where it should be.
    #[error("{what}: point {index} {reason}")]
    BadPoint {
        /// the list of points
        what: &'static str,
        /// position in it
        index: usize,
        /// what is wrong with it
        reason: &'static str,
    },
    /// A key in which gamma equals delta: anyone can forge proofs for it.
    #[error("the key has gamma = delta: it never had a second phase, and anyone can forge proofs")]
    NoSecondPhase,
    /// The witness belongs to another circuit.
    #[error("the witness has {found} values, the circuit {expected} signals")]
    WitnessLength {
        /// values in the witness
        found: usize,
        /// signals of the circuit
        expected: usize,
    },
    /// The number of public signals is not the key's.
    #[error("{found} public signals, the key is for {expected}")]
    PublicCount {
        /// signals given
        found: usize,
        /// signals that the key takes
        expected: usize,
    },
    /// The proof that was made does not verify.
    #[error("the witness does not satisfy the circuit: the proof made from it does not verify")]
    Unsatisfied,
    /// The operating system gives no randomness.
    #[error("no randomness from the operating system: {0}")]
    Randomness(getrandom::Error),
}
