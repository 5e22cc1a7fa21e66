//! Powers of tau.

pub mod check;
pub mod make;
