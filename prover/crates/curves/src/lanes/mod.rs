//! Eight field elements worked on side by side.
//!
//! [`Lanes`] is the arithmetic that the rest of the crate is written against. There are two
//! implementations: [`portable::Portable`] (an array of arkworks elements, any machine) and, where
//! the program is compiled for a CPU with AVX-512 IFMA, `ifma::Ifma` (52-bit limbs in vector
//! registers, about three times faster). [`FqLanes`] and [`FrLanes`] name the one in use.

mod arithmetic;
pub mod portable;
pub mod quadratic;

#[cfg(all(
    target_arch = "x86_64",
    target_feature = "avx512f",
    target_feature = "avx512dq",
    target_feature = "avx512ifma"
))]
pub mod ifma;
#[cfg(all(
    target_arch = "x86_64",
    target_feature = "avx512f",
    target_feature = "avx512dq",
    target_feature = "avx512ifma"
))]
mod simd;

pub use arithmetic::{Lanes, Mask, ScalarLanes, WIDTH};

/// Lanes of the base field.
#[cfg(not(all(
    target_arch = "x86_64",
    target_feature = "avx512f",
    target_feature = "avx512dq",
    target_feature = "avx512ifma"
)))]
pub type FqLanes = portable::Portable<ark_bn254::Fq>;
/// Lanes of the scalar field.
#[cfg(not(all(
    target_arch = "x86_64",
    target_feature = "avx512f",
    target_feature = "avx512dq",
    target_feature = "avx512ifma"
)))]
pub type FrLanes = portable::Portable<ark_bn254::Fr>;
/// How field arithmetic is done in this build.
#[cfg(not(all(
    target_arch = "x86_64",
    target_feature = "avx512f",
    target_feature = "avx512dq",
    target_feature = "avx512ifma"
)))]
pub const ARITHMETIC: &str = "portable";

/// Lanes of the base field.
#[cfg(all(
    target_arch = "x86_64",
    target_feature = "avx512f",
    target_feature = "avx512dq",
    target_feature = "avx512ifma"
))]
pub type FqLanes = ifma::Ifma<ark_bn254::FqConfig>;
/// Lanes of the scalar field.
#[cfg(all(
    target_arch = "x86_64",
    target_feature = "avx512f",
    target_feature = "avx512dq",
    target_feature = "avx512ifma"
))]
pub type FrLanes = ifma::Ifma<ark_bn254::FrConfig>;
/// How field arithmetic is done in this build.
#[cfg(all(
    target_arch = "x86_64",
    target_feature = "avx512f",
    target_feature = "avx512dq",
    target_feature = "avx512ifma"
))]
pub const ARITHMETIC: &str = "avx512-ifma";

/// Lanes of the quadratic extension.
pub type Fq2Lanes = quadratic::Quadratic<FqLanes>;

#[cfg(test)]
mod tests;
