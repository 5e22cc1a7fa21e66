//! Curve points as kept in memory, and eight of them side by side.

use ark_bn254::{g1, g2};
use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, Field};

use crate::lanes::{Fq2Lanes, FqLanes, Lanes, Mask, WIDTH};

/// A curve y^2 = x^3 + b with the lanes that its coordinates are computed in.
pub trait Curve: 'static {
    /// Lanes of the field of coordinates.
    type Lanes: Lanes<Element = <Self::Config as ark_ec::CurveConfig>::BaseField>;
    /// arkworks' description of the curve.
    type Config: SWCurveConfig;
}

/// The first group of BN254.
#[derive(Debug)]
pub struct G1;
/// The second group of BN254.
#[derive(Debug)]
pub struct G2;

impl Curve for G1 {
    type Lanes = FqLanes;
    type Config = g1::Config;
}

impl Curve for G2 {
    type Lanes = Fq2Lanes;
    type Config = g2::Config;
}

/// Words of one coordinate on curve `C`.
pub type Words<C> = <<C as Curve>::Lanes as Lanes>::Words;

/// An affine point in memory; the point at infinity has all words zero.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct PackedPoint<C: Curve> {
    /// First coordinate.
    pub x: Words<C>,
    /// Second coordinate.
    pub y: Words<C>,
}

impl<C: Curve> Clone for PackedPoint<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C: Curve> Copy for PackedPoint<C> {}

impl<C: Curve> PackedPoint<C> {
    /// The point at infinity.
    pub fn infinity() -> Self {
        Self {
            x: Words::<C>::default(),
            y: Words::<C>::default(),
        }
    }

    /// Whether this is the point at infinity.
    pub fn is_infinity(&self) -> bool {
        self.x == Words::<C>::default() && self.y == Words::<C>::default()
    }

    /// Packs a point; whether it is on the curve is the caller's business.
    pub fn pack(point: &Affine<C::Config>) -> Self {
        if point.is_zero() {
            return Self::infinity();
        }
        Self {
            x: C::Lanes::pack(point.x),
            y: C::Lanes::pack(point.y),
        }
    }

    /// The point in arkworks' form.
    pub fn unpack(&self) -> Affine<C::Config> {
        if self.is_infinity() {
            return Affine::identity();
        }
        Affine::new_unchecked(C::Lanes::unpack(&self.x), C::Lanes::unpack(&self.y))
    }

    /// The point, or its negative.
    pub fn signed(&self, negate: bool) -> Self {
        if negate {
            Self {
                x: self.x,
                y: C::Lanes::negate_words(&self.y),
            }
        } else {
            *self
        }
    }
}

/// Eight points in homogeneous coordinates (x = X/Z, y = Y/Z; infinity is 0:1:0).
///
/// Additions are the complete formulas for a = 0 of Renes, Costello and Batina (eprint 2015/1060,
/// algorithms 7 and 8): no lane needs special treatment.
pub struct LanePoints<C: Curve> {
    x: C::Lanes,
    y: C::Lanes,
    z: C::Lanes,
    three_b: C::Lanes,
}

impl<C: Curve> Clone for LanePoints<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C: Curve> Copy for LanePoints<C> {}

impl<C: Curve> LanePoints<C> {
    /// Infinity in every lane.
    pub fn infinity() -> Self {
        let b = C::Config::COEFF_B;
        let zero = <C::Lanes as Lanes>::Element::ZERO;
        Self {
            x: C::Lanes::splat(zero),
            y: C::Lanes::splat(<C::Lanes as Lanes>::Element::ONE),
            z: C::Lanes::splat(zero),
            three_b: C::Lanes::splat(b + b + b),
        }
    }

    /// Adds an affine point to every lane.
    pub fn plus_affine(self, points: [&PackedPoint<C>; WIDTH]) -> Self {
        let skip = (0..WIDTH)
            .filter(|&lane| points[lane].is_infinity())
            .fold(0, |mask: Mask, lane| mask | 1 << lane);
        let x = C::Lanes::load(points.map(|point| &point.x));
        let y = C::Lanes::load(points.map(|point| &point.y));
        let xx = self.x.mul(x);
        let yy = self.y.mul(y);
        let xy = self.x.add(self.y).mul(x.add(y)).sub(xx.add(yy));
        let yz = y.mul(self.z).add(self.y);
        let xz = x.mul(self.z).add(self.x);
        let sum = self.finish(xx, yy, self.z, xy, yz, xz);
        Self {
            x: C::Lanes::select(skip, self.x, sum.x),
            y: C::Lanes::select(skip, self.y, sum.y),
            z: C::Lanes::select(skip, self.z, sum.z),
            three_b: self.three_b,
        }
    }

    /// Adds lane by lane.
    pub fn plus(self, other: Self) -> Self {
        let xx = self.x.mul(other.x);
        let yy = self.y.mul(other.y);
        let zz = self.z.mul(other.z);
        let xy = self.x.add(self.y).mul(other.x.add(other.y)).sub(xx.add(yy));
        let yz = self.y.add(self.z).mul(other.y.add(other.z)).sub(yy.add(zz));
        let xz = self.x.add(self.z).mul(other.x.add(other.z)).sub(xx.add(zz));
        self.finish(xx, yy, zz, xy, yz, xz)
    }

    fn finish(
        self,
        xx: C::Lanes,
        yy: C::Lanes,
        zz: C::Lanes,
        xy: C::Lanes,
        yz: C::Lanes,
        xz: C::Lanes,
    ) -> Self {
        let triple_xx = xx.add(xx).add(xx);
        let scaled_zz = zz.mul(self.three_b);
        let scaled_xz = xz.mul(self.three_b);
        let sum = yy.add(scaled_zz);
        let difference = yy.sub(scaled_zz);
        Self {
            x: xy.mul(difference).sub(yz.mul(scaled_xz)),
            y: difference.mul(sum).add(scaled_xz.mul(triple_xx)),
            z: sum.mul(yz).add(triple_xx.mul(xy)),
            three_b: self.three_b,
        }
    }

    /// The lanes, one by one.
    pub fn to_projective(self) -> [Projective<C::Config>; WIDTH] {
        let (x, y, z) = (
            self.x.to_elements(),
            self.y.to_elements(),
            self.z.to_elements(),
        );
        core::array::from_fn(|lane| {
            // Homogeneous to Jacobian: x = X/Z = (XZ)/Z^2, y = Y/Z = (YZ^2)/Z^3.
            let z_squared = z[lane].square();
            Projective::new_unchecked(x[lane] * z[lane], y[lane] * z_squared, z[lane])
        })
    }
}

/// Adds two packed points, whatever they are.
pub fn add_packed<C: Curve>(left: &PackedPoint<C>, right: &PackedPoint<C>) -> PackedPoint<C> {
    let sum = Projective::<C::Config>::from(left.unpack()) + right.unpack();
    PackedPoint::pack(&sum.into_affine())
}
