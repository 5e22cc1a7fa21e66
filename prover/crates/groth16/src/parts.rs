//! A key's parts and a proof's sums as plain words, for provers outside this crate.
//!
//! Field elements are four words, least significant first, in Montgomery form (x 2^256).

use ark_bn254::{Fq, Fq2, G1Affine, G1Projective, G2Affine, G2Projective, g1, g2};
use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::Projective;
use ark_ff::{BigInt, Zero};
use haca_prover_curves::point::{Curve, G1, G2};
use haca_prover_formats::bn254::{BASE_MODULUS, is_below};
use rayon::prelude::*;

use crate::error::ProverError;
use crate::key::{PointList, ProvingKey};
use crate::sparse::{Entry, SparseMatrix};
use crate::witness::Witness;

/// An element.
pub type Words = [u64; 4];

/// A key's parts that proving needs.
#[derive(Debug)]
pub struct KeyParts<'a> {
    /// logarithm of the domain's size
    pub log_domain: u32,
    /// number of signals, the constant 1 included
    pub signal_count: u32,
    /// the different coefficients of both matrices
    pub coefficients: Vec<Words>,
    /// left factors
    pub a_rows: MatrixParts<'a>,
    /// right factors
    pub b_rows: MatrixParts<'a>,
    /// points of A
    pub a: PointParts<'a>,
    /// points of B in the first group
    pub b1: PointParts<'a>,
    /// points of B in the second group
    pub b2: PointParts<'a>,
    /// points of C
    pub c: PointParts<'a>,
    /// points of H; their indices are elements of the domain
    pub h: PointParts<'a>,
}

/// A sparse matrix: entries of row i are `starts[i]..starts[i + 1]`.
#[derive(Debug)]
pub struct MatrixParts<'a> {
    /// one more than the domain has elements
    pub starts: &'a [u32],
    /// all entries
    pub entries: &'a [Entry],
}

/// Points other than infinity: x, y, each of one element (first group) or two (second).
#[derive(Debug)]
pub struct PointParts<'a> {
    /// coordinates of all points
    pub words: Vec<u64>,
    /// which signal belongs to each point
    pub indices: &'a [u32],
}

/// Sums as another prover gives them: X, Y, Z of Jacobian coordinates, Z = 0 for infinity.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct RawSums {
    /// over A
    pub a: [u64; 12],
    /// over B in the first group
    pub b1: [u64; 12],
    /// over B in the second group
    pub b2: [u64; 24],
    /// over C
    pub c: [u64; 12],
    /// over H
    pub h: [u64; 12],
}

/// The sums of a proof: each set's points, times the witness (H: times the quotient's values).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sums {
    /// over A
    pub a: G1Projective,
    /// over B in the first group
    pub b1: G1Projective,
    /// over B in the second group
    pub b2: G2Projective,
    /// over C
    pub c: G1Projective,
    /// over H
    pub h: G1Projective,
}

impl ProvingKey {
    /// What a prover elsewhere has to know of this key.
    pub fn parts(&self) -> KeyParts<'_> {
        KeyParts {
            log_domain: self.domain_size().trailing_zeros(),
            signal_count: self.signal_count as u32,
            coefficients: self.values.words(),
            a_rows: self.a_rows.parts(),
            b_rows: self.b_rows.parts(),
            a: self.a.parts(),
            b1: self.b1.parts(),
            b2: self.b2.parts(),
            c: self.c.parts(),
            h: self.h.parts(),
        }
    }
}

impl SparseMatrix {
    fn parts(&self) -> MatrixParts<'_> {
        MatrixParts {
            starts: &self.starts,
            entries: &self.entries,
        }
    }
}

/// Points with coordinates of so many words.
pub(crate) trait PointWords: Curve {
    const WORDS: usize;
    fn write(point: &ark_ec::short_weierstrass::Affine<Self::Config>, to: &mut [u64]);
}

impl PointWords for G1 {
    const WORDS: usize = 8;
    fn write(point: &G1Affine, to: &mut [u64]) {
        to[..4].copy_from_slice(&point.x.0.0);
        to[4..].copy_from_slice(&point.y.0.0);
    }
}

impl PointWords for G2 {
    const WORDS: usize = 16;
    fn write(point: &G2Affine, to: &mut [u64]) {
        let coordinates = [point.x.c0, point.x.c1, point.y.c0, point.y.c1];
        for (to, coordinate) in to.chunks_exact_mut(4).zip(coordinates) {
            to.copy_from_slice(&coordinate.0.0);
        }
    }
}

impl<C: PointWords> PointList<C> {
    fn parts(&self) -> PointParts<'_> {
        let mut words = vec![0; C::WORDS * self.points.len()];
        words
            .par_chunks_exact_mut(C::WORDS)
            .with_min_len(1 << 10)
            .zip(&self.points)
            .for_each(|(to, point)| C::write(&point.unpack(), to));
        PointParts {
            words,
            indices: &self.signals,
        }
    }
}

impl Witness {
    /// All values, the constant 1 first.
    pub fn words(&self) -> Vec<Words> {
        self.elements
            .par_iter()
            .with_min_len(1 << 14)
            .map(|element| element.0.0)
            .collect()
    }
}

impl RawSums {
    /// All infinity.
    pub const INFINITY: Self = Self {
        a: [0; 12],
        b1: [0; 12],
        b2: [0; 24],
        c: [0; 12],
        h: [0; 12],
    };

    /// The sums, checked to be points of their groups.
    ///
    /// # Errors
    /// [`ProverError::BadPoint`]
    pub fn check(&self) -> Result<Sums, ProverError> {
        Ok(Sums {
            a: read_g1("sum over A", &self.a)?,
            b1: read_g1("sum over B in G1", &self.b1)?,
            b2: read_g2("sum over B in G2", &self.b2)?,
            c: read_g1("sum over C", &self.c)?,
            h: read_g1("sum over H", &self.h)?,
        })
    }
}

fn read_g1(what: &'static str, words: &[u64; 12]) -> Result<G1Projective, ProverError> {
    let [x, y, z] = elements(what, words)?;
    let sum = Projective::<g1::Config>::new_unchecked(x, y, z);
    if z.is_zero() || G1Affine::from(sum).is_on_curve() {
        return Ok(if z.is_zero() {
            G1Projective::zero()
        } else {
            sum
        });
    }
    Err(bad(what, "is not on the curve"))
}

fn read_g2(what: &'static str, words: &[u64; 24]) -> Result<G2Projective, ProverError> {
    let [x0, x1, y0, y1, z0, z1] = elements(what, words)?;
    let z = Fq2::new(z0, z1);
    if z.is_zero() {
        return Ok(G2Projective::zero());
    }
    let sum = Projective::<g2::Config>::new_unchecked(Fq2::new(x0, x1), Fq2::new(y0, y1), z);
    let point = G2Affine::from(sum);
    if !point.is_on_curve() {
        return Err(bad(what, "is not on the curve"));
    }
    if !point.is_in_correct_subgroup_assuming_on_curve() {
        return Err(bad(what, "is not in the subgroup"));
    }
    Ok(point.into_group())
}

fn elements<const N: usize>(what: &'static str, words: &[u64]) -> Result<[Fq; N], ProverError> {
    let mut elements = [Fq::default(); N];
    for (element, words) in elements.iter_mut().zip(words.chunks_exact(4)) {
        let words = [words[0], words[1], words[2], words[3]];
        if !is_below(&words, &BASE_MODULUS) {
            return Err(bad(what, "has a coordinate that is not below the modulus"));
        }
        *element = Fq::new_unchecked(BigInt(words));
    }
    Ok(elements)
}

fn bad(what: &'static str, reason: &'static str) -> ProverError {
    ProverError::BadPoint {
        what,
        index: 0,
        reason,
    }
}

#[cfg(test)]
mod tests;
