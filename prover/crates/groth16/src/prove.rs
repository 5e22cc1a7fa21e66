//! Proving.

use ark_ec::CurveGroup;
use haca_prover_curves::msm::msm;

use crate::error::ProverError;
use crate::key::ProvingKey;
use crate::parts::Sums;
use crate::proof::{Blinding, Proof};
use crate::sparse::SparseMatrix;
use crate::trust::KeyTrust;
use crate::witness::Witness;

impl ProvingKey {
    /// Makes a proof and verifies it.
    ///
    /// # Errors
    /// [`ProverError::WitnessLength`] for a witness of another circuit,
    /// [`ProverError::Unsatisfied`] for one that breaks a constraint.
    pub fn prove(&self, witness: &Witness) -> Result<Proof, ProverError> {
        let proof = self.prove_unchecked(witness, Blinding::fresh()?)?;
        if self.verifies(&proof, witness)? {
            Ok(proof)
        } else {
            Err(ProverError::Unsatisfied)
        }
    }

    /// Whether a proof that this key made is one. The sums of points that were not checked may lie
    /// anywhere, and the equation says nothing about points that are not in their groups.
    fn verifies(&self, proof: &Proof, witness: &Witness) -> Result<bool, ProverError> {
        if self.trust == KeyTrust::CheckedBefore && !proof.is_in_groups() {
            return Ok(false);
        }
        self.verifying()
            .verify(proof, witness.public(self.public_count))
    }

    /// Makes a proof that is valid if the witness is.
    ///
    /// # Errors
    /// [`ProverError::WitnessLength`] for a witness of another circuit.
    pub fn prove_unchecked(
        &self,
        witness: &Witness,
        blinding: Blinding,
    ) -> Result<Proof, ProverError> {
        if witness.len() != self.signal_count {
            let (found, expected) = (witness.len(), self.signal_count);
            return Err(ProverError::WitnessLength { found, expected });
        }
        Ok(self.assemble(&self.sums(witness), blinding))
    }

    /// The sums over the five point sets. The witness must be as long as there are signals.
    fn sums(&self, witness: &Witness) -> Sums {
        let scalars = &witness.scalars;
        let ((a, b1), (b2, (c, h))) = rayon::join(
            || {
                rayon::join(
                    || msm(&self.a.points, &self.a.signals, scalars),
                    || msm(&self.b1.points, &self.b1.signals, scalars),
                )
            },
            || {
                rayon::join(
                    || msm(&self.b2.points, &self.b2.signals, scalars),
                    || {
                        rayon::join(
                            || msm(&self.c.points, &self.c.signals, scalars),
                            || {
                                let row = |matrix: &SparseMatrix, index| {
                                    matrix.row_times(index, &self.values, &witness.elements)
                                };
                                let quotient = self.transform.quotient(
                                    |index| row(&self.a_rows, index),
                                    |index| row(&self.b_rows, index),
                                );
                                msm(&self.h.points, &self.h.signals, &quotient)
                            },
                        )
                    },
                )
            },
        );
        Sums { a, b1, b2, c, h }
    }

    /// The proof that the sums make.
    pub fn assemble(&self, sums: &Sums, Blinding { r, s }: Blinding) -> Proof {
        let Sums { a, b1, b2, c, h } = *sums;
        // A = alpha + a + r delta, B = beta + b + s delta,
        // C = c + h + s A + r B - r s delta, with B in the first group.
        let a = a + self.alpha1 + self.delta1 * r;
        let (b2, c) = rayon::join(
            || b2 + self.beta2 + self.delta2 * s,
            || c + h + a * s + (b1 + self.beta1) * r,
        );
        Proof {
            a: a.into_affine(),
            b: b2.into_affine(),
            c: c.into_affine(),
        }
    }
}
