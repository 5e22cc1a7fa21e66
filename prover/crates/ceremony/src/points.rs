//! Points as files hold them (coordinates little-endian, times 2^256) and as hashes take them
//! (big-endian, plain, the higher coefficient of an extension's element first). Infinity is all zeros.

use ark_bn254::{Fq, Fq2, g1, g2};
use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_ff::{BigInt, PrimeField};
use haca_prover_curves::msm::Summed;
use haca_prover_curves::point::{G1, G2};
use haca_prover_formats::binary::to_words;
use haca_prover_formats::bn254::{BASE_MODULUS, is_below};
use haca_prover_formats::zkey::{G1_BYTES, G2_BYTES};
use rayon::prelude::*;

use crate::error::CeremonyError;

/// A group with its forms in files and hashes.
pub trait Group: SWCurveConfig<ScalarField = ark_bn254::Fr> + Sized {
    /// The curve that sums of many multiples are computed on.
    type Fast: Summed<Config = Self>;
    /// Bytes of a point.
    const BYTES: usize;

    /// The coordinates in a point's bytes; below the modulus is the caller's business.
    fn coordinates(bytes: &[u8]) -> (Self::BaseField, Self::BaseField);
    /// An element's coefficients, the lower first.
    fn coefficients(element: &Self::BaseField) -> impl DoubleEndedIterator<Item = &Fq>;
}

impl Group for g1::Config {
    type Fast = G1;
    const BYTES: usize = G1_BYTES;

    fn coordinates(bytes: &[u8]) -> (Fq, Fq) {
        (element(&bytes[..32]), element(&bytes[32..]))
    }

    fn coefficients(element: &Fq) -> impl DoubleEndedIterator<Item = &Fq> {
        core::iter::once(element)
    }
}

impl Group for g2::Config {
    type Fast = G2;
    const BYTES: usize = G2_BYTES;

    fn coordinates(bytes: &[u8]) -> (Fq2, Fq2) {
        let pair = |bytes: &[u8]| Fq2::new(element(&bytes[..32]), element(&bytes[32..]));
        (pair(&bytes[..64]), pair(&bytes[64..]))
    }

    fn coefficients(element: &Fq2) -> impl DoubleEndedIterator<Item = &Fq> {
        [&element.c0, &element.c1].into_iter()
    }
}

fn element(bytes: &[u8]) -> Fq {
    Fq::new_unchecked(BigInt(to_words(bytes)))
}

/// Points out of a file that were checked.
#[derive(Debug)]
pub struct Points<'a, P> {
    bytes: &'a [u8],
    group: core::marker::PhantomData<P>,
}

impl<P> Clone for Points<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for Points<'_, P> {}

impl<'a, P: Group> Points<'a, P> {
    /// Takes a list of points and checks that each is on its curve and written in the one form. Says
    /// nothing about the subgroup.
    ///
    /// # Errors
    /// [`CeremonyError::BadPoint`] names the first one that is not.
    pub fn check(what: &'static str, bytes: &'a [u8]) -> Result<Self, CeremonyError> {
        bytes
            .par_chunks_exact(P::BYTES)
            .with_min_len(1 << 9)
            .enumerate()
            .try_for_each(|(index, bytes)| {
                check_point::<P>(bytes).map_err(|reason| CeremonyError::BadPoint {
                    what,
                    index,
                    reason,
                })
            })?;
        Ok(Self {
            bytes,
            group: core::marker::PhantomData,
        })
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.bytes.len() / P::BYTES
    }

    /// One point.
    pub fn get(&self, index: usize) -> Affine<P> {
        point(&self.bytes[index * P::BYTES..(index + 1) * P::BYTES])
    }

    /// All of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Affine<P>> + 'a {
        self.bytes.chunks_exact(P::BYTES).map(point)
    }

    /// Some of them.
    pub fn range(&self, range: core::ops::Range<usize>) -> Self {
        Self {
            bytes: &self.bytes[range.start * P::BYTES..range.end * P::BYTES],
            group: self.group,
        }
    }
}

/// One point that is checked and not at infinity.
///
/// # Errors
/// [`CeremonyError::BadPoint`].
pub fn read_one<P: Group>(what: &'static str, bytes: &[u8]) -> Result<Affine<P>, CeremonyError> {
    let bad = |reason| CeremonyError::BadPoint {
        what,
        index: 0,
        reason,
    };
    check_point::<P>(bytes).map_err(bad)?;
    let point = point::<P>(bytes);
    if point.is_zero() {
        return Err(bad("is at infinity"));
    }
    if !point.is_in_correct_subgroup_assuming_on_curve() {
        return Err(bad("is not in the subgroup"));
    }
    Ok(point)
}

fn check_point<P: Group>(bytes: &[u8]) -> Result<(), &'static str> {
    if bytes
        .chunks_exact(32)
        .any(|bytes| !is_below(&to_words(bytes), &BASE_MODULUS))
    {
        return Err("has a coordinate that is not below the modulus");
    }
    let point = point::<P>(bytes);
    if point.is_zero() || point.is_on_curve() {
        Ok(())
    } else {
        Err("is not on the curve")
    }
}

/// The point in checked bytes; (0, 0) is infinity to arkworks too.
fn point<P: Group>(bytes: &[u8]) -> Affine<P> {
    let (x, y) = P::coordinates(bytes);
    Affine::new_unchecked(x, y)
}

/// Adds the points' form in files.
pub fn write<P: Group>(points: &[Affine<P>], bytes: &mut Vec<u8>) {
    bytes.reserve(points.len() * P::BYTES);
    for point in points {
        for coordinate in [&point.x, &point.y] {
            for coefficient in P::coefficients(coordinate) {
                coefficient
                    .0
                    .0
                    .iter()
                    .for_each(|word| bytes.extend(word.to_le_bytes()));
            }
        }
    }
}

/// The points' form in hashes.
pub fn to_hashed<P: Group>(points: &[Affine<P>]) -> Vec<u8> {
    let mut bytes = vec![0; points.len() * P::BYTES];
    bytes
        .par_chunks_mut(P::BYTES)
        .with_min_len(1 << 9)
        .zip(points)
        .for_each(|(bytes, point)| {
            let integers = [&point.x, &point.y]
                .into_iter()
                .flat_map(|coordinate| P::coefficients(coordinate).rev());
            for (bytes, integer) in bytes.chunks_exact_mut(32).zip(integers) {
                let words = integer.into_bigint().0;
                for (bytes, word) in bytes.chunks_exact_mut(8).zip(words.iter().rev()) {
                    bytes.copy_from_slice(&word.to_be_bytes());
                }
            }
        });
    bytes
}
