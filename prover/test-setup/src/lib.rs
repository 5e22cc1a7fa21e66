//! Circuits, keys and witnesses for tests and benchmarks, in seconds instead of a ceremony.
//!
//! The secrets of the setup are derived from a seed that anyone can read: with a key made here
//! anyone can prove anything. Never register one on a chain that matters.

pub mod circuit;
pub mod circuits;
mod fixed_base;
pub mod numbers;
mod r1cs;
pub mod setup;
mod write;

pub use circuit::Circuit;
pub use r1cs::write_r1cs;
pub use setup::{write_witness, write_zkey};
