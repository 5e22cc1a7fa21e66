//! snarkjs' JSON forms.

use serde::{Deserialize, Serialize};

use crate::FormatError;
use crate::bn254::is_below;
use crate::decimal;

/// A field element as a decimal string.
pub type Decimal = String;

/// `proof.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofJson {
    /// A in projective coordinates, the last being 1
    pub pi_a: [Decimal; 3],
    /// B in projective coordinates over the quadratic extension, real part first
    pub pi_b: [[Decimal; 2]; 3],
    /// C in projective coordinates, the last being 1
    pub pi_c: [Decimal; 3],
    /// always `groth16`
    pub protocol: String,
    /// always `bn128`
    pub curve: String,
}

/// `verification_key.json`; fields that verifying does not need are ignored.
#[derive(Debug, Clone, Deserialize)]
pub struct VerifyingKeyJson {
    /// always `groth16`
    pub protocol: String,
    /// always `bn128`
    pub curve: String,
    /// number of public signals
    #[serde(rename = "nPublic")]
    pub public_count: u32,
    /// alpha in the first group
    pub vk_alpha_1: [Decimal; 3],
    /// beta in the second group
    pub vk_beta_2: [[Decimal; 2]; 3],
    /// gamma in the second group
    pub vk_gamma_2: [[Decimal; 2]; 3],
    /// delta in the second group
    pub vk_delta_2: [[Decimal; 2]; 3],
    /// one point for the constant and each public signal
    #[serde(rename = "IC")]
    pub ic: Vec<[Decimal; 3]>,
}

/// Checks what `protocol` and `curve` say.
///
/// # Errors
/// [`FormatError::BadJson`] for anything but Groth16 over BN254.
pub fn check_kind(what: &str, protocol: &str, curve: &str) -> Result<(), FormatError> {
    if protocol != "groth16" || !matches!(curve, "bn128" | "bn254") {
        let reason = format!("{protocol} over {curve}; only groth16 over bn128 is supported");
        return Err(FormatError::BadJson {
            what: what.to_owned(),
            reason,
        });
    }
    Ok(())
}

/// The integer in a decimal string.
///
/// # Errors
/// [`FormatError::BadJson`] unless it is a decimal integer below `modulus`.
pub fn integer(what: &str, text: &str, modulus: &[u64; 4]) -> Result<[u64; 4], FormatError> {
    decimal::parse(text)
        .filter(|value| is_below(value, modulus))
        .ok_or_else(|| {
            let shown: String = text.chars().take(90).collect();
            FormatError::BadJson {
                what: what.to_owned(),
                reason: format!("{shown:?} is not a decimal integer below the modulus"),
            }
        })
}

/// Reads a JSON document of a known shape.
///
/// # Errors
/// [`FormatError::BadJson`] when it is not of that shape.
pub fn parse<'a, T: Deserialize<'a>>(what: &str, text: &'a [u8]) -> Result<T, FormatError> {
    serde_json::from_slice(text).map_err(|error| FormatError::BadJson {
        what: what.to_owned(),
        reason: error.to_string(),
    })
}

/// Indented by one space, as snarkjs writes its files.
pub fn print<T: Serialize>(value: &T) -> Result<String, FormatError> {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b" ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    let failed = |reason: String| FormatError::BadJson {
        what: "output".to_owned(),
        reason,
    };
    value
        .serialize(&mut serializer)
        .map_err(|error| failed(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| failed(error.to_string()))
}
