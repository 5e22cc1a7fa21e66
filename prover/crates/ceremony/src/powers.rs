//! Powers of tau.

pub mod make;
