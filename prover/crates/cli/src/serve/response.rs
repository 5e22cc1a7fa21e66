//! Responses.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::error::RequestError;
use super::request::Id;

/// Writes responses, each whole and at once.
pub(super) struct Responses {
    shutdown: Mutex<Option<Id>>,
}

impl Responses {
    pub fn new() -> Self {
        Self {
            shutdown: Mutex::new(None),
        }
    }

    pub fn done(&self, id: &Id, result: &Value) {
        self.write(&json!({ "id": id, "ok": true, "result": result }));
    }

    pub fn failed(&self, id: &Id, error: &RequestError) {
        self.write(&json!({ "id": id, "ok": false, "error": error }));
    }

    /// The request to respond to last.
    pub fn on_shutdown(&self, id: Option<Id>) {
        *self.shutdown.lock().unwrap_or_else(PoisonError::into_inner) = id;
    }

    /// All work is done.
    pub fn close(&self) {
        let id = self
            .shutdown
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(id) = id {
            self.done(&id, &json!({}));
        }
    }

    fn write(&self, response: &Value) {
        let mut output = io::stdout().lock();
        if writeln!(output, "{response}")
            .and_then(|()| output.flush())
            .is_err()
        {
            // Nobody is left to work for.
            std::process::exit(1);
        }
    }
}
