//! A block of threads: its warps take turns.

use super::access::Reach;
use super::error::{KernelError, Reason};
use super::lanes::{LANES, lanes};
use super::launch::Launch;
use super::meeting::Meeting;
use super::memory::Memory;
use super::shared::Shared;
use super::warp::Warp;
use crate::ptx::instruction::{Instruction, Operation, Special};

/// Instructions of a warp before the next one's turn, unless it waits sooner.
const TURN: u64 = 4096;
/// The first of them, for threads that need not be the ones furthest behind.
const CHOSEN: u64 = 64;

/// A block that runs.
pub struct Block<'a> {
    launch: &'a Launch<'a>,
    index: [u32; 3],
    warps: Vec<Warp>,
    shared: Shared,
    /// barriers passed
    era: u32,
}

impl<'a> Block<'a> {
    /// Before its first instruction.
    pub fn new(launch: &'a Launch<'a>, index: [u32; 3]) -> Self {
        let threads: u32 = launch.threads.iter().product();
        let warps = (0..threads.div_ceil(32)).map(|number| {
            let there = (threads - number * 32).min(32);
            let live = u32::MAX >> (32 - there);
            Warp::new(number, launch.kernel.rows, live)
        });
        Self {
            launch,
            index,
            warps: warps.collect(),
            shared: Shared::new(launch.kernel.shared_bytes + launch.dynamic_shared),
            era: 0,
        }
    }

    /// Whether every thread has ended.
    pub fn is_done(&self) -> bool {
        self.warps.iter().all(Warp::is_done)
    }

    /// Gives every warp a turn, in the order that `first` begins.
    ///
    /// # Returns
    /// the instructions that were executed
    ///
    /// # Errors
    /// [`KernelError`] of one of its threads.
    pub fn turn(&mut self, memory: &mut Memory, first: usize) -> Result<u64, KernelError> {
        let mut executed = 0;
        let count = self.warps.len();
        for number in 0..count {
            let mut left = TURN;
            self.run(memory, (first + number) % count, &mut left)
                .map_err(|(line, thread, reason)| self.error(line, thread, reason))?;
            executed += TURN - left;
        }
        if self.warps.iter().all(Warp::is_at_barrier) && !self.is_done() {
            self.require_alignment()?;
            self.warps.iter_mut().for_each(Warp::pass_barrier);
            self.era += 1;
            executed += 1;
        }
        Ok(executed)
    }

    /// Lets a warp go on until it waits, ends, or has had its turn.
    fn run(
        &mut self,
        memory: &mut Memory,
        number: usize,
        left: &mut u64,
    ) -> Result<(), (u32, u32, Reason)> {
        let code = &self.launch.kernel.code;
        let warp = &mut self.warps[number];
        let mut reach = Reach {
            memory,
            shared: &mut self.shared,
            parameters: &self.launch.parameters,
            block_era: self.era,
        };
        let mut is_retry = false;
        'groups: while *left > 0 {
            if warp.ready() == 0 {
                // Threads that wait for others of the warp look again whether those have ended.
                if warp.at_meeting == 0 || is_retry {
                    return Ok(());
                }
                is_retry = true;
                warp.at_meeting = 0;
            }
            let is_first = *left == TURN;
            let ((group, mut at, others_at), end) = if is_first {
                (warp.chosen(), TURN - CHOSEN)
            } else {
                (warp.behind(warp.ready()), 0)
            };
            while *left > end {
                let instruction = &code[at as usize];
                *left -= 1;
                let threads = guarded(warp, instruction, group);
                let operation = &instruction.operation;
                let step = if threads == 0 || warp.compute(operation, threads) {
                    Next::Following
                } else {
                    let place = Place {
                        launch: self.launch,
                        index: self.index,
                        group,
                        at,
                    };
                    warp.execute(operation, threads, place, &mut reach)
                        .map_err(|(lane, reason)| {
                            (instruction.line, number as u32 * 32 + lane as u32, reason)
                        })?
                };
                match step {
                    Next::Following => at += 1,
                    Next::Jump(to) => at = to,
                    Next::Met { everybody: true } => {
                        is_retry = false;
                        at += 1;
                    }
                    Next::Met { everybody: false } => {
                        is_retry = false;
                        continue 'groups;
                    }
                    Next::Awaited => {
                        // Looking again at who is there brings nobody forward.
                        *left += 1;
                        continue 'groups;
                    }
                    Next::Parted => continue 'groups,
                }
                if at >= others_at {
                    break;
                }
            }
            warp.set_position(group, at);
        }
        Ok(())
    }

    /// Threads of a warp wait at the same barrier, if it is one that requires it.
    fn require_alignment(&self) -> Result<(), KernelError> {
        for warp in &self.warps {
            let at = warp.at[lowest(warp.live)];
            let apart = lanes(warp.live).find(|lane| warp.at[*lane] != at);
            let is_aligned = |lane: usize| {
                let passed = &self.launch.kernel.code[warp.at[lane] as usize - 1];
                matches!(passed.operation, Operation::Barrier { aligned: true })
            };
            if apart.is_some()
                && let Some(lane) = lanes(warp.live).find(|lane| is_aligned(*lane))
            {
                let line = self.waits_at(warp, lane);
                return Err(self.error(line, warp.thread(lane), Reason::Apart));
            }
        }
        Ok(())
    }

    /// Why nobody in the block goes on.
    pub fn deadlock(&self) -> KernelError {
        // Who waits at the block's barrier may wait for those who wait for others of their warp.
        let waiting = self.warps.iter().filter(|warp| !warp.is_done());
        let Some(warp) = waiting.min_by_key(|warp| warp.at_meeting == 0) else {
            return self.error(0, 0, Reason::Deadlock("nothing"));
        };
        let (lane, what) = match lanes(warp.at_meeting).next() {
            Some(lane) => (lane, "for a thread of its warp"),
            None => (lowest(warp.live), "at a barrier of the block"),
        };
        let line = self.waits_at(warp, lane);
        self.error(line, warp.thread(lane), Reason::Deadlock(what))
    }

    /// The line of the instruction that a thread waits at.
    fn waits_at(&self, warp: &Warp, lane: usize) -> u32 {
        // Who waits for the block stands behind the barrier already.
        let is_behind = warp.at_barrier >> lane & 1;
        let at = warp.at[lane].saturating_sub(is_behind);
        self.launch.kernel.code[at as usize].line
    }

    fn error(&self, line: u32, thread: u32, reason: Reason) -> KernelError {
        KernelError {
            kernel: self.launch.kernel.name.clone(),
            line,
            block: self.index,
            thread,
            reason,
        }
    }
}

/// Where a group of threads stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    launch: &'a Launch<'a>,
    index: [u32; 3],
    group: u32,
    at: u32,
}

/// Where it goes from there.
enum Next {
    /// to the next instruction
    Following,
    /// to another one
    Jump(u32),
    /// to the next instruction, with whoever met there; positions are set where these are not the group
    Met { everybody: bool },
    /// nowhere: others are awaited
    Awaited,
    /// in several directions, or nowhere; positions are set
    Parted,
}

impl Warp {
    /// Executes an instruction that does more than compute.
    fn execute(
        &mut self,
        operation: &Operation,
        threads: u32,
        place: Place<'_>,
        reach: &mut Reach<'_>,
    ) -> Result<Next, (usize, Reason)> {
        let Place { group, at, .. } = place;
        match operation {
            Operation::Branch { to } if threads == group => return Ok(Next::Jump(*to)),
            Operation::Branch { to } => {
                self.set_position(group, at + 1);
                self.set_position(threads, *to);
                return Ok(Next::Parted);
            }
            Operation::Exit => {
                self.set_position(group, at + 1);
                self.live &= !threads;
                return Ok(Next::Parted);
            }
            Operation::Barrier { .. } => {
                self.set_position(group, at + 1);
                self.at_barrier |= threads;
                return Ok(Next::Parted);
            }
            Operation::Trap => return Err((lowest(threads), Reason::Trap)),
            Operation::Read { to, from } => {
                read_special(self, place, (*to, *from), threads);
            }
            Operation::ActiveMask { to } => self.put_word(*to, [threads; LANES], threads),
            Operation::Load {
                to,
                bits,
                signed,
                address,
            } => self.load(reach, to, (*bits, *signed), *address, threads)?,
            Operation::Store {
                from,
                bits,
                address,
            } => self.store(reach, from, *bits, *address, threads)?,
            Operation::AtomicAdd { to, address, by } => {
                self.add_atomically(reach, *to, *address, *by, threads)?;
            }
            operation => {
                let Some(members) = Self::members(operation) else {
                    let reason = Reason::Deadlock("an instruction that does nothing");
                    return Err((lowest(threads), reason));
                };
                self.set_position(group, at);
                self.set_position(group & !threads, at + 1);
                let Meeting::Held(present) = self.meet(operation, members, threads, at)? else {
                    return Ok(Next::Awaited);
                };
                self.set_position(present, at + 1);
                let everybody = present == group;
                return Ok(Next::Met { everybody });
            }
        }
        Ok(Next::Following)
    }
}

fn guarded(warp: &Warp, instruction: &Instruction, group: u32) -> u32 {
    match instruction.guard {
        None => group,
        Some((row, false)) => group & warp.bits[row as usize],
        Some((row, true)) => group & !warp.bits[row as usize],
    }
}

fn read_special(warp: &mut Warp, place: Place<'_>, (to, from): (u32, Special), threads: u32) {
    let Place { launch, index, .. } = place;
    let first = warp.number * 32;
    let [width, height, _] = launch.threads;
    let value = std::array::from_fn(|lane| {
        let thread = first + lane as u32;
        match from {
            Special::Thread(0) => thread % width,
            Special::Thread(1) => thread / width % height,
            Special::Thread(_) => thread / (width * height),
            Special::Threads(axis) => launch.threads[axis],
            Special::Block(axis) => index[axis],
            Special::Blocks(axis) => launch.blocks[axis],
            Special::Lane => lane as u32,
            Special::Meeting { high: true } => (launch.meeting >> 32) as u32,
            Special::Meeting { high: false } => launch.meeting as u32,
        }
    });
    warp.put_word(to, value, threads);
}

fn lowest(threads: u32) -> usize {
    lanes(threads).next().unwrap_or(0)
}
