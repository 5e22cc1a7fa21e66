//! Points out of files, checked.

use ark_bn254::{Fq, Fq2, g1, g2};
use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::Affine;
use ark_ff::BigInt;
use haca_prover_formats::binary::to_words;
use haca_prover_formats::bn254::{BASE_MODULUS, is_below};

use crate::error::ProverError;

/// A kind of point that files hold.
pub(crate) trait FilePoint: AffineRepr {
    /// The point in `bytes` (Montgomery form, zeros for infinity), or what is wrong with it. Says
    /// nothing about the subgroup.
    fn read(bytes: &[u8]) -> Result<Self, &'static str>;
}

const NOT_REDUCED: &str = "has a coordinate that is not below the modulus";
const NOT_ON_CURVE: &str = "is not on the curve";

fn coordinate(bytes: &[u8]) -> Result<Fq, &'static str> {
    let words = to_words(bytes);
    if !is_below(&words, &BASE_MODULUS) {
        return Err(NOT_REDUCED);
    }
    Ok(Fq::new_unchecked(BigInt(words)))
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

impl FilePoint for Affine<g1::Config> {
    fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        if is_zero(bytes) {
            return Ok(Self::identity());
        }
        let point = Self::new_unchecked(coordinate(&bytes[..32])?, coordinate(&bytes[32..])?);
        if point.is_on_curve() {
            Ok(point)
        } else {
            Err(NOT_ON_CURVE)
        }
    }
}

impl FilePoint for Affine<g2::Config> {
    fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        if is_zero(bytes) {
            return Ok(Self::identity());
        }
        let x = Fq2::new(coordinate(&bytes[..32])?, coordinate(&bytes[32..64])?);
        let y = Fq2::new(coordinate(&bytes[64..96])?, coordinate(&bytes[96..])?);
        let point = Self::new_unchecked(x, y);
        if point.is_on_curve() {
            Ok(point)
        } else {
            Err(NOT_ON_CURVE)
        }
    }
}

/// One point, which must not be infinity.
pub(crate) fn read_one<P: FilePoint>(what: &'static str, bytes: &[u8]) -> Result<P, ProverError> {
    let bad = |reason| ProverError::BadPoint {
        what,
        index: 0,
        reason,
    };
    let point = P::read(bytes).map_err(bad)?;
    if point.is_zero() {
        return Err(bad("is at infinity"));
    }
    Ok(point)
}
