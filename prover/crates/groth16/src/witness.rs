//! A witness in the forms that proving needs.

use ark_bn254::Fr;
use ark_ff::{BigInt, PrimeField};
use haca_prover_curves::msm::SignedScalar;
use haca_prover_formats::bn254::SCALAR_MODULUS;
use haca_prover_formats::wtns::WitnessFile;
use rayon::prelude::*;

/// Values of all signals, the constant 1 first.
#[derive(Debug)]
pub struct Witness {
    pub(crate) elements: Vec<Fr>,
    pub(crate) scalars: Vec<SignedScalar>,
}

impl Witness {
    /// From a checked file.
    pub fn from_file(file: &WitnessFile) -> Self {
        let integers: Vec<[u64; 4]> = file.values().collect();
        let (elements, scalars) = integers
            .par_iter()
            .with_min_len(1 << 12)
            .map(|integer| {
                (
                    to_element(*integer),
                    SignedScalar::new(*integer, &SCALAR_MODULUS),
                )
            })
            .unzip();
        Self { elements, scalars }
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// Never true for a witness from a file.
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// The first `count` values after the constant.
    pub fn public(&self, count: usize) -> &[Fr] {
        self.elements.get(1..=count).unwrap_or(&[])
    }
}

/// The element that an integer below the modulus stands for.
fn to_element(integer: [u64; 4]) -> Fr {
    match integer {
        [small, 0, 0, 0] => Fr::from(small),
        // Below the modulus, so there always is one.
        words => Fr::from_bigint(BigInt(words)).unwrap_or_default(),
    }
}
