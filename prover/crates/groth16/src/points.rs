//! Points out of files, checked.

use ark_bn254::{Fq, Fq2, g1, g2};
use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::Affine;
use ark_ff::BigInt;
use haca_prover_formats::binary::to_words;
use haca_prover_formats::bn254::{BASE_MODULUS, is_below};

use crate::error::ProverError;
use crate::trust::KeyTrust;

/// A kind of point that files hold.
pub(crate) trait FilePoint: AffineRepr {
    /// The point in `bytes` (Montgomery form, zeros for infinity) with coordinates below the
    /// modulus, wherever it is.
    fn read_unchecked(bytes: &[u8]) -> Result<Self, &'static str>;

    /// Whether it is on its curve.
    fn is_on_its_curve(&self) -> bool;

    /// The point in `bytes`, or what is wrong with it. Says nothing about the subgroup.
    fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        Self::read_trusting(bytes, KeyTrust::Unknown)
    }

    /// The same, without looking at the curve again in a key that was checked before.
    fn read_trusting(bytes: &[u8], trust: KeyTrust) -> Result<Self, &'static str> {
        let point = Self::read_unchecked(bytes)?;
        if trust == KeyTrust::CheckedBefore || point.is_on_its_curve() {
            Ok(point)
        } else {
            Err(NOT_ON_CURVE)
        }
    }
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
    fn read_unchecked(bytes: &[u8]) -> Result<Self, &'static str> {
        if is_zero(bytes) {
            return Ok(Self::identity());
        }
        let (x, y) = (coordinate(&bytes[..32])?, coordinate(&bytes[32..])?);
        Ok(Self::new_unchecked(x, y))
    }

    fn is_on_its_curve(&self) -> bool {
        self.is_on_curve()
    }
}

impl FilePoint for Affine<g2::Config> {
    fn read_unchecked(bytes: &[u8]) -> Result<Self, &'static str> {
        if is_zero(bytes) {
            return Ok(Self::identity());
        }
        let x = Fq2::new(coordinate(&bytes[..32])?, coordinate(&bytes[32..64])?);
        let y = Fq2::new(coordinate(&bytes[64..96])?, coordinate(&bytes[96..])?);
        Ok(Self::new_unchecked(x, y))
    }

    fn is_on_its_curve(&self) -> bool {
        self.is_on_curve()
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
