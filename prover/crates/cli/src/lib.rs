//! The prover program: one-shot commands and the long-lived `serve`.

pub mod args;
pub mod bench;
pub mod cache;
pub mod content;
pub mod cuda;
pub mod engine;
pub mod files;
pub mod keys;
pub mod memory;
pub mod once;
pub mod resident;
pub mod serve;
pub mod verdicts;
