//! Verifying.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use ark_bn254::{Bn254, Fr, G1Affine, G2Affine};
use ark_ec::pairing::{Pairing, PairingOutput};
use ark_ec::{AffineRepr, CurveGroup};

use crate::error::{KeyPoint, ProverError};
use crate::proof::Proof;

const IS_ZERO: &str = "is zero";

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
    /// [`ProverError::BadPoint`] for zeros and points outside the subgroup, [`ProverError::PointIsGenerator`]
    /// and [`ProverError::PointsRelated`] for keys that anyone could forge proofs with.
    pub(crate) fn new(parts: VerifyingParts) -> Result<Self, ProverError> {
        check_key(&parts)?;
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

/// The list of `contracts/models/VerifyingKeyCheck.sol`, in its order: docs/verifying-keys.md has the
/// forgery that each rule stops.
fn check_key(parts: &VerifyingParts) -> Result<(), ProverError> {
    let bad = |what, index, reason| {
        Err(ProverError::BadPoint {
            what,
            index,
            reason,
        })
    };
    if parts.alpha.is_zero() {
        return bad("alpha", 0, IS_ZERO);
    }
    let named = [
        ("beta", parts.beta),
        ("gamma", parts.gamma),
        ("delta", parts.delta),
    ];
    for (what, point) in named {
        if point.is_zero() {
            return bad(what, 0, IS_ZERO);
        }
        if !point.is_in_correct_subgroup_assuming_on_curve() {
            return bad(what, 0, "is not in the subgroup");
        }
    }
    if let Some(index) = parts.ic.iter().position(G1Affine::is_zero) {
        return bad("IC", index, IS_ZERO);
    }

    // Equal and opposite points, and no others, have the same x coordinate.
    if parts.alpha.x == G1Affine::generator().x {
        return Err(ProverError::PointIsGenerator { what: "alpha" });
    }
    // gamma may be the generator: it is in every key of snarkjs.
    for (what, point) in [("beta", parts.beta), ("delta", parts.delta)] {
        if point.x == G2Affine::generator().x {
            return Err(ProverError::PointIsGenerator { what });
        }
    }
    let related = |first, second| Err(ProverError::PointsRelated { first, second });
    for (first, second) in [(0, 1), (0, 2), (1, 2)] {
        if named[first].1.x == named[second].1.x {
            let [first, second] = [first, second].map(|index| KeyPoint::Named(named[index].0));
            return related(first, second);
        }
    }
    let mut seen = HashMap::from([(parts.alpha.x, KeyPoint::Named("alpha"))]);
    for (index, point) in parts.ic.iter().enumerate() {
        let point_name = KeyPoint::Ic(index);
        match seen.entry(point.x) {
            Entry::Occupied(entry) => return related(*entry.get(), point_name),
            Entry::Vacant(entry) => entry.insert(point_name),
        };
    }
    Ok(())
}

impl VerifyingKey {
    /// Bytes of memory held.
    pub fn bytes(&self) -> usize {
        let prepared = |point: &<Bn254 as Pairing>::G2Prepared| size_of_val(&point.ell_coeffs[..]);
        size_of_val(&self.ic[..]) + prepared(&self.gamma) + prepared(&self.delta)
    }
}
