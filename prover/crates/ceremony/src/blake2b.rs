//! BLAKE2b with 64 bytes of hash and no key (RFC 7693).

const BLOCK: usize = 128;
const ROUNDS: usize = 12;

const START: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

/// Length of key and hash, and "no tree".
const PARAMETERS: u64 = 0x0101_0000 | HASH_BYTES as u64;

/// Bytes of a hash.
pub const HASH_BYTES: usize = 64;

/// Order of the message's words in each round; the last two rounds are the first two again.
const ORDER: [[usize; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

/// A hash.
pub type Hash = [u8; HASH_BYTES];

/// Hashes what is added to it.
#[derive(Debug, Clone)]
pub struct Blake2b {
    state: [u64; 8],
    /// bytes compressed
    count: u128,
    buffer: [u8; BLOCK],
    filled: usize,
}

impl Default for Blake2b {
    fn default() -> Self {
        let mut state = START;
        state[0] ^= PARAMETERS;
        Self {
            state,
            count: 0,
            buffer: [0; BLOCK],
            filled: 0,
        }
    }
}

impl Blake2b {
    /// Adds bytes.
    pub fn add(&mut self, mut bytes: &[u8]) {
        // The last block is compressed by `finish`, even a full one.
        while !bytes.is_empty() {
            if self.filled == BLOCK {
                self.count += BLOCK as u128;
                self.compress(false);
                self.filled = 0;
            }
            let taken = bytes.len().min(BLOCK - self.filled);
            self.buffer[self.filled..self.filled + taken].copy_from_slice(&bytes[..taken]);
            self.filled += taken;
            bytes = &bytes[taken..];
        }
    }

    /// The hash of everything added.
    pub fn finish(mut self) -> Hash {
        self.count += self.filled as u128;
        self.buffer[self.filled..].fill(0);
        self.compress(true);
        let mut hash = [0; HASH_BYTES];
        for (bytes, word) in hash.chunks_exact_mut(8).zip(self.state) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        hash
    }

    fn compress(&mut self, is_last: bool) {
        let (words, _) = self.buffer.as_chunks::<8>();
        let message: [u64; 16] = core::array::from_fn(|index| u64::from_le_bytes(words[index]));
        let mut v = [0; 16];
        v[..8].copy_from_slice(&self.state);
        v[8..].copy_from_slice(&START);
        v[12] ^= self.count as u64;
        v[13] ^= (self.count >> 64) as u64;
        if is_last {
            v[14] = !v[14];
        }
        for round in 0..ROUNDS {
            let order = &ORDER[round % ORDER.len()];
            for (index, [a, b, c, d]) in [
                [0, 4, 8, 12],
                [1, 5, 9, 13],
                [2, 6, 10, 14],
                [3, 7, 11, 15],
                [0, 5, 10, 15],
                [1, 6, 11, 12],
                [2, 7, 8, 13],
                [3, 4, 9, 14],
            ]
            .into_iter()
            .enumerate()
            {
                let (x, y) = (message[order[2 * index]], message[order[2 * index + 1]]);
                v[a] = v[a].wrapping_add(v[b]).wrapping_add(x);
                v[d] = (v[d] ^ v[a]).rotate_right(32);
                v[c] = v[c].wrapping_add(v[d]);
                v[b] = (v[b] ^ v[c]).rotate_right(24);
                v[a] = v[a].wrapping_add(v[b]).wrapping_add(y);
                v[d] = (v[d] ^ v[a]).rotate_right(16);
                v[c] = v[c].wrapping_add(v[d]);
                v[b] = (v[b] ^ v[c]).rotate_right(63);
            }
        }
        for index in 0..8 {
            self.state[index] ^= v[index] ^ v[index + 8];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(bytes: &[u8]) -> Hash {
        let mut hasher = Blake2b::default();
        hasher.add(bytes);
        hasher.finish()
    }

    fn hex(hash: &Hash) -> String {
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// RFC 7693, appendix A.
    #[test]
    fn the_standard_s_vector() {
        assert_eq!(
            hex(&hash(b"abc")),
            "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1\
             7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"
        );
    }

    /// Hash of the hashes of lengths that end within, at and behind blocks, as Node computes it
    /// (`crypto.createHash("blake2b512")`).
    #[test]
    fn lengths_around_blocks() {
        let bytes: Vec<u8> = (0..=255u8).cycle().take(1024).collect();
        let mut whole = Blake2b::default();
        for length in [0, 1, 63, 64, 127, 128, 129, 255, 256, 257, 1024] {
            whole.add(&hash(&bytes[..length]));
        }
        assert_eq!(hex(&whole.finish()), LENGTHS);
    }

    #[test]
    fn pieces_do_not_matter() {
        let bytes: Vec<u8> = (0..=255u8).cycle().take(1000).collect();
        for piece in [1, 7, 64, 127, 128, 129, 500] {
            let mut hasher = Blake2b::default();
            bytes.chunks(piece).for_each(|piece| hasher.add(piece));
            assert_eq!(hasher.finish(), hash(&bytes), "{piece}");
        }
    }

    const LENGTHS: &str = "5928e07c846f60ff44c567974a9f5df58a2b9f580bdaaff4077f94d729c616767b986a24e56e0a1a4ba2cff66ded8c8a8c0218c74fffc15d2a8b6a57738095e0";
}
