//! Whether two pairs of points have the same ratio.

use ark_bn254::{Bn254, G1Affine, G2Affine};
use ark_ec::pairing::Pairing;
use ark_ff::Zero;

/// Whether `first[1]` is to `first[0]` what `second[1]` is to `second[0]`.
pub fn have_same_ratio(first: [G1Affine; 2], second: [G2Affine; 2]) -> bool {
    Bn254::multi_pairing([first[0], -first[1]], [second[1], second[0]]).is_zero()
}
