//! Keys for circuits: powers of tau, the first key of a circuit, contributions, verification.
//!
//! Files are snarkjs' (`.ptau`, `.r1cs`, `.zkey`), and keys are those that it makes. Everything heavy
//! is affine additions in batches that share an inversion.

mod addition;
mod chacha;
mod columns;
mod combine;
mod contribute;
mod digits;
pub mod error;
mod fixed_base;
mod initial;
mod multiply;
mod output;
mod pairs;
mod parties;
mod points;
pub mod powers;
mod progress;
mod setup;
mod sums;
mod transform;
mod unreduced;
pub mod verify;

pub use contribute::{beacon, contribute};
pub use error::CeremonyError;
pub use initial::InitialKey;
pub use setup::setup;
pub use verify::verify;
