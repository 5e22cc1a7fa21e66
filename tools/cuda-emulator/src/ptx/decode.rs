//! From opcodes and operands as written to instructions.

use super::instruction::{Binary, Bit, Carry, Comparison, Long, Operation, Special, Word};
use super::module::Operand;
use super::operands::{Reason, Type, Written, low_mask, type_of};

impl Written<'_> {
    /// What it does. Branches, calls and returns are not decoded here.
    pub fn decode(&self) -> Result<Operation, Reason> {
        let first = self.parts[0];
        if self.has("sat") {
            return Err(format!("unknown instruction {}", self.opcode));
        }
        match first {
            "mov" | "cvta" => self.moved(),
            "add" | "sub" if self.has("cc") => self.carried(first == "sub", false),
            "addc" | "subc" => self.carried(first == "subc", true),
            "add" => self.binary(Binary::Add),
            "sub" => self.binary(Binary::Subtract),
            "and" => self.binary(Binary::And),
            "or" => self.binary(Binary::Or),
            "xor" => self.binary(Binary::Xor),
            "not" => self.inverted(),
            "neg" => self.negated(),
            "shl" => self.shifted(Binary::ShiftLeft),
            "shr" if self.number_type()?.signed => self.shifted(Binary::ShiftRightSigned),
            "shr" => self.shifted(Binary::ShiftRight),
            "min" if self.number_type()?.signed => self.binary(Binary::MinimumSigned),
            "max" if self.number_type()?.signed => self.binary(Binary::MaximumSigned),
            "min" => self.binary(Binary::Minimum),
            "max" => self.binary(Binary::Maximum),
            "mul" if self.has("wide") => self.multiplied_wide(),
            "mul" if self.has("lo") && self.number_type()?.bits == 64 => {
                self.binary(Binary::MultiplyLow)
            }
            "mul" | "mad" | "madc" => self.multiplied(),
            "clz" | "brev" => self.scanned(first == "brev"),
            "bfi" => self.inserted(),
            "lop3" => Ok(Operation::Logic {
                to: self.word_row(0)?,
                a: self.word(1)?,
                b: self.word(2)?,
                c: self.word(3)?,
                table: match self.word(4)? {
                    Word::Number(table) => table.to_le_bytes()[0],
                    Word::Row(_) => return Err("a table in a register".to_owned()),
                },
            }),
            "setp" => self.compared(),
            "selp" => self.selected(),
            "cvt" => self.converted(),
            "ld" => self.loaded(),
            "st" => self.stored(),
            "atom" | "red" => self.added_atomically(first == "atom"),
            "shfl" => self.shuffled(),
            "vote" if self.has("ballot") => Ok(Operation::Ballot {
                to: self.word_row(0)?,
                of: self.bit(1)?,
                members: self.word(2)?,
            }),
            "activemask" => Ok(Operation::ActiveMask {
                to: self.word_row(0)?,
            }),
            "bar" if self.has("warp") => Ok(Operation::WarpBarrier {
                members: self.word(0)?,
            }),
            "bar" | "barrier" if self.has("sync") => match (self.operands, self.word(0)?) {
                ([_], Word::Number(0)) => Ok(Operation::Barrier {
                    aligned: first == "bar" || self.has("aligned"),
                }),
                _ => Err(format!("{}: only barrier 0 of all threads", self.opcode)),
            },
            "trap" => Ok(Operation::Trap),
            "exit" => Ok(Operation::Exit),
            _ => Err(format!("unknown instruction {}", self.opcode)),
        }
    }

    fn moved(&self) -> Result<Operation, Reason> {
        if self.parts[0] == "cvta" && !self.has("global") {
            return Err(format!("{}: only addresses in global memory", self.opcode));
        }
        if self.has("pred") {
            let (to, from) = (self.bit_row(0)?, self.bit(1)?);
            return Ok(Operation::MoveBit { to, from });
        }
        if let Some(Operand::Name(name)) = self.operands.get(1)
            && let Some(from) = special(name)
        {
            let to = self.word_row(0)?;
            return Ok(Operation::Read { to, from });
        }
        let kind = self.number_type()?;
        if kind.bits == 64 {
            let (to, from) = (self.long_row(0)?, self.long(1)?);
            return Ok(Operation::MoveLong { to, from });
        }
        let (to, from) = (self.word_row(0)?, self.word_of(1, kind)?);
        Ok(Operation::MoveWord { to, from })
    }

    fn carried(&self, is_subtraction: bool, reads: bool) -> Result<Operation, Reason> {
        let (to, a, b) = (self.word_row(0)?, self.word(1)?, self.word(2)?);
        let writes = self.has("cc");
        let carry = Carry { reads, writes };
        self.require_32_bits()?;
        Ok(if is_subtraction {
            let borrow = carry;
            Operation::Subtract { to, a, b, borrow }
        } else {
            Operation::Add { to, a, b, carry }
        })
    }

    fn binary(&self, function: Binary) -> Result<Operation, Reason> {
        if self.has("pred") {
            let (to, a, b) = (self.bit_row(0)?, self.bit(1)?, self.bit(2)?);
            return Ok(Operation::Bits { function, to, a, b });
        }
        let kind = self.number_type()?;
        if kind.bits == 64 {
            let (to, a, b) = (self.long_row(0)?, self.long(1)?, self.long(2)?);
            return Ok(Operation::Longs { function, to, a, b });
        }
        let bitwise = matches!(function, Binary::And | Binary::Or | Binary::Xor);
        if kind.bits != 32 && !bitwise {
            return Err(format!("{}: only 32 and 64 bits", self.opcode));
        }
        let (to, a, b) = (
            self.word_row(0)?,
            self.word_of(1, kind)?,
            self.word_of(2, kind)?,
        );
        Ok(Operation::Words { function, to, a, b })
    }

    fn scanned(&self, is_reversal: bool) -> Result<Operation, Reason> {
        self.require_32_bits()?;
        let (to, a) = (self.word_row(0)?, self.word(1)?);
        Ok(if is_reversal {
            Operation::Reverse { to, a }
        } else {
            Operation::LeadingZeros { to, a }
        })
    }

    fn inverted(&self) -> Result<Operation, Reason> {
        let function = Binary::Xor;
        if self.has("pred") {
            let (to, a) = (self.bit_row(0)?, self.bit(1)?);
            let b = Bit::Number(true);
            return Ok(Operation::Bits { function, to, a, b });
        }
        let bits = self.number_type()?.bits;
        if bits == 64 {
            let (to, a) = (self.long_row(0)?, self.long(1)?);
            let b = Long::Number(u64::MAX);
            return Ok(Operation::Longs { function, to, a, b });
        }
        let (to, a) = (self.word_row(0)?, self.word(1)?);
        let b = Word::Number(low_mask(bits));
        Ok(Operation::Words { function, to, a, b })
    }

    fn negated(&self) -> Result<Operation, Reason> {
        let function = Binary::Subtract;
        if self.number_type()?.bits == 64 {
            let (to, b) = (self.long_row(0)?, self.long(1)?);
            let a = Long::Number(0);
            return Ok(Operation::Longs { function, to, a, b });
        }
        self.require_32_bits()?;
        let (to, b) = (self.word_row(0)?, self.word(1)?);
        let a = Word::Number(0);
        Ok(Operation::Words { function, to, a, b })
    }

    fn shifted(&self, function: Binary) -> Result<Operation, Reason> {
        let by = self.word(2)?;
        if self.number_type()?.bits == 64 {
            let (to, a) = (self.long_row(0)?, self.long(1)?);
            return Ok(Operation::ShiftLong {
                function,
                to,
                a,
                by,
            });
        }
        self.require_32_bits()?;
        let (to, a) = (self.word_row(0)?, self.word(1)?);
        let b = by;
        Ok(Operation::Words { function, to, a, b })
    }

    fn multiplied_wide(&self) -> Result<Operation, Reason> {
        self.require_32_bits()?;
        Ok(Operation::MultiplyWide {
            to: self.long_row(0)?,
            a: self.word(1)?,
            b: self.word(2)?,
            signed: self.number_type()?.signed,
        })
    }

    fn multiplied(&self) -> Result<Operation, Reason> {
        self.require_32_bits()?;
        let high = self.has("hi");
        if high && self.number_type()?.signed {
            return Err(format!("{}: only unsigned", self.opcode));
        }
        Ok(Operation::Multiply {
            to: self.word_row(0)?,
            a: self.word(1)?,
            b: self.word(2)?,
            high,
            plus: if self.parts[0] == "mul" {
                Word::Number(0)
            } else {
                self.word(3)?
            },
            carry: Carry {
                reads: self.parts[0] == "madc",
                writes: self.has("cc"),
            },
        })
    }

    fn inserted(&self) -> Result<Operation, Reason> {
        let (at, length) = (self.word(3)?, self.word(4)?);
        if self.number_type()?.bits == 64 {
            return Ok(Operation::InsertLong {
                to: self.long_row(0)?,
                from: self.long(1)?,
                into: self.long(2)?,
                at,
                length,
            });
        }
        Ok(Operation::InsertWord {
            to: self.word_row(0)?,
            from: self.word(1)?,
            into: self.word(2)?,
            at,
            length,
        })
    }

    fn compared(&self) -> Result<Operation, Reason> {
        let how = match self.parts.get(1).copied() {
            Some("eq") => Comparison::Equal,
            Some("ne") => Comparison::NotEqual,
            Some("lt" | "lo") => Comparison::Less,
            Some("le" | "ls") => Comparison::LessOrEqual,
            Some("gt" | "hi") => Comparison::Greater,
            Some("ge" | "hs") => Comparison::GreaterOrEqual,
            _ => return Err(format!("unknown comparison {}", self.opcode)),
        };
        if self.parts.len() != 3 {
            return Err(format!("unknown instruction {}", self.opcode));
        }
        let to = self.bit_row(0)?;
        let kind = self.number_type()?;
        let signed = kind.signed;
        if kind.bits == 64 {
            let (a, b) = (self.long(1)?, self.long(2)?);
            return Ok(Operation::CompareLongs {
                how,
                signed,
                to,
                a,
                b,
            });
        }
        let ordered = !matches!(how, Comparison::Equal | Comparison::NotEqual);
        if kind.bits != 32 && ordered && signed {
            return Err(format!("{}: only 32 and 64 bits", self.opcode));
        }
        let (a, b) = (self.word_of(1, kind)?, self.word_of(2, kind)?);
        Ok(Operation::CompareWords {
            how,
            signed,
            to,
            a,
            b,
        })
    }

    fn selected(&self) -> Result<Operation, Reason> {
        let by = self.bit(3)?;
        let kind = self.number_type()?;
        if kind.bits == 64 {
            let (to, a, b) = (self.long_row(0)?, self.long(1)?, self.long(2)?);
            return Ok(Operation::SelectLong { to, a, b, by });
        }
        let (to, a, b) = (
            self.word_row(0)?,
            self.word_of(1, kind)?,
            self.word_of(2, kind)?,
        );
        Ok(Operation::SelectWord { to, a, b, by })
    }

    fn converted(&self) -> Result<Operation, Reason> {
        let [_, to_type, from_type] = self.parts[..] else {
            return Err(format!("unknown instruction {}", self.opcode));
        };
        let (into, from) = (type_of(to_type)?, type_of(from_type)?);
        // First the source is read by its type, then the register is filled by the target's.
        let register = self.width_of_target()?;
        let (Type { bits, signed }, width) = if into.bits <= from.bits {
            (into, register)
        } else if from.signed && !into.signed {
            (from, into.bits)
        } else {
            (from, register)
        };
        match (register, from.bits) {
            (64, 64) if into.bits == 64 => Ok(Operation::MoveLong {
                to: self.long_row(0)?,
                from: self.long(1)?,
            }),
            (64, 8 | 16 | 32) if width == 64 => Ok(Operation::Widen {
                to: self.long_row(0)?,
                from: self.word(1)?,
                bits,
                signed,
            }),
            (16 | 32, 64) if into.bits <= register => Ok(Operation::Narrow {
                to: self.word_row(0)?,
                from: self.long(1)?,
                bits,
                signed,
                width,
            }),
            (16 | 32, 8 | 16 | 32) if into.bits <= register => Ok(Operation::ConvertWord {
                to: self.word_row(0)?,
                from: self.word(1)?,
                bits,
                signed,
                width,
            }),
            _ => Err(format!("{}: a register of {register} bits", self.opcode)),
        }
    }
}

fn special(name: &str) -> Option<Special> {
    let axis = |text: &str| match text {
        "x" => Some(0),
        "y" => Some(1),
        "z" => Some(2),
        _ => None,
    };
    match name {
        "%laneid" => Some(Special::Lane),
        "%envreg1" => Some(Special::Meeting { high: true }),
        "%envreg2" => Some(Special::Meeting { high: false }),
        _ => {
            let (what, rest) = name.split_once('.')?;
            let axis = axis(rest)?;
            match what {
                "%tid" => Some(Special::Thread(axis)),
                "%ntid" => Some(Special::Threads(axis)),
                "%ctaid" => Some(Special::Block(axis)),
                "%nctaid" => Some(Special::Blocks(axis)),
                _ => None,
            }
        }
    }
}
