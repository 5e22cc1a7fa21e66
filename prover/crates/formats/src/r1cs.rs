//! `.r1cs`: the constraints of a circuit, as circom writes them.
//!
//! Section 1: bytes per value (u32), modulus, numbers of wires, outputs, public inputs, private
//! inputs (u32 each), labels (u64) and constraints (u32). Section 2: for each constraint three sums
//! A, B and C with A B = C; a sum is the number of its terms and for each a wire (u32) and a plain
//! little-endian value. Section 3: a label (u64) for each wire.

use crate::FormatError;
use crate::binary::{Cursor, Sections, to_words};
use crate::bn254::{SCALAR_MODULUS, is_below};

const VALUE_BYTES: u32 = 32;
const LABEL_BYTES: u64 = 8;
/// Every part of section 2 is a multiple of so many bytes.
const UNIT: usize = 4;
/// PLONK's custom gates: a Groth16 key would leave them out.
const CUSTOM_GATES: [u32; 2] = [4, 5];
/// snarkjs counts no further.
const MAX_ROWS: u64 = 1 << 28;

/// Checked constraints inside a file's bytes.
#[derive(Debug)]
pub struct CircuitFile<'a> {
    /// Number of wires, the constant 1 included.
    pub wire_count: u32,
    /// Number of public wires, the constant 1 not included.
    pub public_count: u32,
    /// Number of constraints.
    pub constraint_count: u32,
    constraints: &'a [u8],
}

/// Which of a constraint's sums a term belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// left factor
    A,
    /// right factor
    B,
    /// product
    C,
}

/// One term of a constraint.
#[derive(Debug, Clone, Copy)]
pub struct Term {
    /// its sum
    pub side: Side,
    /// its constraint
    pub constraint: u32,
    /// its wire, below the number of wires
    pub wire: u32,
    /// where [`CircuitFile::value`] finds its value
    pub place: u32,
}

impl<'a> CircuitFile<'a> {
    /// Reads and checks every constraint.
    ///
    /// # Errors
    /// A [`FormatError`] that says what is wrong.
    pub fn read(bytes: &'a [u8]) -> Result<Self, FormatError> {
        let sections = Sections::read(bytes, "r1cs", 1)?;
        let mut header = Cursor::new(sections.unique(1, "header")?);
        if header.u32("bytes per value")? != VALUE_BYTES {
            return Err(FormatError::WrongCurve {
                what: "bytes per value",
            });
        }
        if header.integer("modulus")? != SCALAR_MODULUS {
            return Err(FormatError::WrongCurve {
                what: "modulus of the constraints",
            });
        }
        let wire_count = header.u32("number of wires")?;
        let outputs = header.u32("number of outputs")?;
        let public_inputs = header.u32("number of public inputs")?;
        header.u32("number of private inputs")?;
        header.u64("number of labels")?;
        let constraint_count = header.u32("number of constraints")?;
        header.finish()?;
        if CUSTOM_GATES
            .iter()
            .any(|section| sections.unique(*section, "custom gates").is_ok_and(is_used))
        {
            return Err(FormatError::OutOfRange {
                what: "custom gates",
                reason: "the circuit has some, and Groth16 none".to_owned(),
            });
        }
        let public = u64::from(outputs) + u64::from(public_inputs);
        if public >= u64::from(wire_count) {
            return Err(FormatError::OutOfRange {
                what: "number of public wires",
                reason: format!("{public} of {wire_count} wires, one of them constant"),
            });
        }
        if u64::from(constraint_count) + public >= MAX_ROWS {
            return Err(FormatError::OutOfRange {
                what: "number of constraints",
                reason: format!("{constraint_count}, and {public} public wires"),
            });
        }
        // A number of wires that the file pays for: whoever reads on makes room for all of them.
        let labels = sections.unique(3, "labels of the wires")?.len() as u64;
        let expected = u64::from(wire_count) * LABEL_BYTES;
        if labels != expected {
            return Err(FormatError::WrongSize {
                what: "labels of the wires",
                found: labels,
                expected,
            });
        }
        let circuit = Self {
            wire_count,
            public_count: public as u32,
            constraint_count,
            constraints: sections.unique(2, "constraints")?,
        };
        circuit.check()?;
        Ok(circuit)
    }

    /// Logarithm of the size of the domain that snarkjs uses: the smallest above the number of
    /// constraints and public wires.
    pub fn log_domain(&self) -> u32 {
        (self.constraint_count + self.public_count)
            .checked_ilog2()
            .unwrap_or(0)
            + 1
    }

    /// All terms in the file's order: constraint by constraint, and of each A, B, C.
    pub fn terms(&self) -> Terms<'a> {
        Terms {
            bytes: self.constraints,
            at: 0,
            constraint: 0,
            side: Side::C,
            left: 0,
            sums: u64::from(self.constraint_count) * 3,
            is_first: true,
        }
    }

    /// The value of the term that has this place, below the modulus.
    pub fn value(&self, place: u32) -> [u64; 4] {
        to_words(&self.constraints[place as usize * UNIT..])
    }

    fn check(&self) -> Result<(), FormatError> {
        if self.constraints.len() / UNIT > u32::MAX as usize {
            return Err(FormatError::OutOfRange {
                what: "constraints",
                reason: format!("{} bytes, at most 2^34", self.constraints.len()),
            });
        }
        let mut cursor = Cursor::new(self.constraints);
        for constraint in 0..self.constraint_count {
            for _ in 0..3 {
                let count = cursor.u32("a constraint")?;
                let bytes = u64::from(count) * u64::from(4 + VALUE_BYTES);
                for term in cursor
                    .take("a constraint's terms", bytes)?
                    .chunks_exact(4 + VALUE_BYTES as usize)
                {
                    let wire = word(term, 0);
                    let reason = if wire >= self.wire_count {
                        format!(
                            "wire {wire} of constraint {constraint} is not below {}",
                            self.wire_count
                        )
                    } else if !is_below(&to_words(&term[4..]), &SCALAR_MODULUS) {
                        format!("a value of constraint {constraint} is not below the modulus")
                    } else {
                        continue;
                    };
                    return Err(FormatError::OutOfRange {
                        what: "constraints",
                        reason,
                    });
                }
            }
        }
        cursor.finish()
    }
}

/// Whether a section lists anything.
fn is_used(section: &[u8]) -> bool {
    section.iter().any(|byte| *byte != 0)
}

/// See [`CircuitFile::terms`].
#[derive(Debug, Clone)]
pub struct Terms<'a> {
    bytes: &'a [u8],
    at: usize,
    constraint: u32,
    side: Side,
    /// terms of the current sum that are still to come
    left: u32,
    /// sums that are still to come
    sums: u64,
    is_first: bool,
}

impl Iterator for Terms<'_> {
    type Item = Term;

    fn next(&mut self) -> Option<Term> {
        while self.left == 0 {
            self.sums = self.sums.checked_sub(1)?;
            self.side = match self.side {
                Side::A => Side::B,
                Side::B => Side::C,
                Side::C => {
                    self.constraint += u32::from(!self.is_first);
                    self.is_first = false;
                    Side::A
                }
            };
            self.left = word(self.bytes, self.at);
            self.at += 4;
        }
        self.left -= 1;
        let wire = word(self.bytes, self.at);
        let place = ((self.at + 4) / UNIT) as u32;
        self.at += 4 + VALUE_BYTES as usize;
        Some(Term {
            side: self.side,
            constraint: self.constraint,
            wire,
            place,
        })
    }
}

fn word(bytes: &[u8], offset: usize) -> u32 {
    bytes[offset..offset + 4]
        .iter()
        .rev()
        .fold(0, |value, byte| value << 8 | u32::from(*byte))
}
