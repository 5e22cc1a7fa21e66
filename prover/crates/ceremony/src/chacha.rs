//! The numbers and points that snarkjs draws from a seed: ChaCha20 (D. J. Bernstein, 2008) with a
//! block counter from zero.

use ark_bn254::{Fq, Fq2, Fr, G1Affine, G2Affine, G2Projective, g1, g2};
use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_ec::{CurveConfig, CurveGroup};
use ark_ff::{
    AdditiveGroup, BigInt, BitIteratorBE, Field, Fp, MontBackend, MontConfig, PrimeField,
};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// Bits of both moduli: draws are cut to so many.
const MODULUS_BITS: u32 = 254;

/// A stream of random words.
pub struct ChaCha(ChaCha20Rng);

impl ChaCha {
    /// Starts with the first 32 bytes of a seed, words big-endian.
    pub fn new(seed: &[u8; 32]) -> Self {
        let mut words = *seed;
        words
            .as_chunks_mut::<4>()
            .0
            .iter_mut()
            .for_each(|word| word.reverse());
        Self(ChaCha20Rng::from_seed(words))
    }

    fn word(&mut self) -> u32 {
        self.0.next_u32()
    }

    fn double_word(&mut self) -> u64 {
        let high = u64::from(self.word());
        high << 32 | u64::from(self.word())
    }

    /// An element of a prime field. What is drawn is its Montgomery form.
    fn element<C: MontConfig<4>>(&mut self) -> Fp<MontBackend<C, 4>, 4> {
        loop {
            let mut words = core::array::from_fn(|_| self.double_word());
            words[3] &= (1 << (MODULUS_BITS - 192)) - 1;
            let integer = BigInt(words);
            if integer < C::MODULUS {
                return Fp::new_unchecked(integer);
            }
        }
    }

    /// A scalar.
    pub fn scalar(&mut self) -> Fr {
        self.element()
    }

    /// A point of the first group.
    pub fn g1(&mut self) -> G1Affine {
        self.point::<g1::Config>(Self::element::<ark_bn254::FqConfig>, is_upper)
    }

    /// A point of the second group: one of the curve, times the cofactor.
    pub fn g2(&mut self) -> G2Affine {
        let draw = |stream: &mut Self| {
            let c0 = stream.element();
            Fq2::new(c0, stream.element())
        };
        let point = self.point::<g2::Config>(draw, |y| {
            is_upper(if y.c1 == Fq::ZERO { &y.c0 } else { &y.c1 })
        });
        // Bit by bit: outside the subgroup nothing may reduce the factor modulo the group's order.
        let mut sum = G2Projective::ZERO;
        for bit in BitIteratorBE::without_leading_zeros(g2::Config::COFACTOR) {
            sum.double_in_place();
            if bit {
                sum += point;
            }
        }
        sum.into_affine()
    }

    fn point<P: SWCurveConfig>(
        &mut self,
        draw: impl Fn(&mut Self) -> P::BaseField,
        is_upper: impl Fn(&P::BaseField) -> bool,
    ) -> Affine<P> {
        loop {
            let x = draw(self);
            let wants_upper = self.word() & 1 == 1;
            if let Some(y) = (x.square() * x + P::COEFF_B).sqrt() {
                let y = if is_upper(&y) == wants_upper { y } else { -y };
                return Affine::new_unchecked(x, y);
            }
        }
    }
}

/// Whether an element is above half the modulus.
fn is_upper(element: &Fq) -> bool {
    element.into_bigint() > Fq::MODULUS_MINUS_ONE_DIV_TWO
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first block of RFC 8439, section 2.3.2, but with a counter and nonce of zero: the vector of
    /// its appendix A.1, number 1.
    #[test]
    fn the_standard_s_vector() {
        let mut stream = ChaCha::new(&[0; 32]);
        let bytes: Vec<u8> = (0..4).flat_map(|_| stream.word().to_le_bytes()).collect();
        assert_eq!(
            bytes,
            [
                0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90, 0x40, 0x5d, 0x6a, 0xe5, 0x53, 0x86,
                0xbd, 0x28
            ]
        );
        // Number 2: the second block.
        let mut stream = ChaCha::new(&[0; 32]);
        (0..16).for_each(|_| {
            stream.word();
        });
        assert_eq!(stream.word().to_le_bytes(), [0x9f, 0x07, 0xe7, 0xbe]);
    }

    #[test]
    fn points_lie_in_their_groups() {
        let mut stream = ChaCha::new(&[7; 32]);
        for _ in 0..4 {
            assert!(stream.g1().is_on_curve());
            let point = stream.g2();
            assert!(point.is_on_curve() && point.is_in_correct_subgroup_assuming_on_curve());
        }
    }
}
