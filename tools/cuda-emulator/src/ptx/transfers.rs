//! Decodes loads, stores, atomic additions and shuffles.

use super::instruction::{Long, Operation, ShuffleMode, Target, Value, Word};
use super::module::Operand;
use super::operands::{Reason, Type, Written};

/// What a thread can load or store at once.
const MAX_VECTOR_BITS: usize = 128;

impl Written<'_> {
    pub(super) fn loaded(&self) -> Result<Operation, Reason> {
        let kind = self.number_type()?;
        let parts = self.parts_of_vector(0, kind)?;
        let to: Result<Box<[Target]>, Reason> = parts
            .iter()
            .map(|part| self.target(part, kind.bits))
            .collect();
        let to = to?;
        let Type { bits, signed } = kind;
        if let Some(from) = self.call_parameter(1) {
            let convert = |to, from, width| Operation::ConvertWord {
                to,
                from,
                bits,
                signed,
                width,
            };
            return match (&*to, from) {
                ([Target::Word(to)], Value::Word(from)) => Ok(convert(*to, from, 32)),
                ([Target::Half(to)], Value::Word(from)) => Ok(convert(*to, from, 16)),
                ([Target::Long(to)], Value::Long(from)) if bits == 64 => {
                    Ok(Operation::MoveLong { to: *to, from })
                }
                _ => Err("a parameter of another size".to_owned()),
            };
        }
        let address = self.address(1)?;
        Ok(Operation::Load {
            to,
            bits,
            signed,
            address,
        })
    }

    pub(super) fn stored(&self) -> Result<Operation, Reason> {
        let kind = self.number_type()?;
        let parts = self.parts_of_vector(1, kind)?;
        let from: Result<Box<[Value]>, Reason> =
            parts.iter().map(|part| self.value(part, kind)).collect();
        let from = from?;
        let bits = kind.bits;
        if let Some(to) = self.call_parameter(0) {
            return match (to, &*from) {
                (Value::Word(Word::Row(to)), [Value::Word(from)]) => Ok(Operation::ConvertWord {
                    to,
                    from: *from,
                    bits,
                    signed: false,
                    width: bits,
                }),
                (Value::Long(Long::Row(to)), [Value::Long(from)]) => {
                    Ok(Operation::MoveLong { to, from: *from })
                }
                _ => Err("a parameter of another size".to_owned()),
            };
        }
        let address = self.address(0)?;
        Ok(Operation::Store {
            from,
            bits,
            address,
        })
    }

    /// What is loaded or stored, as many parts as the opcode says.
    fn parts_of_vector(&self, index: usize, kind: Type) -> Result<&[Operand], Reason> {
        let parts = match self.operand(index)? {
            Operand::Vector(parts) => parts.as_slice(),
            single => std::slice::from_ref(single),
        };
        let named = match (self.has("v2"), self.has("v4"), self.has("v8")) {
            (true, false, false) => 2,
            (false, true, false) => 4,
            (false, false, true) => 8,
            _ => 1,
        };
        if parts.len() != named || parts.len() * kind.bits as usize > MAX_VECTOR_BITS {
            let count = parts.len();
            return Err(format!("{}: a vector of {count}", self.opcode));
        }
        Ok(parts)
    }

    pub(super) fn added_atomically(&self, returns: bool) -> Result<Operation, Reason> {
        if !self.has("add") {
            return Err(format!("unknown instruction {}", self.opcode));
        }
        self.require_32_bits()?;
        let first = usize::from(returns);
        Ok(Operation::AtomicAdd {
            to: if returns {
                Some(self.word_row(0)?)
            } else {
                None
            },
            address: self.address(first)?,
            by: self.word(first + 1)?,
        })
    }

    pub(super) fn shuffled(&self) -> Result<Operation, Reason> {
        let mode = match self.parts.get(2).copied() {
            Some("up") => ShuffleMode::Up,
            Some("down") => ShuffleMode::Down,
            Some("bfly") => ShuffleMode::Butterfly,
            Some("idx") => ShuffleMode::Index,
            _ => return Err(format!("unknown instruction {}", self.opcode)),
        };
        let (to, valid) = match self.operand(0)? {
            Operand::Pair(to, valid) => {
                let named = |name: &String| Operand::Name(name.clone());
                (
                    self.row_of_word(&named(to))?,
                    Some(self.row_of_bit(&named(valid))?),
                )
            }
            single => (self.row_of_word(single)?, None),
        };
        Ok(Operation::Shuffle {
            mode,
            to,
            valid,
            from: self.word(1)?,
            by: self.word(2)?,
            clamp: self.word(3)?,
            members: self.word(4)?,
        })
    }
}
