//! Runs a launch: its blocks one after another, or all at once where they meet.

use super::block::Block;
use super::error::{KernelError, Reason};
use super::launch::Launch;
use super::memory::Memory;
use super::random::Random;

/// Instructions of warps after which a launch is taken for endless.
const MOST_INSTRUCTIONS: u64 = 100_000_000_000;

impl Launch<'_> {
    /// Runs it to its end. Warps and blocks take turns in an order that is drawn.
    ///
    /// # Returns
    /// the number of instructions that warps executed
    ///
    /// # Errors
    /// [`KernelError`] of the first thread that fails.
    pub fn run(&self, memory: &mut Memory, random: &mut Random) -> Result<u64, KernelError> {
        let [width, height, depth] = self.blocks;
        let mut indices: Vec<[u32; 3]> = (0..depth)
            .flat_map(|z| (0..height).flat_map(move |y| (0..width).map(move |x| [x, y, z])))
            .collect();
        random.shuffle(&mut indices);
        let mut executed = 0;
        if self.meeting == 0 {
            for index in indices {
                self.finish(
                    &mut [Block::new(self, index)],
                    memory,
                    random,
                    &mut executed,
                )?;
            }
        } else {
            let mut blocks: Vec<Block<'_>> = indices
                .into_iter()
                .map(|index| Block::new(self, index))
                .collect();
            self.finish(&mut blocks, memory, random, &mut executed)?;
        }
        Ok(executed)
    }

    fn finish(
        &self,
        blocks: &mut [Block<'_>],
        memory: &mut Memory,
        random: &mut Random,
        executed: &mut u64,
    ) -> Result<(), KernelError> {
        while blocks.iter().any(|block| !block.is_done()) {
            for block in blocks.iter_mut() {
                let done = block.turn(memory, random.below(1 << 16))?;
                // It waits for nobody but its own threads: who waits for other blocks asks again
                // and again.
                if done == 0 && !block.is_done() {
                    return Err(block.deadlock());
                }
                *executed += done;
                if *executed > MOST_INSTRUCTIONS {
                    let reason = Reason::Endless(MOST_INSTRUCTIONS);
                    return Err(KernelError {
                        reason,
                        ..block.deadlock()
                    });
                }
            }
        }
        Ok(())
    }
}
