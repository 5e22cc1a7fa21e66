//! Runs kernels: warps of 32 threads, blocks with their memory and barriers, launches.

mod access;
mod arithmetic;
mod block;
pub mod error;
mod lanes;
pub mod launch;
mod meeting;
pub mod memory;
mod order;
pub mod random;
mod run;
pub mod shared;
mod warp;
