//! `.wtns`: the value of every signal.
//!
//! Section 1: bytes per value (u32), modulus, number of values (u32). Section 2: the values as
//! plain little-endian integers; the first one is the constant 1.

use crate::FormatError;
use crate::binary::{Cursor, Sections, to_words};
use crate::bn254::{SCALAR_MODULUS, is_below};

const VALUE_BYTES: u32 = 32;

/// A checked witness inside a file's bytes.
#[derive(Debug)]
pub struct WitnessFile<'a> {
    values: &'a [u8],
}

impl<'a> WitnessFile<'a> {
    /// Reads and checks a witness: every value is below the modulus and the first is 1.
    ///
    /// # Errors
    /// A [`FormatError`] that says what is wrong.
    pub fn read(bytes: &'a [u8]) -> Result<Self, FormatError> {
        let sections = Sections::read(bytes, "wtns", 2)?;
        let mut header = Cursor::new(sections.unique(1, "header")?);
        let value_bytes = header.u32("bytes per value")?;
        if value_bytes != VALUE_BYTES {
            return Err(FormatError::WrongCurve {
                what: "bytes per value",
            });
        }
        if header.integer("modulus")? != SCALAR_MODULUS {
            return Err(FormatError::WrongCurve {
                what: "modulus of the witness",
            });
        }
        let count = header.u32("number of values")?;
        header.finish()?;

        let values = sections.unique(2, "values")?;
        let expected = u64::from(count) * u64::from(VALUE_BYTES);
        if values.len() as u64 != expected {
            let found = values.len() as u64;
            return Err(FormatError::WrongSize {
                what: "witness values",
                found,
                expected,
            });
        }
        let witness = Self { values };
        if let Some(index) = witness
            .values()
            .position(|value| !is_below(&value, &SCALAR_MODULUS))
        {
            let reason = format!("value {index} is not below the modulus");
            return Err(FormatError::OutOfRange {
                what: "witness",
                reason,
            });
        }
        if witness.values().next() != Some([1, 0, 0, 0]) {
            let reason = "the first value must be the constant 1".to_owned();
            return Err(FormatError::OutOfRange {
                what: "witness",
                reason,
            });
        }
        Ok(witness)
    }

    /// Number of values, the constant 1 included.
    pub fn len(&self) -> usize {
        self.values.len() / VALUE_BYTES as usize
    }

    /// Never true: a witness has at least the constant 1.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The values, least significant word first.
    pub fn values(&self) -> impl ExactSizeIterator<Item = [u64; 4]> + 'a {
        self.values.chunks_exact(VALUE_BYTES as usize).map(to_words)
    }
}
