//! Requests.

use std::path::PathBuf;

use haca_prover_formats::json::ProofJson;
use serde::{Deserialize, Serialize};

use super::error::RequestError;

/// What the client calls a request; its response carries the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Id {
    Text(String),
    Number(u64),
    /// of responses to what could not be read
    None,
}

/// One request.
#[derive(Debug)]
pub(super) struct Request {
    pub id: Id,
    pub operation: Operation,
}

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "camelCase")]
pub(super) enum Operation {
    Hello,
    Load(Load),
    Prove(Prove),
    Verify(Box<Verify>),
    Unload(Unload),
    Stats,
    Shutdown,
}

#[derive(Debug, Deserialize)]
pub(super) struct Load {
    pub zkey: PathBuf,
    /// what the file's SHA-256 must be
    pub sha256: Option<String>,
    #[serde(default)]
    pub client: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Prove {
    #[serde(flatten)]
    pub key: KeyChoice,
    pub witness: PathBuf,
    #[serde(default)]
    pub client: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Verify {
    #[serde(flatten)]
    pub key: KeyChoice,
    pub proof: ProofJson,
    pub public_signals: Vec<String>,
    #[serde(default)]
    pub client: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Unload {
    pub key: String,
}

/// A loaded key by its hash, or a file to load it from.
#[derive(Debug, Deserialize)]
pub(super) struct KeyChoice {
    pub key: Option<String>,
    pub zkey: Option<PathBuf>,
    /// what the file's SHA-256 must be
    pub sha256: Option<String>,
}

impl Request {
    /// Reads a line. An error comes with the request's id where that could be read.
    pub fn parse(line: &[u8]) -> Result<Self, (Id, RequestError)> {
        let invalid = |id: Id, reason: String| (id, RequestError::invalid_request(reason));
        let mut value: serde_json::Value =
            serde_json::from_slice(line).map_err(|error| invalid(Id::None, error.to_string()))?;
        let object = value
            .as_object_mut()
            .ok_or_else(|| invalid(Id::None, "not a JSON object".to_owned()))?;
        let id = match object.remove("id").map(serde_json::from_value) {
            Some(Ok(id @ (Id::Text(_) | Id::Number(_)))) => id,
            _ => {
                let reason = "id: a string or an integer is needed".to_owned();
                return Err(invalid(Id::None, reason));
            }
        };
        match serde_json::from_value(value) {
            Ok(operation) => Ok(Self { id, operation }),
            Err(error) => Err(invalid(id, error.to_string())),
        }
    }
}

impl Operation {
    /// Whether it is responded to at once, past all that waits.
    pub fn is_quick(&self) -> bool {
        matches!(self, Self::Hello | Self::Stats | Self::Unload(_))
    }

    /// Whose turn it takes.
    pub fn client(&self) -> &str {
        match self {
            Self::Load(Load { client, .. }) | Self::Prove(Prove { client, .. }) => client,
            Self::Verify(verify) => &verify.client,
            _ => "",
        }
    }
}
