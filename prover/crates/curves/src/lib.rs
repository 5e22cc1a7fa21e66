//! Arithmetic under the prover: BN254 multi-scalar multiplication and number-theoretic transform.
//!
//! Everything heavy works on eight lanes at a time ([`lanes`]), with the instructions that this
//! machine has ([`isa`], [`room`]). Points are kept packed
//! ([`point::PackedPoint`]), sums of many points are made by batched affine additions
//! ([`msm`]), transforms never permute their data ([`ntt`]).

pub mod isa;
pub mod lanes;
pub mod msm;
pub mod ntt;
pub mod point;
pub mod room;
