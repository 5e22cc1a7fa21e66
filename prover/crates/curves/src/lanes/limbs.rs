//! Lanes as four 64-bit limbs each, Montgomery form with R = 2^256, multiplied in assembly: the room of
//! MULX, ADCX and ADOX, and aarch64's.
//!
//! A value is below 2p: [`multiply::montgomery`] then needs no final subtraction, and sums need
//! one of 2p as they would need one of p. There are no loose values, since a product of a value
//! below 4p may not come out below 2p. Squares are products: the few that there are (one in six
//! multiplications of an addition) would save a fifth each.

use core::marker::PhantomData;

use ark_ff::{BigInt, BigInteger, Fp, MontBackend, MontConfig};

use super::arithmetic::{Lanes, Mask, ScalarLanes, WIDTH};
use super::multiply::{Modulus, montgomery};

type Limbs = [u64; 4];

/// Constants of one modulus, made from arkworks' own.
trait Constants: MontConfig<4> {
    const MODULUS_PARTS: Modulus = Modulus {
        limbs: Self::MODULUS.0,
        negative_inverse: Self::INV,
    };
    /// 2p.
    const DOUBLE: Limbs = double(&Self::MODULUS.0);
}

impl<C: MontConfig<4>> Constants for C {}

const fn double(words: &Limbs) -> Limbs {
    [
        words[0] << 1,
        words[1] << 1 | words[0] >> 63,
        words[2] << 1 | words[1] >> 63,
        words[3] << 1 | words[2] >> 63,
    ]
}

/// Eight elements of the prime field that `C` describes.
#[derive(Debug)]
pub struct LimbLanes<C>([Limbs; WIDTH], PhantomData<C>);

impl<C> Clone for LimbLanes<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for LimbLanes<C> {}

impl<C: MontConfig<4>> LimbLanes<C> {
    #[inline(always)]
    fn new(lanes: [Limbs; WIDTH]) -> Self {
        Self(lanes, PhantomData)
    }

    #[inline(always)]
    fn zip(&self, other: &Self, operation: impl Fn(&Limbs, &Limbs) -> Limbs) -> Self {
        let mut lanes = [[0; 4]; WIDTH];
        for (lane, result) in lanes.iter_mut().enumerate() {
            *result = operation(&self.0[lane], &other.0[lane]);
        }
        Self::new(lanes)
    }

    /// One copy of the code for all places that multiply: inlined, it would not fit the cache of
    /// instructions.
    #[inline(never)]
    fn multiply(a: &[Limbs; WIDTH], b: &[Limbs; WIDTH], product: &mut [Limbs; WIDTH]) {
        for lane in 0..WIDTH {
            product[lane] = montgomery(&a[lane], &b[lane], &C::MODULUS_PARTS);
        }
    }

    /// The one representative below p.
    fn canonical(words: &Limbs) -> BigInt<4> {
        let mut integer = BigInt(*words);
        if integer >= C::MODULUS {
            integer.sub_with_borrow(&C::MODULUS);
        }
        integer
    }
}

#[inline(always)]
fn add(a: &Limbs, b: &Limbs) -> Limbs {
    let (s0, carry) = a[0].carrying_add(b[0], false);
    let (s1, carry) = a[1].carrying_add(b[1], carry);
    let (s2, carry) = a[2].carrying_add(b[2], carry);
    let (s3, _) = a[3].carrying_add(b[3], carry);
    [s0, s1, s2, s3]
}

/// The difference modulo 2^256, and whether it is negative.
#[inline(always)]
fn subtract(a: &Limbs, b: &Limbs) -> (Limbs, bool) {
    let (d0, borrow) = a[0].borrowing_sub(b[0], false);
    let (d1, borrow) = a[1].borrowing_sub(b[1], borrow);
    let (d2, borrow) = a[2].borrowing_sub(b[2], borrow);
    let (d3, borrow) = a[3].borrowing_sub(b[3], borrow);
    ([d0, d1, d2, d3], borrow)
}

#[inline(always)]
fn choose(first: bool, a: &Limbs, b: &Limbs) -> Limbs {
    let mask = u64::from(first).wrapping_neg();
    [
        b[0] ^ (a[0] ^ b[0]) & mask,
        b[1] ^ (a[1] ^ b[1]) & mask,
        b[2] ^ (a[2] ^ b[2]) & mask,
        b[3] ^ (a[3] ^ b[3]) & mask,
    ]
}

impl<C: MontConfig<4>> Lanes for LimbLanes<C> {
    type Element = Fp<MontBackend<C, 4>, 4>;
    type Words = Limbs;

    #[inline(always)]
    fn splat(element: Self::Element) -> Self {
        Self::new([element.0.0; WIDTH])
    }

    fn from_elements(elements: [Self::Element; WIDTH]) -> Self {
        Self::new(elements.map(|element| element.0.0))
    }

    fn to_elements(self) -> [Self::Element; WIDTH] {
        self.0.map(|words| Self::unpack(&words))
    }

    #[inline(always)]
    fn pack(element: Self::Element) -> Limbs {
        element.0.0
    }

    fn unpack(words: &Limbs) -> Self::Element {
        Self::Element::new_unchecked(Self::canonical(words))
    }

    #[inline(always)]
    fn negate_words(words: &Limbs) -> Limbs {
        // 2p - 0 would not be below 2p.
        if *words == [0; 4] {
            [0; 4]
        } else {
            subtract(&C::DOUBLE, words).0
        }
    }

    #[inline(always)]
    fn splat_words(words: &Limbs) -> Self {
        Self::new([*words; WIDTH])
    }

    #[inline(always)]
    fn load(words: [&Limbs; WIDTH]) -> Self {
        let mut lanes = [[0; 4]; WIDTH];
        for lane in 0..WIDTH {
            lanes[lane] = *words[lane];
        }
        Self::new(lanes)
    }

    #[inline(always)]
    fn store(self) -> [Limbs; WIDTH] {
        self.0
    }

    // Below 4p, so below 2^256.
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(&other, |a, b| {
            let sum = add(a, b);
            let (lowered, negative) = subtract(&sum, &C::DOUBLE);
            choose(negative, &sum, &lowered)
        })
    }

    // Above -2p.
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(&other, |a, b| {
            let (difference, negative) = subtract(a, b);
            add(&difference, &choose(negative, &C::DOUBLE, &[0; 4]))
        })
    }

    #[inline(always)]
    fn sub_loose(self, other: Self) -> Self {
        self.sub(other)
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let mut product = [[0; 4]; WIDTH];
        Self::multiply(&self.0, &other.0, &mut product);
        Self::new(product)
    }

    #[inline(always)]
    fn square(self) -> Self {
        self.mul(self)
    }

    #[inline(always)]
    fn neg(self) -> Self {
        Self::new([[0; 4]; WIDTH]).sub(self)
    }

    #[inline(always)]
    fn select(mask: Mask, if_set: Self, if_clear: Self) -> Self {
        let mut lanes = [[0; 4]; WIDTH];
        for (lane, result) in lanes.iter_mut().enumerate() {
            *result = choose(mask >> lane & 1 == 1, &if_set.0[lane], &if_clear.0[lane]);
        }
        Self::new(lanes)
    }

    // Zero is 0 or p; one limb tells well enough.
    #[inline(always)]
    fn maybe_zero(self) -> Mask {
        let mut mask = 0;
        for lane in 0..WIDTH {
            let low = self.0[lane][0];
            mask |= Mask::from(low == 0 || low == C::MODULUS.0[0]) << lane;
        }
        mask
    }
}

impl<C: MontConfig<4>> ScalarLanes for LimbLanes<C> {
    #[inline(always)]
    fn exchange(self, distance: usize) -> Self {
        let mut lanes = [[0; 4]; WIDTH];
        for (lane, result) in lanes.iter_mut().enumerate() {
            *result = self.0[lane ^ distance];
        }
        Self::new(lanes)
    }

    // A product with the integer 1 is at most p.
    #[inline(always)]
    fn to_integers(self) -> [Limbs; WIDTH] {
        let plain = self.mul(Self::new([[1, 0, 0, 0]; WIDTH]));
        let mut integers = [[0; 4]; WIDTH];
        for (lane, integer) in integers.iter_mut().enumerate() {
            *integer = Self::canonical(&plain.0[lane]).0;
        }
        integers
    }
}
