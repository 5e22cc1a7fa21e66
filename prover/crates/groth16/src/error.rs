//! What can go wrong around a proof.

use haca_prover_formats::FormatError;

/// A point of a verifying key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPoint {
    /// alpha, beta, gamma or delta
    Named(&'static str),
    /// one of the IC points
    Ic(usize),
}

impl core::fmt::Display for KeyPoint {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Named(name) => formatter.write_str(name),
            Self::Ic(index) => write!(formatter, "IC[{index}]"),
        }
    }
}

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
    /// A key with a point that is the generator of its group or its opposite: anyone can forge proofs for it.
    #[error("the key's {what} is the generator or its opposite: anyone can forge proofs")]
    PointIsGenerator {
        /// the point
        what: &'static str,
    },
    /// A key with two points that are equal or opposite: anyone can forge proofs for it.
    #[error("the key's {first} and {second} are equal or opposite: anyone can forge proofs")]
    PointsRelated {
        /// one point
        first: KeyPoint,
        /// the other, behind it in the key
        second: KeyPoint,
    },
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
