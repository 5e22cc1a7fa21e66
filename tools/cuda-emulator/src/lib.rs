//! A CUDA emulator: a CUDA device in software, for machines without one.
//!
//! It runs the PTX that nvcc makes of the prover's kernels, under the calls that the prover's
//! library makes of CUDA's run-time library (`runtime/`). It is stricter than a
//! device: memory that was not written, not yet allocated or freed is never read, accesses are
//! aligned and within bounds, threads of a block do not race, and streams do what they must in an
//! order of chance. It says nothing about speed.

pub mod device;
mod interface;
pub mod machine;
pub mod ptx;
