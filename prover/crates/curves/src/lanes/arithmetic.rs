//! What the rest of the crate is written against.

use ark_ff::Field;

/// Number of elements worked on side by side.
pub const WIDTH: usize = 8;

/// Bit `i` speaks of lane `i`.
pub type Mask = u8;

/// Eight elements of one field.
///
/// A value is *tight* unless its documentation says *loose*. Loose values may only be used as
/// factors and in [`Lanes::maybe_zero`]; everything else takes and gives tight values.
pub trait Lanes: Copy + Send + Sync + 'static {
    /// One lane.
    type Element: Field;
    /// One lane as kept in memory: fixed size, all zero words for zero.
    type Words: Copy + Default + PartialEq + Send + Sync + core::fmt::Debug + 'static;

    /// The same element in every lane.
    fn splat(element: Self::Element) -> Self;
    /// Puts eight elements side by side.
    fn from_elements(elements: [Self::Element; WIDTH]) -> Self;
    /// Takes the lanes apart.
    fn to_elements(self) -> [Self::Element; WIDTH];

    /// The words that keep an element in memory.
    fn pack(element: Self::Element) -> Self::Words;
    /// The element kept in `words`.
    fn unpack(words: &Self::Words) -> Self::Element;
    /// The words of the element's negative.
    fn negate_words(words: &Self::Words) -> Self::Words;
    /// The same kept element in every lane.
    fn splat_words(words: &Self::Words) -> Self;
    /// Puts eight kept elements side by side.
    fn load(words: [&Self::Words; WIDTH]) -> Self;
    /// Keeps all lanes.
    fn store(self) -> [Self::Words; WIDTH];

    /// Sum.
    fn add(self, other: Self) -> Self;
    /// Difference.
    fn sub(self, other: Self) -> Self;
    /// Difference, loose.
    fn sub_loose(self, other: Self) -> Self;
    /// Product; factors may be loose.
    fn mul(self, other: Self) -> Self;
    /// Square; the factor may be loose.
    fn square(self) -> Self;
    /// Product of `a0 + a1 u` and `b0 + b1 u`, where u^2 = -1; factors are tight.
    #[inline(always)]
    fn mul_quadratic([a0, a1]: [Self; 2], [b0, b1]: [Self; 2]) -> [Self; 2] {
        let low = a0.mul(b0);
        let high = a1.mul(b1);
        let both = a0.add(a1).mul(b0.add(b1));
        [low.sub(high), both.sub(low).sub(high)]
    }
    /// Negative.
    fn neg(self) -> Self;
    /// `if_set` in the lanes of `mask`, `if_clear` in the others.
    fn select(mask: Mask, if_set: Self, if_clear: Self) -> Self;
    /// A mask with every lane that is zero, and perhaps a few that are not; takes loose values.
    fn maybe_zero(self) -> Mask;
}

/// Transforms need more than sums and products of whole vectors: the lanes of one vector meet.
pub trait ScalarLanes: Lanes<Words = [u64; 4]> {
    /// Lane `i` of the result is lane `i ^ distance` of `self`.
    fn exchange(self, distance: usize) -> Self;
    /// The integers (below the modulus, least significant word first) that the lanes stand for.
    fn to_integers(self) -> [[u64; 4]; WIDTH];
}
