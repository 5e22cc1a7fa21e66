//! Eight field elements worked on side by side.
//!
//! [`Lanes`] is the arithmetic that the rest of the crate is written against. Each instruction set
//! has its own: [`plain::Plain`] (an array of arkworks elements, any machine), `limbs::LimbLanes` (the
//! same array, multiplied in assembly) and `ifma::Ifma` (52-bit limbs in vector registers).
//! [`crate::room`] says which one runs.

mod arithmetic;
pub mod plain;
pub mod quadratic;

#[cfg(target_arch = "x86_64")]
pub mod ifma;
#[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
pub mod limbs;
#[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
mod multiply;
#[cfg(target_arch = "x86_64")]
mod simd;

pub use arithmetic::{Lanes, Mask, ScalarLanes, WIDTH};

#[cfg(test)]
mod tests;
