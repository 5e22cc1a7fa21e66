//! A warp: 32 threads with registers and program counters of their own. Those that stand at the
//! same instruction go together; of several such groups the one that is furthest behind goes first,
//! but for a few instructions of each turn.

use super::lanes::{LANES, Row, lanes, put};
use super::order::Order;
use crate::ptx::instruction::{Bit, Long, Word};
use crate::ptx::translate::Rows;

/// Registers and position of 32 threads.
#[derive(Debug)]
pub struct Warp {
    /// number in the block
    pub number: u32,
    pub(super) words: Vec<Row<u32>>,
    pub(super) longs: Vec<Row<u64>>,
    pub(super) bits: Vec<u32>,
    pub(super) carry: Row<u32>,
    pub(super) at: Row<u32>,
    /// threads that have not ended
    pub(super) live: u32,
    /// threads that wait for their block
    pub(super) at_barrier: u32,
    /// threads that wait for others of the warp
    pub(super) at_meeting: u32,
    /// turns so far
    turns: u32,
    /// what its barriers put into an order
    pub(super) order: Order,
}

impl Warp {
    /// At the first instruction; `live` are the threads that there are.
    pub fn new(number: u32, rows: Rows, live: u32) -> Self {
        Self {
            number,
            words: vec![[0; LANES]; rows.words as usize],
            longs: vec![[0; LANES]; rows.longs as usize],
            bits: vec![0; rows.bits as usize],
            carry: [0; LANES],
            at: [0; LANES],
            live,
            at_barrier: 0,
            at_meeting: 0,
            turns: 0,
            order: Order::default(),
        }
    }

    /// Whether every thread has ended.
    pub fn is_done(&self) -> bool {
        self.live == 0
    }

    /// Whether every thread that has not ended waits for the block.
    pub fn is_at_barrier(&self) -> bool {
        self.at_barrier == self.live
    }

    /// Lets the threads go on that waited for the block.
    pub fn pass_barrier(&mut self) {
        self.at_barrier = 0;
    }

    /// Threads that can go on.
    pub(super) fn ready(&self) -> u32 {
        self.live & !self.at_barrier & !self.at_meeting
    }

    /// Those of `threads` that are furthest behind, where they are, and where the next ones are.
    pub(super) fn behind(&self, threads: u32) -> (u32, u32, u32) {
        let (mut first, mut next, mut group) = (u32::MAX, u32::MAX, 0);
        for lane in lanes(threads) {
            let at = self.at[lane];
            if at < first {
                next = first;
                first = at;
                group = 1 << lane;
            } else if at == first {
                group |= 1 << lane;
            } else {
                next = next.min(at);
            }
        }
        (group, first, next)
    }

    /// Those that begin a turn: another one's group each time, so that threads which wait for others
    /// of their warp by reading memory again and again do not keep them from going on.
    pub(super) fn chosen(&mut self) -> (u32, u32, u32) {
        self.turns = self.turns.wrapping_add(1);
        let ready = self.ready();
        let turned = ready.rotate_right(self.turns % 32);
        let lane = (turned.trailing_zeros() + self.turns) % 32;
        let at = self.at[lane as usize];
        let ahead = lanes(ready).filter(|lane| self.at[*lane] >= at);
        self.behind(ahead.fold(0, |mask, lane| mask | 1 << lane))
    }

    pub(super) fn set_position(&mut self, threads: u32, at: u32) {
        put(&mut self.at, [at; LANES], threads);
    }

    pub(super) fn word(&self, from: Word) -> Row<u32> {
        match from {
            Word::Row(row) => self.words[row as usize],
            Word::Number(number) => [number; LANES],
        }
    }

    pub(super) fn long(&self, from: Long) -> Row<u64> {
        match from {
            Long::Row(row) => self.longs[row as usize],
            Long::Number(number) => [number; LANES],
        }
    }

    pub(super) fn bit(&self, from: Bit) -> u32 {
        match from {
            Bit::Row(row) => self.bits[row as usize],
            Bit::Number(true) => u32::MAX,
            Bit::Number(false) => 0,
        }
    }

    pub(super) fn put_word(&mut self, to: u32, value: Row<u32>, threads: u32) {
        put(&mut self.words[to as usize], value, threads);
    }

    pub(super) fn put_long(&mut self, to: u32, value: Row<u64>, threads: u32) {
        put(&mut self.longs[to as usize], value, threads);
    }

    pub(super) fn put_bit(&mut self, to: u32, value: u32, threads: u32) {
        let row = &mut self.bits[to as usize];
        *row = *row & !threads | value & threads;
    }
}
