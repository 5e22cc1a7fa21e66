//! Groth16 (eprint 2016/260) over BN254, with keys and witnesses as snarkjs makes them.

pub mod error;
pub mod json;
pub mod key;
pub mod parts;
mod points;
pub mod proof;
mod prove;
mod quotient;
pub mod random;
mod sparse;
mod trust;
pub mod verify;
pub mod witness;

pub use error::{KeyPoint, ProverError};
pub use key::ProvingKey;
pub use proof::{Blinding, Proof};
pub use sparse::Entry;
pub use trust::KeyTrust;
pub use verify::VerifyingKey;
pub use witness::Witness;

/// An element of the scalar field.
pub use ark_bn254::Fr as Scalar;
