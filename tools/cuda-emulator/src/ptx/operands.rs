//! An instruction as written: its operands, looked up.

use super::instruction::{Address, Base, Bit, Long, Space, Target, Value, Word};
use super::module::Operand;
use super::names::{Binding, Names};

/// Why an instruction cannot be run.
pub type Reason = String;

/// An instruction's opcode, its parts, and its operands.
pub struct Written<'a> {
    pub(super) opcode: &'a str,
    pub(super) parts: Vec<&'a str>,
    pub(super) operands: &'a [Operand],
    names: &'a Names,
}

/// A number's type as written: `u32`, `s64`, `b16`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Type {
    pub bits: u32,
    pub signed: bool,
}

impl<'a> Written<'a> {
    /// As it stands in the code.
    pub fn new(opcode: &'a str, operands: &'a [Operand], names: &'a Names) -> Self {
        let parts = opcode.split('.').collect();
        Self {
            opcode,
            parts,
            operands,
            names,
        }
    }

    /// The register that stands for a parameter which a call passes.
    pub(super) fn call_parameter(&self, index: usize) -> Option<Value> {
        let Operand::Address(base, 0) = self.operands.get(index)? else {
            return None;
        };
        let Operand::Name(name) = &**base else {
            return None;
        };
        match self.names.find(name)? {
            Binding::PassedWord(row) => Some(Value::Word(Word::Row(row))),
            Binding::PassedLong(row) => Some(Value::Long(Long::Row(row))),
            _ => None,
        }
    }

    pub(super) fn address(&self, index: usize) -> Result<Address, Reason> {
        let Operand::Address(base, offset) = self.operand(index)? else {
            return Err(format!("{}: no address", self.opcode));
        };
        let space = if self.has("shared") {
            Space::Shared
        } else if self.has("param") {
            Space::Parameter
        } else if self.has("local") || (self.has("const") && self.parts[0] != "ld") {
            return Err(format!("{}: no such memory here", self.opcode));
        } else {
            Space::Global
        };
        let base = match &**base {
            Operand::Name(name) => match self.names.find(name) {
                Some(Binding::Word(row)) => Base::Word(Word::Row(row)),
                Some(Binding::Long(row)) => Base::Long(Long::Row(row)),
                Some(Binding::Shared(at) | Binding::Parameter(at)) => Base::Word(Word::Number(at)),
                Some(Binding::Global(at)) => Base::Long(Long::Number(at)),
                other => return Err(format!("{name} is no address: {other:?}")),
            },
            Operand::Number(number) => Base::Long(Long::Number(number.cast_unsigned())),
            other => return Err(format!("{other:?} is no address")),
        };
        let offset = *offset;
        Ok(Address {
            space,
            base,
            offset,
        })
    }

    pub(super) fn target(&self, operand: &Operand, bits: u32) -> Result<Target, Reason> {
        match self.binding(operand)? {
            Binding::Half(row) if bits <= 16 => Ok(Target::Half(row)),
            Binding::Word(row) if bits <= 32 => Ok(Target::Word(row)),
            Binding::Long(row) => Ok(Target::Long(row)),
            other => Err(format!("{}: {other:?} has not {bits} bits", self.opcode)),
        }
    }

    pub(super) fn value(&self, operand: &Operand, kind: Type) -> Result<Value, Reason> {
        Ok(if kind.bits == 64 {
            Value::Long(self.long_from(operand)?)
        } else {
            Value::Word(self.word_from(operand, kind)?)
        })
    }

    pub(super) fn word_row(&self, index: usize) -> Result<u32, Reason> {
        self.row_of_word(self.operand(index)?)
    }

    pub(super) fn long_row(&self, index: usize) -> Result<u32, Reason> {
        match self.binding(self.operand(index)?)? {
            Binding::Long(row) => Ok(row),
            other => Err(format!("{}: {other:?} has not 64 bits", self.opcode)),
        }
    }

    pub(super) fn bit_row(&self, index: usize) -> Result<u32, Reason> {
        self.row_of_bit(self.operand(index)?)
    }

    /// Bits of the register that an instruction writes.
    pub(super) fn width_of_target(&self) -> Result<u32, Reason> {
        match self.binding(self.operand(0)?)? {
            Binding::Half(_) => Ok(16),
            Binding::Word(_) => Ok(32),
            Binding::Long(_) => Ok(64),
            other => Err(format!("{}: {other:?} is no register", self.opcode)),
        }
    }

    pub(super) fn row_of_word(&self, operand: &Operand) -> Result<u32, Reason> {
        match self.binding(operand)? {
            Binding::Half(row) | Binding::Word(row) => Ok(row),
            other => Err(format!("{}: {other:?} has not 32 bits", self.opcode)),
        }
    }

    pub(super) fn row_of_bit(&self, operand: &Operand) -> Result<u32, Reason> {
        match self.binding(operand)? {
            Binding::Bit(row) => Ok(row),
            other => Err(format!("{}: {other:?} is no predicate", self.opcode)),
        }
    }

    pub(super) fn word(&self, index: usize) -> Result<Word, Reason> {
        let kind = Type {
            bits: 32,
            signed: false,
        };
        self.word_of(index, kind)
    }

    pub(super) fn word_of(&self, index: usize, kind: Type) -> Result<Word, Reason> {
        self.word_from(self.operand(index)?, kind)
    }

    pub(super) fn word_from(&self, operand: &Operand, kind: Type) -> Result<Word, Reason> {
        if let Operand::Number(number) = operand {
            let [a, b, c, d, ..] = number.to_le_bytes();
            return Ok(Word::Number(
                u32::from_le_bytes([a, b, c, d]) & low_mask(kind.bits),
            ));
        }
        match self.binding(operand)? {
            Binding::Half(row) | Binding::Word(row) => Ok(Word::Row(row)),
            Binding::Shared(number) | Binding::Number(number) => Ok(Word::Number(number)),
            other => Err(format!("{}: {other:?} has not 32 bits", self.opcode)),
        }
    }

    pub(super) fn long(&self, index: usize) -> Result<Long, Reason> {
        self.long_from(self.operand(index)?)
    }

    pub(super) fn long_from(&self, operand: &Operand) -> Result<Long, Reason> {
        if let Operand::Number(number) = operand {
            return Ok(Long::Number(number.cast_unsigned()));
        }
        match self.binding(operand)? {
            Binding::Long(row) => Ok(Long::Row(row)),
            Binding::Global(address) => Ok(Long::Number(address)),
            other => Err(format!("{}: {other:?} has not 64 bits", self.opcode)),
        }
    }

    pub(super) fn bit(&self, index: usize) -> Result<Bit, Reason> {
        if let Operand::Number(number) = self.operand(index)? {
            return Ok(Bit::Number(*number != 0));
        }
        self.row_of_bit(self.operand(index)?).map(Bit::Row)
    }

    pub(super) fn operand(&self, index: usize) -> Result<&'a Operand, Reason> {
        let missing = || format!("{}: operand {} is missing", self.opcode, index + 1);
        self.operands.get(index).ok_or_else(missing)
    }

    pub(super) fn binding(&self, operand: &Operand) -> Result<Binding, Reason> {
        let Operand::Name(name) = operand else {
            return Err(format!("{}: {operand:?} is no name", self.opcode));
        };
        let unknown = || format!("{}: unknown name {name}", self.opcode);
        self.names.find(name).ok_or_else(unknown)
    }

    pub(super) fn has(&self, part: &str) -> bool {
        self.parts[1..].contains(&part)
    }

    pub(super) fn number_type(&self) -> Result<Type, Reason> {
        let last = self.parts.last().copied().unwrap_or_default();
        type_of(last).map_err(|_| format!("unknown instruction {}", self.opcode))
    }

    pub(super) fn require_32_bits(&self) -> Result<(), Reason> {
        match self.number_type()?.bits {
            32 => Ok(()),
            _ => Err(format!("{}: only 32 bits", self.opcode)),
        }
    }
}

pub(super) fn type_of(name: &str) -> Result<Type, Reason> {
    let bits = match name.get(1..) {
        Some("8") => 8,
        Some("16") => 16,
        Some("32") => 32,
        Some("64") => 64,
        _ => return Err(format!("unknown type {name}")),
    };
    match name.as_bytes()[0] {
        b's' => Ok(Type { bits, signed: true }),
        b'u' | b'b' => Ok(Type {
            bits,
            signed: false,
        }),
        _ => Err(format!("unknown type {name}")),
    }
}

/// The lowest bits of a word.
pub fn low_mask(bits: u32) -> u32 {
    if bits >= 32 {
        u32::MAX
    } else {
        (1 << bits) - 1
    }
}
