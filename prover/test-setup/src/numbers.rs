//! Numbers that look random and are the same for the same seed.

use ark_bn254::Fr;
use ark_ff::{BigInt, PrimeField};

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
#[derive(Debug, Clone)]
pub struct Numbers {
    state: u64,
}

impl Numbers {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 bits.
    pub fn word(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.state;
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ word >> 31
    }

    /// A number below `limit` (slightly biased for limits near 2^64).
    pub fn below(&mut self, limit: u64) -> u64 {
        self.word() % limit
    }

    /// A field element.
    pub fn scalar(&mut self) -> Fr {
        loop {
            let mut words = [self.word(), self.word(), self.word(), self.word()];
            words[3] >>= 2;
            if let Some(element) = Fr::from_bigint(BigInt(words)) {
                return element;
            }
        }
    }
}
