//! Proofs, and what hides the witness in them.

use ark_bn254::{Fr, G1Affine, G2Affine};

use crate::error::ProverError;
use crate::random;

/// A proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// in the first group
    pub a: G1Affine,
    /// in the second group
    pub b: G2Affine,
    /// in the first group
    pub c: G1Affine,
}

impl Proof {
    /// Whether every point is in its group.
    pub fn is_in_groups(&self) -> bool {
        self.a.is_on_curve()
            && self.c.is_on_curve()
            && self.b.is_on_curve()
            && self.b.is_in_correct_subgroup_assuming_on_curve()
    }
}

/// The random numbers that hide the witness in a proof.
#[derive(Debug, Clone, Copy)]
pub struct Blinding {
    /// hides A
    pub r: Fr,
    /// hides B
    pub s: Fr,
}

impl Blinding {
    /// Fresh ones.
    ///
    /// # Errors
    /// [`ProverError::Randomness`] when the system gives none.
    pub fn fresh() -> Result<Self, ProverError> {
        Ok(Self {
            r: random::scalar()?,
            s: random::scalar()?,
        })
    }
}
