//! Which rows an operation reads and writes.

use super::instruction::{Address, Base, Bit, Long, Operation, Target, Value, Word};
use super::module::RegisterKind;

/// What is done with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// its value matters
    Read,
    /// it gets a new value
    Write,
}

impl Operation {
    /// Shows every row to `visit`, which may change its number.
    pub fn visit_rows(&mut self, visit: &mut impl FnMut(RegisterKind, Use, &mut u32)) {
        use RegisterKind::{Long as L, Predicate as P, Word as W};
        use Use::Write;
        match self {
            Self::MoveWord { to, from } => {
                word(from, visit);
                visit(W, Write, to);
            }
            Self::MoveLong { to, from } => {
                long(from, visit);
                visit(L, Write, to);
            }
            Self::MoveBit { to, from } => {
                bit(from, visit);
                visit(P, Write, to);
            }
            Self::Read { to, .. } | Self::ActiveMask { to } => visit(W, Write, to),
            Self::Words { to, a, b, .. }
            | Self::Add { to, a, b, .. }
            | Self::Subtract { to, a, b, .. } => {
                words([a, b], visit);
                visit(W, Write, to);
            }
            Self::Longs { to, a, b, .. } => {
                long(a, visit);
                long(b, visit);
                visit(L, Write, to);
            }
            Self::ShiftLong { to, a, by, .. } => {
                long(a, visit);
                word(by, visit);
                visit(L, Write, to);
            }
            Self::Bits { to, a, b, .. } => {
                bit(a, visit);
                bit(b, visit);
                visit(P, Write, to);
            }
            Self::Multiply { to, a, b, plus, .. } => {
                words([a, b, plus], visit);
                visit(W, Write, to);
            }
            Self::MultiplyWide { to, a, b, .. } => {
                words([a, b], visit);
                visit(L, Write, to);
            }
            Self::LeadingZeros { to, a } | Self::Reverse { to, a } => {
                word(a, visit);
                visit(W, Write, to);
            }
            Self::InsertWord {
                to,
                from,
                into,
                at,
                length,
            } => {
                words([from, into, at, length], visit);
                visit(W, Write, to);
            }
            Self::InsertLong {
                to,
                from,
                into,
                at,
                length,
            } => {
                long(from, visit);
                long(into, visit);
                words([at, length], visit);
                visit(L, Write, to);
            }
            Self::Logic { to, a, b, c, .. } => {
                words([a, b, c], visit);
                visit(W, Write, to);
            }
            Self::CompareWords { to, a, b, .. } => {
                words([a, b], visit);
                visit(P, Write, to);
            }
            Self::CompareLongs { to, a, b, .. } => {
                long(a, visit);
                long(b, visit);
                visit(P, Write, to);
            }
            Self::SelectWord { to, a, b, by } => {
                words([a, b], visit);
                bit(by, visit);
                visit(W, Write, to);
            }
            Self::SelectLong { to, a, b, by } => {
                long(a, visit);
                long(b, visit);
                bit(by, visit);
                visit(L, Write, to);
            }
            Self::ConvertWord { to, from, .. } => {
                word(from, visit);
                visit(W, Write, to);
            }
            Self::Widen { to, from, .. } => {
                word(from, visit);
                visit(L, Write, to);
            }
            Self::Narrow { to, from, .. } => {
                long(from, visit);
                visit(W, Write, to);
            }
            Self::Load { to, address, .. } => {
                base(address, visit);
                for target in to {
                    match target {
                        Target::Half(row) | Target::Word(row) => visit(W, Write, row),
                        Target::Long(row) => visit(L, Write, row),
                    }
                }
            }
            Self::Store { from, address, .. } => {
                base(address, visit);
                for value in from {
                    match value {
                        Value::Word(value) => word(value, visit),
                        Value::Long(value) => long(value, visit),
                    }
                }
            }
            Self::AtomicAdd { to, address, by } => {
                base(address, visit);
                word(by, visit);
                if let Some(to) = to {
                    visit(W, Write, to);
                }
            }
            Self::Shuffle {
                to,
                valid,
                from,
                by,
                clamp,
                members,
                ..
            } => {
                words([from, by, clamp, members], visit);
                visit(W, Write, to);
                if let Some(valid) = valid {
                    visit(P, Write, valid);
                }
            }
            Self::Ballot { to, of, members } => {
                bit(of, visit);
                word(members, visit);
                visit(W, Write, to);
            }
            Self::WarpBarrier { members } => word(members, visit),
            Self::Barrier { .. } | Self::Branch { .. } | Self::Exit | Self::Trap => {}
        }
    }
}

fn words<const N: usize>(
    sources: [&mut Word; N],
    visit: &mut impl FnMut(RegisterKind, Use, &mut u32),
) {
    for source in sources {
        word(source, visit);
    }
}

fn word(source: &mut Word, visit: &mut impl FnMut(RegisterKind, Use, &mut u32)) {
    if let Word::Row(row) = source {
        visit(RegisterKind::Word, Use::Read, row);
    }
}

fn long(source: &mut Long, visit: &mut impl FnMut(RegisterKind, Use, &mut u32)) {
    if let Long::Row(row) = source {
        visit(RegisterKind::Long, Use::Read, row);
    }
}

fn bit(source: &mut Bit, visit: &mut impl FnMut(RegisterKind, Use, &mut u32)) {
    if let Bit::Row(row) = source {
        visit(RegisterKind::Predicate, Use::Read, row);
    }
}

fn base(address: &mut Address, visit: &mut impl FnMut(RegisterKind, Use, &mut u32)) {
    match &mut address.base {
        Base::Word(source) => word(source, visit),
        Base::Long(source) => long(source, visit),
    }
}
