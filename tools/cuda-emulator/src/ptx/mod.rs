//! PTX, NVIDIA's intermediate code (PTX ISA 9.0), as far as the prover's kernels use it.

mod decode;
pub mod instruction;
mod layout;
pub mod module;
mod names;
pub(crate) mod operands;
mod parser;
mod reader;
mod registers;
mod share;
#[cfg(test)]
mod share_tests;
mod token;
mod transfers;
pub mod translate;
