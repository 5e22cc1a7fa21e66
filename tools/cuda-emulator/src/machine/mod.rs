//! Runs kernels: warps of 32 threads, blocks with their memory and barriers, launches.

mod access;
mod arithmetic;
mod block;
pub mod fault;
pub mod launch;
mod meeting;
pub mod memory;
mod order;
pub mod random;
pub mod shared;
mod warp;
