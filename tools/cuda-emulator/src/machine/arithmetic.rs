//! What instructions compute, thread by thread.

use super::lanes::{LANES, Row, put};
use super::warp::Warp;
use crate::ptx::instruction::{Binary, Carry, Comparison, Operation};
use crate::ptx::operands::low_mask;

impl Warp {
    /// Executes an instruction that concerns registers alone; says whether it is one.
    #[inline]
    pub(super) fn compute(&mut self, operation: &Operation, threads: u32) -> bool {
        match *operation {
            Operation::Multiply {
                to,
                a,
                b,
                high,
                plus,
                carry,
            } => {
                let (a, b, plus) = (self.word(a), self.word(b), self.word(plus));
                let product: Row<u32> = std::array::from_fn(|lane| {
                    let product = u64::from(a[lane]) * u64::from(b[lane]);
                    if high {
                        (product >> 32) as u32
                    } else {
                        product as u32
                    }
                });
                self.add(to, product, plus, carry, threads);
            }
            Operation::Add { to, a, b, carry } => {
                let (a, b) = (self.word(a), self.word(b));
                self.add(to, a, b, carry, threads);
            }
            Operation::Subtract { to, a, b, borrow } => {
                let (a, b) = (self.word(a), self.word(b));
                self.subtract(to, a, b, borrow, threads);
            }
            Operation::MoveWord { to, from } => self.put_word(to, self.word(from), threads),
            Operation::MoveLong { to, from } => self.put_long(to, self.long(from), threads),
            Operation::MoveBit { to, from } => self.put_bit(to, self.bit(from), threads),
            Operation::Words { function, to, a, b } => {
                let (a, b) = (self.word(a), self.word(b));
                self.put_word(to, words(function, a, b), threads);
            }
            Operation::Longs { function, to, a, b } => {
                let (a, b) = (self.long(a), self.long(b));
                self.put_long(to, longs(function, a, b), threads);
            }
            Operation::ShiftLong {
                function,
                to,
                a,
                by,
            } => {
                let (a, by) = (self.long(a), self.word(by));
                self.put_long(to, longs(function, a, by.map(u64::from)), threads);
            }
            Operation::Bits { function, to, a, b } => {
                let (a, b) = (self.bit(a), self.bit(b));
                let value = match function {
                    Binary::And => a & b,
                    Binary::Or => a | b,
                    _ => a ^ b,
                };
                self.put_bit(to, value, threads);
            }
            Operation::MultiplyWide { to, a, b, signed } => {
                let (a, b) = (self.word(a), self.word(b));
                let wide = |value: u32| {
                    if signed {
                        i64::from(value.cast_signed()).cast_unsigned()
                    } else {
                        u64::from(value)
                    }
                };
                let product = std::array::from_fn(|i| wide(a[i]).wrapping_mul(wide(b[i])));
                self.put_long(to, product, threads);
            }
            Operation::LeadingZeros { to, a } => {
                self.put_word(to, self.word(a).map(u32::leading_zeros), threads);
            }
            Operation::Reverse { to, a } => {
                self.put_word(to, self.word(a).map(u32::reverse_bits), threads);
            }
            Operation::Logic { to, a, b, c, table } => {
                let (a, b, c) = (self.word(a), self.word(b), self.word(c));
                let value = std::array::from_fn(|i| logic(table, a[i], b[i], c[i]));
                self.put_word(to, value, threads);
            }
            Operation::InsertWord {
                to,
                from,
                into,
                at,
                length,
            } => {
                let (from, into) = (self.word(from), self.word(into));
                let (at, length) = (self.word(at), self.word(length));
                let value = std::array::from_fn(|i| {
                    let (from, into) = (u64::from(from[i]), u64::from(into[i]));
                    inserted(from, into, at[i], length[i]) as u32
                });
                self.put_word(to, value, threads);
            }
            Operation::InsertLong {
                to,
                from,
                into,
                at,
                length,
            } => {
                let (from, into) = (self.long(from), self.long(into));
                let (at, length) = (self.word(at), self.word(length));
                let value = std::array::from_fn(|i| inserted(from[i], into[i], at[i], length[i]));
                self.put_long(to, value, threads);
            }
            Operation::CompareWords {
                how,
                signed,
                to,
                a,
                b,
            } => {
                let (a, b) = (self.word(a), self.word(b));
                let value = if signed {
                    compared(how, a.map(u32::cast_signed), b.map(u32::cast_signed))
                } else {
                    compared(how, a, b)
                };
                self.put_bit(to, value, threads);
            }
            Operation::CompareLongs {
                how,
                signed,
                to,
                a,
                b,
            } => {
                let (a, b) = (self.long(a), self.long(b));
                let value = if signed {
                    compared(how, a.map(u64::cast_signed), b.map(u64::cast_signed))
                } else {
                    compared(how, a, b)
                };
                self.put_bit(to, value, threads);
            }
            Operation::SelectWord { to, a, b, by } => {
                let (a, mut value) = (self.word(a), self.word(b));
                put(&mut value, a, self.bit(by));
                self.put_word(to, value, threads);
            }
            Operation::SelectLong { to, a, b, by } => {
                let (a, mut value) = (self.long(a), self.long(b));
                put(&mut value, a, self.bit(by));
                self.put_long(to, value, threads);
            }
            Operation::ConvertWord {
                to,
                from,
                bits,
                signed,
                width,
            } => {
                let value = self.word(from).map(|value| {
                    let extended = extended(u64::from(value), bits, signed);
                    extended as u32 & low_mask(width)
                });
                self.put_word(to, value, threads);
            }
            Operation::Widen {
                to,
                from,
                bits,
                signed,
            } => {
                let value = self
                    .word(from)
                    .map(|value| extended(u64::from(value), bits, signed));
                self.put_long(to, value, threads);
            }
            Operation::Narrow {
                to,
                from,
                bits,
                signed,
                width,
            } => {
                let value = self
                    .long(from)
                    .map(|value| extended(value, bits, signed) as u32 & low_mask(width));
                self.put_word(to, value, threads);
            }
            _ => return false,
        }
        true
    }

    #[inline]
    fn add(&mut self, to: u32, a: Row<u32>, b: Row<u32>, carry: Carry, threads: u32) {
        let before = if carry.reads { self.carry } else { [0; LANES] };
        let sum: Row<u32> =
            std::array::from_fn(|i| a[i].wrapping_add(b[i]).wrapping_add(before[i]));
        if carry.writes {
            let after = std::array::from_fn(|i| {
                let first = a[i].wrapping_add(b[i]);
                u32::from(first < a[i]) | u32::from(sum[i] < first)
            });
            put(&mut self.carry, after, threads);
        }
        self.put_word(to, sum, threads);
    }

    #[inline]
    fn subtract(&mut self, to: u32, a: Row<u32>, b: Row<u32>, borrow: Carry, threads: u32) {
        let before = if borrow.reads { self.carry } else { [0; LANES] };
        let difference: Row<u32> =
            std::array::from_fn(|i| a[i].wrapping_sub(b[i]).wrapping_sub(before[i]));
        if borrow.writes {
            let after = std::array::from_fn(|i| {
                let first = a[i].wrapping_sub(b[i]);
                u32::from(a[i] < b[i]) | u32::from(first < before[i])
            });
            put(&mut self.carry, after, threads);
        }
        self.put_word(to, difference, threads);
    }
}

fn words(function: Binary, a: Row<u32>, b: Row<u32>) -> Row<u32> {
    let signed = |a: u32, b: u32| (a.cast_signed(), b.cast_signed());
    let each = |f: fn(u32, u32) -> u32| std::array::from_fn(|i| f(a[i], b[i]));
    match function {
        Binary::Add => std::array::from_fn(|i| a[i].wrapping_add(b[i])),
        Binary::Subtract => std::array::from_fn(|i| a[i].wrapping_sub(b[i])),
        Binary::MultiplyLow => std::array::from_fn(|i| a[i].wrapping_mul(b[i])),
        Binary::And => std::array::from_fn(|i| a[i] & b[i]),
        Binary::Or => std::array::from_fn(|i| a[i] | b[i]),
        Binary::Xor => std::array::from_fn(|i| a[i] ^ b[i]),
        Binary::ShiftLeft => each(|a, b| a.checked_shl(b).unwrap_or(0)),
        Binary::ShiftRight => each(|a, b| a.checked_shr(b).unwrap_or(0)),
        Binary::ShiftRightSigned => each(|a, b| (a.cast_signed() >> b.min(31)).cast_unsigned()),
        Binary::Minimum => each(u32::min),
        Binary::Maximum => each(u32::max),
        Binary::MinimumSigned => std::array::from_fn(|i| {
            let (a, b) = signed(a[i], b[i]);
            a.min(b).cast_unsigned()
        }),
        Binary::MaximumSigned => std::array::from_fn(|i| {
            let (a, b) = signed(a[i], b[i]);
            a.max(b).cast_unsigned()
        }),
    }
}

fn longs(function: Binary, a: Row<u64>, b: Row<u64>) -> Row<u64> {
    let each = |f: fn(u64, u64) -> u64| std::array::from_fn(|i| f(a[i], b[i]));
    let amount = |b: u64| u32::try_from(b).unwrap_or(u32::MAX);
    match function {
        Binary::Add => each(u64::wrapping_add),
        Binary::Subtract => each(u64::wrapping_sub),
        Binary::MultiplyLow => each(u64::wrapping_mul),
        Binary::And => each(|a, b| a & b),
        Binary::Or => each(|a, b| a | b),
        Binary::Xor => each(|a, b| a ^ b),
        Binary::ShiftLeft => std::array::from_fn(|i| a[i].checked_shl(amount(b[i])).unwrap_or(0)),
        Binary::ShiftRight => std::array::from_fn(|i| a[i].checked_shr(amount(b[i])).unwrap_or(0)),
        Binary::ShiftRightSigned => {
            std::array::from_fn(|i| (a[i].cast_signed() >> amount(b[i]).min(63)).cast_unsigned())
        }
        Binary::Minimum => each(u64::min),
        Binary::Maximum => each(u64::max),
        Binary::MinimumSigned => each(|a, b| a.cast_signed().min(b.cast_signed()).cast_unsigned()),
        Binary::MaximumSigned => each(|a, b| a.cast_signed().max(b.cast_signed()).cast_unsigned()),
    }
}

fn compared<T: PartialOrd + Copy>(how: Comparison, a: Row<T>, b: Row<T>) -> u32 {
    let each = |holds: fn(&T, &T) -> bool| {
        (0..LANES).fold(0, |mask, i| mask | u32::from(holds(&a[i], &b[i])) << i)
    };
    match how {
        Comparison::Equal => each(|a, b| a == b),
        Comparison::NotEqual => each(|a, b| a != b),
        Comparison::Less => each(|a, b| a < b),
        Comparison::LessOrEqual => each(|a, b| a <= b),
        Comparison::Greater => each(|a, b| a > b),
        Comparison::GreaterOrEqual => each(|a, b| a >= b),
    }
}

/// The lowest `bits` of a number, extended by its sign or by zeros.
pub(super) fn extended(value: u64, bits: u32, signed: bool) -> u64 {
    let empty = 64 - bits;
    let moved = value << empty;
    if signed {
        (moved.cast_signed() >> empty).cast_unsigned()
    } else {
        moved >> empty
    }
}

/// Bit i of the result is bit 4 a + 2 b + c of the table.
fn logic(table: u8, a: u32, b: u32, c: u32) -> u32 {
    (0..8).fold(0, |result, row| {
        let matches = |bit: u32, value: u32| if row >> bit & 1 != 0 { value } else { !value };
        let selected = matches(2, a) & matches(1, b) & matches(0, c);
        result | if table >> row & 1 != 0 { selected } else { 0 }
    })
}

/// `length` bits of a number, put into another at `at`.
fn inserted(from: u64, into: u64, at: u32, length: u32) -> u64 {
    let (at, length) = (at & 0xff, length & 0xff);
    if at >= 64 || length == 0 {
        return into;
    }
    let ones = if length >= 64 {
        u64::MAX
    } else {
        (1 << length) - 1
    };
    let mask = ones << at;
    into & !mask | from << at & mask
}
