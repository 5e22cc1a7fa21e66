//! Curve points as kept in memory, and eight of them side by side.

use ark_bn254::{g1, g2};
use ark_ec::scalar_mul::glv::GLVConfig;
use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, Field};

use crate::lanes::quadratic::Quadratic;
use crate::lanes::{Lanes, Mask, WIDTH};
use crate::room::{Room, in_chosen_room};

/// A curve y^2 = x^3 + b with the lanes that its coordinates are computed in.
pub trait Curve: 'static {
    /// arkworks' description of the curve.
    type Config: SWCurveConfig;
    /// A coordinate in memory.
    type Words: Copy + Default + PartialEq + Send + Sync + core::fmt::Debug + 'static;
    /// Lanes of the field of coordinates.
    type Lanes<R: Room>: Lanes<Element = <Self::Config as ark_ec::CurveConfig>::BaseField, Words = Self::Words>;

    /// The cube root of one that (x, y) to (beta x, y) needs to multiply points of order r by the same number in both groups.
    fn beta() -> <Self::Config as ark_ec::CurveConfig>::BaseField;
}

/// The first group of BN254.
#[derive(Debug)]
pub struct G1;
/// The second group of BN254.
#[derive(Debug)]
pub struct G2;

impl Curve for G1 {
    type Config = g1::Config;
    type Words = [u64; 4];
    type Lanes<R: Room> = R::Fq;

    fn beta() -> ark_bn254::Fq {
        // arkworks' own belongs to the other root of the scalar field.
        g1::Config::ENDO_COEFFS[0].square()
    }
}

impl Curve for G2 {
    type Config = g2::Config;
    type Words = [[u64; 4]; 2];
    type Lanes<R: Room> = Quadratic<R::Fq>;

    fn beta() -> ark_bn254::Fq2 {
        g2::Config::ENDO_COEFFS[0]
    }
}

/// An affine point in memory, in the form of the instruction set that [`crate::isa::chosen`] names;
/// the point at infinity has all words zero.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct PackedPoint<C: Curve> {
    /// First coordinate.
    pub x: C::Words,
    /// Second coordinate.
    pub y: C::Words,
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
            x: C::Words::default(),
            y: C::Words::default(),
        }
    }

    /// Whether this is the point at infinity.
    pub fn is_infinity(&self) -> bool {
        self.x == C::Words::default() && self.y == C::Words::default()
    }

    /// Packs a point; whether it is on the curve is the caller's business.
    pub fn pack(point: &Affine<C::Config>) -> Self {
        in_chosen_room!(R => Self::pack_in::<R>(point))
    }

    /// The point in arkworks' form.
    pub fn unpack(&self) -> Affine<C::Config> {
        in_chosen_room!(R => self.unpack_in::<R>())
    }

    /// A packed point in a room's form.
    pub(crate) fn pack_in<R: Room>(point: &Affine<C::Config>) -> Self {
        if point.is_zero() {
            return Self::infinity();
        }
        Self {
            x: C::Lanes::<R>::pack(point.x),
            y: C::Lanes::<R>::pack(point.y),
        }
    }

    /// The point out of a room's form.
    pub(crate) fn unpack_in<R: Room>(&self) -> Affine<C::Config> {
        if self.is_infinity() {
            return Affine::identity();
        }
        Affine::new_unchecked(
            C::Lanes::<R>::unpack(&self.x),
            C::Lanes::<R>::unpack(&self.y),
        )
    }

    /// The point, or its negative.
    pub(crate) fn signed_in<R: Room>(&self, negate: bool) -> Self {
        if negate {
            Self {
                x: self.x,
                y: C::Lanes::<R>::negate_words(&self.y),
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
pub(crate) struct LanePoints<C: Curve, R: Room> {
    x: C::Lanes<R>,
    y: C::Lanes<R>,
    z: C::Lanes<R>,
    three_b: C::Lanes<R>,
}

impl<C: Curve, R: Room> Clone for LanePoints<C, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C: Curve, R: Room> Copy for LanePoints<C, R> {}

impl<C: Curve, R: Room> LanePoints<C, R> {
    /// Infinity in every lane.
    #[inline(always)]
    pub fn infinity() -> Self {
        let b = C::Config::COEFF_B;
        let zero = <C::Lanes<R> as Lanes>::Element::ZERO;
        Self {
            x: C::Lanes::<R>::splat(zero),
            y: C::Lanes::<R>::splat(<C::Lanes<R> as Lanes>::Element::ONE),
            z: C::Lanes::<R>::splat(zero),
            three_b: C::Lanes::<R>::splat(b + b + b),
        }
    }

    /// Adds an affine point to every lane.
    #[inline(always)]
    pub fn plus_affine(self, points: [&PackedPoint<C>; WIDTH]) -> Self {
        let mut skip: Mask = 0;
        for (lane, point) in points.iter().enumerate() {
            skip |= Mask::from(point.is_infinity()) << lane;
        }
        let x = C::Lanes::<R>::load(points.map(|point| &point.x));
        let y = C::Lanes::<R>::load(points.map(|point| &point.y));
        let xx = self.x.mul(x);
        let yy = self.y.mul(y);
        let xy = self.x.add(self.y).mul(x.add(y)).sub(xx.add(yy));
        let yz = y.mul(self.z).add(self.y);
        let xz = x.mul(self.z).add(self.x);
        let sum = self.finish(xx, yy, self.z, xy, yz, xz);
        Self {
            x: C::Lanes::<R>::select(skip, self.x, sum.x),
            y: C::Lanes::<R>::select(skip, self.y, sum.y),
            z: C::Lanes::<R>::select(skip, self.z, sum.z),
            three_b: self.three_b,
        }
    }

    /// Adds lane by lane.
    #[inline(always)]
    pub fn plus(self, other: Self) -> Self {
        let xx = self.x.mul(other.x);
        let yy = self.y.mul(other.y);
        let zz = self.z.mul(other.z);
        let xy = self.x.add(self.y).mul(other.x.add(other.y)).sub(xx.add(yy));
        let yz = self.y.add(self.z).mul(other.y.add(other.z)).sub(yy.add(zz));
        let xz = self.x.add(self.z).mul(other.x.add(other.z)).sub(xx.add(zz));
        self.finish(xx, yy, zz, xy, yz, xz)
    }

    #[inline(always)]
    fn finish(
        self,
        xx: C::Lanes<R>,
        yy: C::Lanes<R>,
        zz: C::Lanes<R>,
        xy: C::Lanes<R>,
        yz: C::Lanes<R>,
        xz: C::Lanes<R>,
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
    #[inline(always)]
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
#[cold]
#[inline(never)]
pub(crate) fn add_packed<C: Curve, R: Room>(
    left: &PackedPoint<C>,
    right: &PackedPoint<C>,
) -> PackedPoint<C> {
    let sum = Projective::<C::Config>::from(left.unpack_in::<R>()) + right.unpack_in::<R>();
    PackedPoint::pack_in::<R>(&sum.into_affine())
}
