//! Verifying.

use ark_bn254::{Bn254, Fr, G1Affine, G2Affine};
use ark_ec::pairing::{Pairing, PairingOutput};
use ark_ec::{AffineRepr, CurveGroup};

use crate::{Proof, ProverError};

/// What is needed to check proofs of one circuit.
#[derive(Debug, Clone)]
pub struct VerifyingKey {
    /// e(alpha, beta), the same for every proof
    alpha_beta: PairingOutput<Bn254>,
    gamma: <Bn254 as Pairing>::G2Prepared,
    delta: <Bn254 as Pairing>::G2Prepared,
    ic: Vec<G1Affine>,
}

/// The points of a verifying key, checked to be in their groups.
pub(crate) struct VerifyingParts {
    pub alpha: G1Affine,
    pub beta: G2Affine,
    pub gamma: G2Affine,
    pub delta: G2Affine,
    pub ic: Vec<G1Affine>,
}

impl VerifyingKey {
    /// # Errors
    /// [`ProverError::NoSecondPhase`] when gamma equals delta, [`ProverError::BadPoint`] for points
    /// outside the subgroup.
    pub(crate) fn new(parts: VerifyingParts) -> Result<Self, ProverError> {
        let named = [
            ("beta", parts.beta),
            ("gamma", parts.gamma),
            ("delta", parts.delta),
        ];
        for (what, point) in named {
            if !point.is_in_correct_subgroup_assuming_on_curve() {
                let reason = "is not in the subgroup";
                return Err(ProverError::BadPoint {
                    what,
                    index: 0,
                    reason,
                });
            }
        }
        if parts.gamma == parts.delta {
            return Err(ProverError::NoSecondPhase);
        }
        Ok(Self {
            alpha_beta: Bn254::pairing(parts.alpha, parts.beta),
            gamma: parts.gamma.into(),
            delta: parts.delta.into(),
            ic: parts.ic,
        })
    }

    /// Number of public signals.
    pub fn public_count(&self) -> usize {
        self.ic.len() - 1
    }

    /// Whether the proof is valid for these public signals. Points of the proof must be in their
    /// groups: those of [`crate::json::read_proof`] are.
    ///
    /// # Errors
    /// [`ProverError::PublicCount`] for a wrong number of public signals.
    pub fn verify(&self, proof: &Proof, public: &[Fr]) -> Result<bool, ProverError> {
        if public.len() != self.public_count() {
            let (found, expected) = (public.len(), self.public_count());
            return Err(ProverError::PublicCount { found, expected });
        }
        let input = public
            .iter()
            .zip(&self.ic[1..])
            .fold(self.ic[0].into_group(), |sum, (signal, point)| {
                sum + *point * signal
            });
        // e(A, B) = e(alpha, beta) e(input, gamma) e(C, delta)
        let product = Bn254::multi_pairing(
            [proof.a, (-input).into_affine(), -proof.c],
            [proof.b.into(), self.gamma.clone(), self.delta.clone()],
        );
        Ok(product == self.alpha_beta)
    }
}

impl VerifyingKey {
    /// Bytes of memory held.
    pub fn bytes(&self) -> usize {
        let prepared = |point: &<Bn254 as Pairing>::G2Prepared| size_of_val(&point.ell_coeffs[..]);
        size_of_val(&self.ic[..]) + prepared(&self.gamma) + prepared(&self.delta)
    }
}
