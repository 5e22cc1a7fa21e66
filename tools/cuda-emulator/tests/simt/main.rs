//! The device as its callers see it: small kernels in PTX, what they compute and what is refused.

#![allow(clippy::unwrap_used, clippy::panic)] // also in what is no test itself

mod common;

mod arithmetic;
mod bits;
mod calls;
mod cooperative;
mod divergence;
mod launches;
mod malformed;
mod meetings;
mod memory;
mod races;
mod shared;
mod streams;
