//! Why requests fail.

use haca_prover_groth16::ProverError;
use serde::Serialize;

use crate::cache::CacheError;
use crate::files::FileError;

/// Why a request failed: a code for programs, a message for people.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub(super) struct RequestError {
    pub code: &'static str,
    pub message: String,
}

impl RequestError {
    fn new(code: &'static str, message: impl ToString) -> Self {
        Self {
            code,
            message: message.to_string(),
        }
    }

    pub fn invalid_request(reason: String) -> Self {
        Self::new("request.invalid", reason)
    }

    pub fn too_long(limit: usize) -> Self {
        Self::new(
            "request.tooLong",
            format!("a request may have {limit} bytes"),
        )
    }

    pub fn cut() -> Self {
        Self::new("request.cut", "the input ended in the middle of a request")
    }

    pub fn queue_full(limit: usize) -> Self {
        Self::new(
            "queue.full",
            format!("{limit} requests are waiting already"),
        )
    }

    pub fn stopping() -> Self {
        Self::new("server.stopping", "the prover is about to end")
    }

    pub fn unknown_key(text: &str) -> Self {
        let message = format!("{text}: no such key is loaded (it may have made room for others)");
        Self::new("key.unknown", message)
    }

    pub fn panicked() -> Self {
        Self::new(
            "internal",
            "a defect in the prover; its standard error says more",
        )
    }

    pub fn witness(error: FileError) -> Self {
        let code = match error {
            FileError::Unusable(_) => "witness.unreadable",
            FileError::Refused { .. } | FileError::HashMismatch { .. } => "witness.invalid",
        };
        Self::new(code, error)
    }

    pub fn proving(error: ProverError) -> Self {
        let code = match error {
            ProverError::Unsatisfied => "witness.unsatisfied",
            ProverError::WitnessLength { .. } => "witness.wrongCircuit",
            ProverError::PublicCount { .. } => "publicSignals.wrongCount",
            _ => "internal",
        };
        Self::new(code, error)
    }

    pub fn proof(error: ProverError) -> Self {
        let code = match error {
            ProverError::PublicCount { .. } => "publicSignals.wrongCount",
            _ => "proof.malformed",
        };
        Self::new(code, error)
    }

    pub fn public_signals(error: ProverError) -> Self {
        Self::new("publicSignals.malformed", error)
    }
}

impl From<CacheError> for RequestError {
    fn from(error: CacheError) -> Self {
        let code = match error {
            CacheError::Unreadable(_) => "zkey.unreadable",
            CacheError::Refused { .. } => "zkey.invalid",
            CacheError::HashMismatch { .. } => "zkey.hashMismatch",
            CacheError::TooLarge { .. } => "zkey.tooLarge",
        };
        Self::new(code, error)
    }
}
