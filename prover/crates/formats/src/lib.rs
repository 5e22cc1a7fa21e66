//! Readers of circom's and snarkjs' files: `.zkey`, `.wtns`, `.r1cs`, `.ptau`, `proof.json`, `public.json`,
//! `verification_key.json`.
//!
//! Nothing here does field or curve arithmetic: readers check the frame of a file (sections, sizes,
//! curve, ranges) and hand out integers. No input makes them panic, and none makes them allocate
//! more than a small multiple of the file's own size.

pub mod binary;
pub mod bn254;
pub mod decimal;
pub mod error;
pub mod json;
pub mod mapped;
pub mod ptau;
pub mod r1cs;
pub mod transcript;
pub mod wtns;
pub mod zkey;

pub use error::FormatError;
