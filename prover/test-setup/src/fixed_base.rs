//! Many multiples of one point.

use ark_bn254::Fr;
use ark_ec::CurveGroup;
use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ff::{AdditiveGroup, PrimeField};
use rayon::prelude::*;

const WINDOW_BITS: usize = 12;
const SCALAR_BITS: usize = 254;
const CHUNK: usize = 1 << 10;

/// `scalars[i]` times the generator, by table.
pub(crate) struct Multiples<C: SWCurveConfig> {
    /// window w holds k 2^(12 w) times the generator for every k below 2^12
    windows: Vec<Vec<Affine<C>>>,
}

impl<C: SWCurveConfig<ScalarField = Fr>> Multiples<C> {
    pub fn of_generator() -> Self {
        let mut bases = vec![Projective::<C>::from(C::GENERATOR)];
        for window in 1..SCALAR_BITS.div_ceil(WINDOW_BITS) {
            let mut base = bases[window - 1];
            for _ in 0..WINDOW_BITS {
                base.double_in_place();
            }
            bases.push(base);
        }
        let windows = bases
            .par_iter()
            .map(|base| {
                let mut multiple = Projective::<C>::ZERO;
                let multiples: Vec<_> = (0..1 << WINDOW_BITS)
                    .map(|_| {
                        let current = multiple;
                        multiple += base;
                        current
                    })
                    .collect();
                Projective::normalize_batch(&multiples)
            })
            .collect();
        Self { windows }
    }

    pub fn all(&self, scalars: &[Fr]) -> Vec<Affine<C>> {
        let chunks: Vec<Vec<Affine<C>>> = scalars
            .par_chunks(CHUNK)
            .map(|chunk| {
                let products: Vec<_> = chunk.iter().map(|scalar| self.multiply(scalar)).collect();
                Projective::normalize_batch(&products)
            })
            .collect();
        chunks.concat()
    }

    fn multiply(&self, scalar: &Fr) -> Projective<C> {
        let words = scalar.into_bigint().0;
        let mut sum = Projective::ZERO;
        for (window, multiples) in self.windows.iter().enumerate() {
            let (word, shift) = (window * WINDOW_BITS / 64, window * WINDOW_BITS % 64);
            let mut digit = words[word] >> shift;
            if shift + WINDOW_BITS > 64 && word < 3 {
                digit |= words[word + 1] << (64 - shift);
            }
            let digit = digit as usize & ((1 << WINDOW_BITS) - 1);
            if digit != 0 {
                sum += multiples[digit];
            }
        }
        sum
    }
}
