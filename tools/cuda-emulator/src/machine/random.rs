//! Orders that are drawn, the same for the same seed.

/// Marsaglia's xorshift generator of 64 bits (Journal of Statistical Software 8:14, 2003).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Any seed will do.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 16) as usize % bound
    }

    /// Bytes without meaning.
    pub fn noise(&mut self, size: usize) -> Vec<u8> {
        let words = (0..size.div_ceil(8)).flat_map(|_| self.next().to_le_bytes());
        words.take(size).collect()
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Brings items into a drawn order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.below(end + 1));
        }
    }
}
