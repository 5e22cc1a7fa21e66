//! Lets registers share rows when their values are never needed at the same time: PTX gives every
//! value a register of its own, and a warp with 20,000 rows does not fit into any cache.
//!
//! Liveness by the usual backward iteration over basic blocks, then one interval of instructions for
//! each register, given out by linear scan (Poletto and Sarkar, TOPLAS 21:5, 1999). Registers are of
//! threads, so it does not matter that threads of a warp part ways.

use std::collections::BTreeSet;

use super::instruction::{Instruction, Operation};
use super::module::RegisterKind;
use super::registers::Use;

/// Numbers `kind`'s rows in `code` anew.
///
/// # Returns
/// how many there are
pub fn share(code: &mut [Instruction], kind: RegisterKind, rows: u32) -> u32 {
    let uses = uses_of(code, kind);
    let blocks = blocks_of(code);
    let live = live_at_ends(code, &uses, &blocks, rows as usize);
    let intervals = intervals_of(&uses, &blocks, &live, rows as usize);
    let (numbers, count) = numbers_of(&intervals);
    for instruction in code {
        if let (RegisterKind::Predicate, Some((row, _))) = (kind, &mut instruction.guard) {
            *row = numbers[*row as usize];
        }
        instruction.operation.visit_rows(&mut |found, _, row| {
            if found == kind {
                *row = numbers[*row as usize];
            }
        });
    }
    count
}

/// What an instruction does with rows of a kind.
#[derive(Debug, Default)]
struct Uses {
    reads: Vec<u32>,
    writes: Vec<u32>,
    /// whether threads may keep the value that was there
    is_partial: bool,
}

/// Instructions from `start` to before `end`.
#[derive(Debug)]
struct BasicBlock {
    start: usize,
    end: usize,
    followers: Vec<usize>,
}

/// A set of rows.
type Rows = Vec<u64>;

fn uses_of(code: &mut [Instruction], kind: RegisterKind) -> Vec<Uses> {
    let of = |instruction: &mut Instruction| {
        let mut uses = Uses {
            is_partial: instruction.guard.is_some(),
            ..Uses::default()
        };
        if let (RegisterKind::Predicate, Some((row, _))) = (kind, instruction.guard) {
            uses.reads.push(row);
        }
        instruction.operation.visit_rows(&mut |found, what, row| {
            if found == kind {
                let list = if what == Use::Read {
                    &mut uses.reads
                } else {
                    &mut uses.writes
                };
                list.push(*row);
            }
        });
        uses
    };
    code.iter_mut().map(of).collect()
}

fn blocks_of(code: &[Instruction]) -> Vec<BasicBlock> {
    let mut starts = BTreeSet::from([0]);
    for (at, instruction) in code.iter().enumerate() {
        if let Operation::Branch { to } = instruction.operation {
            starts.insert(to as usize);
            starts.insert(at + 1);
        }
    }
    let starts: Vec<usize> = starts.into_iter().filter(|at| *at < code.len()).collect();
    let number = |at: usize| starts.binary_search(&at).ok();
    let block = |index: usize| {
        let start = starts[index];
        let end = starts.get(index + 1).copied().unwrap_or(code.len());
        let last = &code[end - 1];
        let mut followers = Vec::new();
        let falls_through = last.guard.is_some()
            || !matches!(last.operation, Operation::Branch { .. } | Operation::Exit);
        if falls_through {
            followers.extend(number(end));
        }
        if let Operation::Branch { to } = last.operation {
            followers.extend(number(to as usize));
        }
        BasicBlock {
            start,
            end,
            followers,
        }
    };
    (0..starts.len()).map(block).collect()
}

/// For each block the rows that are needed when it begins, and when it ends.
fn live_at_ends(
    code: &[Instruction],
    uses: &[Uses],
    blocks: &[BasicBlock],
    rows: usize,
) -> Vec<(Rows, Rows)> {
    debug_assert_eq!(code.len(), uses.len());
    let empty = || vec![0_u64; rows.div_ceil(64)];
    let mut needed: Vec<Rows> = Vec::new();
    let mut replaced: Vec<Rows> = Vec::new();
    for block in blocks {
        let (mut reads, mut kills) = (empty(), empty());
        for uses in uses[block.start..block.end].iter().rev() {
            for row in &uses.writes {
                if uses.is_partial {
                    set(&mut reads, *row);
                } else {
                    clear(&mut reads, *row);
                    set(&mut kills, *row);
                }
            }
            uses.reads.iter().for_each(|row| set(&mut reads, *row));
        }
        needed.push(reads);
        replaced.push(kills);
    }
    let mut live: Vec<(Rows, Rows)> = blocks.iter().map(|_| (empty(), empty())).collect();
    let mut changed = true;
    while changed {
        changed = false;
        for index in (0..blocks.len()).rev() {
            let mut end = empty();
            for follower in &blocks[index].followers {
                end.iter_mut()
                    .zip(&live[*follower].0)
                    .for_each(|(to, from)| *to |= from);
            }
            let start: Rows = (0..end.len())
                .map(|word| needed[index][word] | end[word] & !replaced[index][word])
                .collect();
            changed |= start != live[index].0;
            live[index] = (start, end);
        }
    }
    live
}

/// First and last instruction at which each row must be kept; none for rows that nobody uses.
fn intervals_of(
    uses: &[Uses],
    blocks: &[BasicBlock],
    live: &[(Rows, Rows)],
    rows: usize,
) -> Vec<Option<(usize, usize)>> {
    let mut intervals: Vec<Option<(usize, usize)>> = vec![None; rows];
    let mut extend = |row: usize, at: usize| {
        let (first, last) = intervals[row].unwrap_or((at, at));
        intervals[row] = Some((first.min(at), last.max(at)));
    };
    for (block, (start, end)) in blocks.iter().zip(live) {
        for row in 0..rows {
            if is_set(start, row) {
                extend(row, block.start);
            }
            if is_set(end, row) {
                extend(row, block.end - 1);
            }
        }
    }
    for (at, uses) in uses.iter().enumerate() {
        for row in uses.reads.iter().chain(&uses.writes) {
            extend(*row as usize, at);
        }
    }
    intervals
}

fn numbers_of(intervals: &[Option<(usize, usize)>]) -> (Vec<u32>, u32) {
    let mut order: Vec<usize> = (0..intervals.len())
        .filter(|row| intervals[*row].is_some())
        .collect();
    order.sort_by_key(|row| intervals[*row]);
    let mut numbers = vec![0; intervals.len()];
    let mut taken: BTreeSet<(usize, u32)> = BTreeSet::new();
    let mut free = BTreeSet::new();
    let mut count = 0;
    for row in order {
        let Some((first, last)) = intervals[row] else {
            continue;
        };
        while let Some((end, number)) = taken.first().copied()
            && end < first
        {
            taken.pop_first();
            free.insert(number);
        }
        let number = free.pop_first().unwrap_or_else(|| {
            count += 1;
            count - 1
        });
        numbers[row] = number;
        taken.insert((last, number));
    }
    (numbers, count)
}

fn set(rows: &mut Rows, row: u32) {
    rows[row as usize / 64] |= 1 << (row % 64);
}

fn clear(rows: &mut Rows, row: u32) {
    rows[row as usize / 64] &= !(1 << (row % 64));
}

fn is_set(rows: &Rows, row: usize) -> bool {
    rows[row / 64] >> (row % 64) & 1 != 0
}
