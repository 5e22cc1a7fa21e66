//! Lanes of the quadratic extension with u^2 = -1.

use ark_bn254::{Fq, Fq2};

use super::arithmetic::{Lanes, Mask, WIDTH};

/// `c0 + c1 u` in each lane.
#[derive(Clone, Copy, Debug)]
pub struct Quadratic<L> {
    c0: L,
    c1: L,
}

impl<L: Lanes<Element = Fq>> Lanes for Quadratic<L> {
    type Element = Fq2;
    type Words = [L::Words; 2];

    #[inline(always)]
    fn splat(element: Fq2) -> Self {
        Self {
            c0: L::splat(element.c0),
            c1: L::splat(element.c1),
        }
    }

    #[inline(always)]
    fn from_elements(elements: [Fq2; WIDTH]) -> Self {
        Self {
            c0: L::from_elements(elements.map(|element| element.c0)),
            c1: L::from_elements(elements.map(|element| element.c1)),
        }
    }

    #[inline(always)]
    fn to_elements(self) -> [Fq2; WIDTH] {
        let (c0, c1) = (self.c0.to_elements(), self.c1.to_elements());
        core::array::from_fn(|lane| Fq2::new(c0[lane], c1[lane]))
    }

    #[inline(always)]
    fn pack(element: Fq2) -> Self::Words {
        [L::pack(element.c0), L::pack(element.c1)]
    }

    #[inline(always)]
    fn unpack(words: &Self::Words) -> Fq2 {
        Fq2::new(L::unpack(&words[0]), L::unpack(&words[1]))
    }

    #[inline(always)]
    fn negate_words(words: &Self::Words) -> Self::Words {
        [L::negate_words(&words[0]), L::negate_words(&words[1])]
    }

    #[inline(always)]
    fn splat_words(words: &Self::Words) -> Self {
        Self {
            c0: L::splat_words(&words[0]),
            c1: L::splat_words(&words[1]),
        }
    }

    #[inline(always)]
    fn load(words: [&Self::Words; WIDTH]) -> Self {
        Self {
            c0: L::load(words.map(|pair| &pair[0])),
            c1: L::load(words.map(|pair| &pair[1])),
        }
    }

    #[inline(always)]
    fn store(self) -> [Self::Words; WIDTH] {
        let (c0, c1) = (self.c0.store(), self.c1.store());
        let mut words = [[L::Words::default(); 2]; WIDTH];
        for lane in 0..WIDTH {
            words[lane] = [c0[lane], c1[lane]];
        }
        words
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self {
            c0: self.c0.add(other.c0),
            c1: self.c1.add(other.c1),
        }
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self {
            c0: self.c0.sub(other.c0),
            c1: self.c1.sub(other.c1),
        }
    }

    // The sums in `mul` leave no room for loose coordinates.
    #[inline(always)]
    fn sub_loose(self, other: Self) -> Self {
        self.sub(other)
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let [c0, c1] = L::mul_quadratic([self.c0, self.c1], [other.c0, other.c1]);
        Self { c0, c1 }
    }

    #[inline(always)]
    fn square(self) -> Self {
        let cross = self.c0.mul(self.c1);
        Self {
            c0: self.c0.add(self.c1).mul(self.c0.sub_loose(self.c1)),
            c1: cross.add(cross),
        }
    }

    #[inline(always)]
    fn neg(self) -> Self {
        Self {
            c0: self.c0.neg(),
            c1: self.c1.neg(),
        }
    }

    #[inline(always)]
    fn select(mask: Mask, if_set: Self, if_clear: Self) -> Self {
        Self {
            c0: L::select(mask, if_set.c0, if_clear.c0),
            c1: L::select(mask, if_set.c1, if_clear.c1),
        }
    }

    #[inline(always)]
    fn maybe_zero(self) -> Mask {
        self.c0.maybe_zero() & self.c1.maybe_zero()
    }
}
