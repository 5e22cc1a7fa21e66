//! Decodes loads, stores, atomic additions and shuffles.

use super::instruction::{Long, Operation, ShuffleMode, Target, Value, Word};
use super::module::Operand;
use super::operands::{Reason, Written};

impl Written<'_> {
    pub(super) fn loaded(&self) -> Result<Operation, Reason> {
        let kind = self.number_type()?;
        let targets: Result<Box<[Target]>, Reason> = match self.operand(0)? {
            Operand::Vector(parts) => parts.iter().map(|part| self.target(part)).collect(),
            single => self.target(single).map(|target| Box::from([target])),
        };
        let to = targets?;
        if let (Some(from), [single]) = (self.call_parameter(1), &*to) {
            return match (*single, from) {
                (Target::Word(to), Value::Word(from)) => Ok(Operation::MoveWord { to, from }),
                (Target::Long(to), Value::Long(from)) => Ok(Operation::MoveLong { to, from }),
                _ => Err("a parameter of another size".to_owned()),
            };
        }
        Ok(Operation::Load {
            to,
            bits: kind.bits,
            signed: kind.signed,
            address: self.address(1)?,
        })
    }

    pub(super) fn stored(&self) -> Result<Operation, Reason> {
        let kind = self.number_type()?;
        let values: Result<Box<[Value]>, Reason> = match self.operand(1)? {
            Operand::Vector(parts) => parts.iter().map(|part| self.value(part, kind)).collect(),
            single => self.value(single, kind).map(|value| Box::from([value])),
        };
        let from = values?;
        if let (Some(to), [single]) = (self.call_parameter(0), &*from) {
            return match (to, *single) {
                (Value::Word(Word::Row(to)), Value::Word(from)) => {
                    Ok(Operation::MoveWord { to, from })
                }
                (Value::Long(Long::Row(to)), Value::Long(from)) => {
                    Ok(Operation::MoveLong { to, from })
                }
                _ => Err("a parameter of another size".to_owned()),
            };
        }
        Ok(Operation::Store {
            from,
            bits: kind.bits,
            address: self.address(0)?,
        })
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
