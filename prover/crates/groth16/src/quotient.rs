//! Scalars of the H points.
//!
//! snarkjs' H points hold the Lagrange basis of the odd powers of a 2N-th root of unity (over
//! delta). With a, b and c = a b the polynomials through A w, B w and their products at the N-th
//! roots, a b - c vanishes at those, which are the even powers; so its values at the odd powers are
//! all there is to it, and are the scalars.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, FftField, Field, PrimeField};
use haca_prover_curves::msm::SignedScalar;
use haca_prover_curves::ntt::{Domain, MIN_LOG_SIZE};
use haca_prover_formats::bn254::SCALAR_MODULUS;
use rayon::prelude::*;

/// How a key's domain is transformed.
pub(crate) enum Transform {
    /// with lanes
    Lanes(Domain),
    /// by evaluating the definition: domains of fewer than eight elements
    Direct { log_size: u32 },
}

impl Transform {
    /// The transform of a domain of size 2^`log_size`, which a checked key's always is.
    pub fn new(log_size: u32) -> Option<Self> {
        if log_size < MIN_LOG_SIZE {
            return Some(Self::Direct { log_size });
        }
        Domain::new(log_size).map(Self::Lanes)
    }

    /// Bytes of memory held.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Lanes(domain) => domain.bytes(),
            Self::Direct { .. } => 0,
        }
    }

    /// The scalars for rows `a(i)` and `b(i)`.
    pub fn quotient<R: Fn(usize) -> Fr + Sync>(
        &self,
        a: R,
        b: impl Fn(usize) -> Fr + Sync,
    ) -> Vec<SignedScalar> {
        match self {
            Self::Lanes(domain) => domain
                .quotient(a, b)
                .into_par_iter()
                .with_min_len(4096)
                .map(|integer| SignedScalar::new(integer, &SCALAR_MODULUS))
                .collect(),
            Self::Direct { log_size } => directly(*log_size, a, b),
        }
    }
}

fn directly(log_size: u32, a: impl Fn(usize) -> Fr, b: impl Fn(usize) -> Fr) -> Vec<SignedScalar> {
    let size = 1usize << log_size;
    // The field has roots of unity of order up to 2^28.
    let shift = Fr::get_root_of_unity(2 << log_size).unwrap_or(Fr::ONE);
    let root = shift.square();
    let to_coset = |values: Vec<Fr>| -> Vec<Fr> {
        let scale = Fr::from(size as u64).inverse().unwrap_or(Fr::ZERO);
        let inverse = root.inverse().unwrap_or(Fr::ZERO);
        let evaluate = |values: &[Fr], point: Fr| {
            values
                .iter()
                .rev()
                .fold(Fr::ZERO, |sum, value| sum * point + value)
        };
        let coefficients: Vec<Fr> = (0..size)
            .map(|k| scale * evaluate(&values, inverse.pow([k as u64])))
            .collect();
        (0..size)
            .map(|i| evaluate(&coefficients, shift * root.pow([i as u64])))
            .collect()
    };
    let a: Vec<Fr> = (0..size).map(a).collect();
    let b: Vec<Fr> = (0..size).map(b).collect();
    let c = a.iter().zip(&b).map(|(a, b)| *a * b).collect();
    let (a, b, c) = (to_coset(a), to_coset(b), to_coset(c));
    (0..size)
        .map(|i| SignedScalar::new((a[i] * b[i] - c[i]).into_bigint().0, &SCALAR_MODULUS))
        .collect()
}
