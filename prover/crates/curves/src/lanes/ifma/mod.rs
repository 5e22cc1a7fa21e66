//! Lanes in vector registers: five limbs of 52 bits, Montgomery form with R = 2^260.
//!
//! Limbs are below 2^52 (the top one below 2^48). A tight value is below 2p, a loose one below 4p.
//! With R > 84 p a product of two values below 8p comes out below 2p with no final subtraction,
//! which is why sums and differences rarely need reducing. In memory a tight value is four 64-bit
//! words (2p < 2^255).
//!
//! Vectors are handled by loops and not by the closures of `from_fn` or `map`: a function of the
//! library between [`crate::room::Work::run`] and an instruction may stay a call.

use core::marker::PhantomData;

use ark_ff::{AdditiveGroup, BigInt, BigInteger, Fp, MontBackend, MontConfig};

use super::arithmetic::{Lanes, Mask, ScalarLanes, WIDTH};
use super::simd::{self, Vector};
use product::{product, reduce, squared};
use words::{limbs_to_words, transpose_in, transpose_out, words_to_limbs};

mod product;
mod words;

const LIMBS: usize = 5;
const LIMB_BITS: u32 = 52;
const LIMB_MASK: u64 = (1 << LIMB_BITS) - 1;

type Limbs = [Vector; LIMBS];

/// Constants of one modulus, made from arkworks' own.
trait Modulus: MontConfig<4> {
    /// p, 2p and 3p in limbs.
    const P: [u64; LIMBS] = to_limbs(&multiple(&Self::MODULUS.0, 1));
    const P2: [u64; LIMBS] = to_limbs(&multiple(&Self::MODULUS.0, 2));
    const P3: [u64; LIMBS] = to_limbs(&multiple(&Self::MODULUS.0, 3));
    /// 4p^2 in limbs.
    const P2_SQUARED: [u64; 2 * LIMBS] = square(&Self::P2);
    /// -p^-1 mod 2^52.
    const NEGATIVE_INVERSE: u64 = Self::INV & LIMB_MASK;
}

impl<C: MontConfig<4>> Modulus for C {}

const fn multiple(words: &[u64; 4], factor: u64) -> [u64; 4] {
    let mut result = [0; 4];
    let mut carry = 0u128;
    let mut index = 0;
    while index < 4 {
        let sum = words[index] as u128 * factor as u128 + carry;
        result[index] = sum as u64;
        carry = sum >> 64;
        index += 1;
    }
    result
}

const fn to_limbs(words: &[u64; 4]) -> [u64; LIMBS] {
    [
        words[0] & LIMB_MASK,
        (words[0] >> 52 | words[1] << 12) & LIMB_MASK,
        (words[1] >> 40 | words[2] << 24) & LIMB_MASK,
        (words[2] >> 28 | words[3] << 36) & LIMB_MASK,
        words[3] >> 16,
    ]
}

const fn square(limbs: &[u64; LIMBS]) -> [u64; 2 * LIMBS] {
    let mut result = [0; 2 * LIMBS];
    let mut carry = 0u128;
    let mut index = 0;
    while index < 2 * LIMBS {
        let mut sum = carry;
        let mut left = 0;
        while left < LIMBS {
            if left <= index && index - left < LIMBS {
                sum += limbs[left] as u128 * limbs[index - left] as u128;
            }
            left += 1;
        }
        result[index] = sum as u64 & LIMB_MASK;
        carry = sum >> LIMB_BITS;
        index += 1;
    }
    result
}

/// Eight elements of the prime field that `C` describes.
#[derive(Debug)]
pub struct Ifma<C>(Limbs, PhantomData<C>);

impl<C> Clone for Ifma<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Ifma<C> {}

impl<C: MontConfig<4>> Ifma<C> {
    #[inline(always)]
    fn new(limbs: Limbs) -> Self {
        Self(limbs, PhantomData)
    }

    #[inline(always)]
    fn constant(limbs: [u64; LIMBS]) -> Limbs {
        let mut vectors = [simd::zero(); LIMBS];
        for limb in 0..LIMBS {
            vectors[limb] = simd::splat(limbs[limb]);
        }
        vectors
    }

    /// From below 4p to below 2p.
    #[inline(always)]
    fn tighten(limbs: Limbs) -> Limbs {
        let lowered = carry(difference(&limbs, &Self::constant(C::P2)));
        let keep = simd::negative(lowered[LIMBS - 1]);
        blend(keep, &carry(limbs), &lowered)
    }

    /// The one representative below p.
    #[inline(always)]
    fn canonical(limbs: Limbs) -> Limbs {
        let lowered = carry(difference(&limbs, &Self::constant(C::P)));
        let keep = simd::negative(lowered[LIMBS - 1]);
        blend(keep, &limbs, &lowered)
    }

    /// Words from a tight value below 2p (as integers, not elements).
    fn reduce_words(words: &[u64; 4]) -> BigInt<4> {
        let mut integer = BigInt(*words);
        if integer >= C::MODULUS {
            integer.sub_with_borrow(&C::MODULUS);
        }
        integer
    }
}

#[inline(always)]
fn sum(a: &Limbs, b: &Limbs) -> Limbs {
    let mut sums = *a;
    for limb in 0..LIMBS {
        sums[limb] = simd::add(a[limb], b[limb]);
    }
    sums
}

#[inline(always)]
fn difference(a: &Limbs, b: &Limbs) -> Limbs {
    let mut differences = *a;
    for limb in 0..LIMBS {
        differences[limb] = simd::sub(a[limb], b[limb]);
    }
    differences
}

#[inline(always)]
fn blend(mask: Mask, if_set: &Limbs, if_clear: &Limbs) -> Limbs {
    let mut limbs = *if_set;
    for limb in 0..LIMBS {
        limbs[limb] = simd::blend(mask, if_set[limb], if_clear[limb]);
    }
    limbs
}

/// Moves what exceeds 52 bits of a limb (or is negative) into the next.
#[inline(always)]
fn carry(mut limbs: Limbs) -> Limbs {
    let mask = simd::splat(LIMB_MASK);
    for limb in 0..LIMBS - 1 {
        let over = simd::shift_right_signed::<LIMB_BITS>(limbs[limb]);
        limbs[limb] = simd::and(limbs[limb], mask);
        limbs[limb + 1] = simd::add(limbs[limb + 1], over);
    }
    limbs
}

impl<C: MontConfig<4>> Lanes for Ifma<C> {
    type Element = Fp<MontBackend<C, 4>, 4>;
    type Words = [u64; 4];

    #[inline(always)]
    fn splat(element: Self::Element) -> Self {
        Self::new(Self::constant(to_limbs(&Self::pack(element))))
    }

    #[inline(always)]
    fn from_elements(elements: [Self::Element; WIDTH]) -> Self {
        let words = elements.map(Self::pack);
        Self::load(core::array::from_fn(|lane| &words[lane]))
    }

    #[inline(always)]
    fn to_elements(self) -> [Self::Element; WIDTH] {
        self.store().map(|words| Self::unpack(&words))
    }

    // arkworks keeps x as x 2^256, this module as x 2^260.
    #[inline(always)]
    fn pack(element: Self::Element) -> Self::Words {
        element.double().double().double().double().0.0
    }

    fn unpack(words: &Self::Words) -> Self::Element {
        let mut element = Self::Element::new_unchecked(Self::reduce_words(words));
        for _ in 0..4 {
            // Halving: an odd Montgomery form becomes even by adding the (odd) modulus.
            let mut integer = element.0;
            if integer.is_odd() {
                integer.add_with_carry(&C::MODULUS);
            }
            integer.div2();
            element = Self::Element::new_unchecked(integer);
        }
        debug_assert!(element.double().double().double().double().0 == Self::reduce_words(words));
        element
    }

    #[inline(always)]
    fn negate_words(words: &Self::Words) -> Self::Words {
        let mut result = BigInt(multiple(&C::MODULUS.0, 2));
        result.sub_with_borrow(&BigInt(*words));
        // 2p - 0 is not tight.
        if *words == [0; 4] { [0; 4] } else { result.0 }
    }

    #[inline(always)]
    fn splat_words(words: &Self::Words) -> Self {
        Self::new(Self::constant(to_limbs(words)))
    }

    #[inline(always)]
    fn load(words: [&Self::Words; WIDTH]) -> Self {
        Self::new(words_to_limbs(transpose_in(words)))
    }

    #[inline(always)]
    fn store(self) -> [Self::Words; WIDTH] {
        transpose_out(limbs_to_words(self.0))
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self::new(Self::tighten(sum(&self.0, &other.0)))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        let difference = difference(&self.0, &other.0);
        let raised = carry(sum(&difference, &Self::constant(C::P2)));
        let plain = carry(difference);
        let negative = simd::negative(plain[LIMBS - 1]);
        Self::new(blend(negative, &raised, &plain))
    }

    #[inline(always)]
    fn sub_loose(self, other: Self) -> Self {
        let difference = difference(&self.0, &other.0);
        Self::new(carry(sum(&difference, &Self::constant(C::P2))))
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self::new(reduce::<C>(product(&self.0, &other.0)))
    }

    #[inline(always)]
    fn square(self) -> Self {
        Self::new(reduce::<C>(squared(&self.0)))
    }

    // Two reductions for three products: they come after the sums. The integers are
    // `a0 b0 - a1 b1 + 4p^2` and `a0 b1 + a1 b0`, both from 0 to 8p^2, and `a0 + a1` and `b0 + b1` are
    // below 4p.
    #[inline(always)]
    fn mul_quadratic([a0, a1]: [Self; 2], [b0, b1]: [Self; 2]) -> [Self; 2] {
        let low = product(&a0.0, &b0.0);
        let high = product(&a1.0, &b1.0);
        let mut cross = product(&carry(sum(&a0.0, &a1.0)), &carry(sum(&b0.0, &b1.0)));
        let mut real = low;
        for limb in 0..2 * LIMBS {
            let both = simd::add(low[limb], high[limb]);
            cross[limb] = simd::sub(cross[limb], both);
            let raised = simd::add(low[limb], simd::splat(C::P2_SQUARED[limb]));
            real[limb] = simd::sub(raised, high[limb]);
        }
        [Self::new(reduce::<C>(real)), Self::new(reduce::<C>(cross))]
    }

    #[inline(always)]
    fn neg(self) -> Self {
        Self::new([simd::zero(); LIMBS]).sub(self)
    }

    #[inline(always)]
    fn select(mask: Mask, if_set: Self, if_clear: Self) -> Self {
        Self::new(blend(mask, &if_set.0, &if_clear.0))
    }

    // Zero is 0, p, 2p or 3p; one limb tells well enough.
    #[inline(always)]
    fn maybe_zero(self) -> Mask {
        let low = self.0[0];
        simd::equal(low, simd::zero())
            | simd::equal(low, simd::splat(C::P[0]))
            | simd::equal(low, simd::splat(C::P2[0]))
            | simd::equal(low, simd::splat(C::P3[0]))
    }
}

impl<C: MontConfig<4>> ScalarLanes for Ifma<C> {
    #[inline(always)]
    fn exchange(self, distance: usize) -> Self {
        let mut order = [0; WIDTH];
        for (lane, from) in order.iter_mut().enumerate() {
            *from = (lane ^ distance) as u64;
        }
        let order = simd::from_array(order);
        let mut limbs = self.0;
        for limb in &mut limbs {
            *limb = simd::permute(order, *limb);
        }
        Self::new(limbs)
    }

    #[inline(always)]
    fn to_integers(self) -> [[u64; 4]; WIDTH] {
        let one = Self::constant([1, 0, 0, 0, 0]);
        let plain = Self::canonical(reduce::<C>(product(&self.0, &one)));
        transpose_out(limbs_to_words(plain))
    }
}
