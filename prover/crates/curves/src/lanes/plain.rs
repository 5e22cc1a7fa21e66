//! Lanes as an array of arkworks elements.

use ark_ff::{AdditiveGroup, BigInt, Field, Fp, MontBackend, MontConfig, PrimeField};

use super::arithmetic::{Lanes, Mask, ScalarLanes, WIDTH};

/// Eight elements in arkworks' own (fully reduced, Montgomery) form.
#[derive(Clone, Copy, Debug)]
pub struct Plain<F>([F; WIDTH]);

impl<F: Copy> Plain<F> {
    #[inline(always)]
    fn zip(self, other: Self, operation: impl Fn(F, F) -> F) -> Self {
        Self(core::array::from_fn(|lane| {
            operation(self.0[lane], other.0[lane])
        }))
    }
}

impl<C: MontConfig<4>> Lanes for Plain<Fp<MontBackend<C, 4>, 4>> {
    type Element = Fp<MontBackend<C, 4>, 4>;
    type Words = [u64; 4];

    #[inline(always)]
    fn splat(element: Self::Element) -> Self {
        Self([element; WIDTH])
    }

    fn from_elements(elements: [Self::Element; WIDTH]) -> Self {
        Self(elements)
    }

    fn to_elements(self) -> [Self::Element; WIDTH] {
        self.0
    }

    #[inline(always)]
    fn pack(element: Self::Element) -> Self::Words {
        element.0.0
    }

    #[inline(always)]
    fn unpack(words: &Self::Words) -> Self::Element {
        Fp::new_unchecked(BigInt(*words))
    }

    #[inline(always)]
    fn negate_words(words: &Self::Words) -> Self::Words {
        Self::pack(-Self::unpack(words))
    }

    #[inline(always)]
    fn splat_words(words: &Self::Words) -> Self {
        Self::splat(Self::unpack(words))
    }

    #[inline(always)]
    fn load(words: [&Self::Words; WIDTH]) -> Self {
        Self(words.map(Self::unpack))
    }

    #[inline(always)]
    fn store(self) -> [Self::Words; WIDTH] {
        self.0.map(Self::pack)
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, |left, right| left + right)
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, |left, right| left - right)
    }

    #[inline(always)]
    fn sub_loose(self, other: Self) -> Self {
        self.sub(other)
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.zip(other, |left, right| left * right)
    }

    #[inline(always)]
    fn square(self) -> Self {
        Self(self.0.map(|element| element.square()))
    }

    #[inline(always)]
    fn neg(self) -> Self {
        Self(self.0.map(|element| -element))
    }

    #[inline(always)]
    fn select(mask: Mask, if_set: Self, if_clear: Self) -> Self {
        Self(core::array::from_fn(|lane| {
            if mask >> lane & 1 == 1 {
                if_set.0[lane]
            } else {
                if_clear.0[lane]
            }
        }))
    }

    #[inline(always)]
    fn maybe_zero(self) -> Mask {
        (0..WIDTH)
            .filter(|&lane| self.0[lane] == Self::Element::ZERO)
            .fold(0, |mask, lane| mask | 1 << lane)
    }
}

impl<C: MontConfig<4>> ScalarLanes for Plain<Fp<MontBackend<C, 4>, 4>> {
    #[inline(always)]
    fn exchange(self, distance: usize) -> Self {
        Self(core::array::from_fn(|lane| self.0[lane ^ distance]))
    }

    #[inline(always)]
    fn to_integers(self) -> [[u64; 4]; WIDTH] {
        self.0.map(|element| element.into_bigint().0)
    }
}
