// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Sha384
/// @notice SHA-384 (FIPS 180-4, section 6.5).
///
/// Two message words of 64 bits share a word of the EVM: memory holds one in every 16 bytes, so that 32 bytes from any
/// of them are a pair. The message schedule computes pairs, since word t depends on no word after t - 2; a round
/// reads the lower half of 32 bytes and masks what is above.
///
/// A rotation is a shift of the word written twice, x (2^64 + 1); the eight variables of a round hold their words like
/// that. Whatever is above the low 64 bits does not change them in sums, ANDs and XORs, and is masked where it would
/// matter: when a variable gets a new word, and before sums of pairs.
library Sha384 {
    /// @dev The fractional parts of the square roots of the 9th to the 16th prime (section 5.3.4).
    uint256 private constant H0 = 0xcbbb9d5dc1059ed8;
    uint256 private constant H1 = 0x629a292a367cd507;
    uint256 private constant H2 = 0x9159015a3070dd17;
    uint256 private constant H3 = 0x152fecd8f70e5939;
    uint256 private constant H4 = 0x67332667ffc00b31;
    uint256 private constant H5 = 0x8eb44a8768581511;
    uint256 private constant H6 = 0xdb0c2e0d64f98fa7;
    uint256 private constant H7 = 0x47b5481dbefa4fa4;
    /// @dev 2^64 - 1, in one half and in both halves of a word, and 2^64 + 1.
    uint256 private constant MASK = 0xffffffffffffffff;
    uint256 private constant PAIR_MASK = 0xffffffffffffffff0000000000000000ffffffffffffffff;
    uint256 private constant TWICE = 0x10000000000000001;

    uint256 private constant BLOCK_LENGTH = 128;
    /// @dev Behind a message come one byte 0x80, zeros, and 16 bytes for its length in bits.
    uint256 private constant LENGTH_POSITION = 112;

    /// @dev Work area: the state (8 words), the round constants, the words of the schedule, the sums of both (80
    /// times 16 bytes each), and the block.
    uint256 private constant CONSTANTS = 0x100;
    uint256 private constant SCHEDULE = 0x600;
    uint256 private constant SUMS = 0xb00;
    uint256 private constant BLOCK = 0x1000;
    uint256 private constant WORK_LENGTH = 0x1080;
    /// @dev The work area starts 16 bytes behind a multiple of 2048. The loop of `_compress`, which reads 16 bytes
    /// early, then ends at a multiple of 2048: it has no room on the stack for where it ends.
    uint256 private constant ALIGNMENT = 0x800;
    uint256 private constant ALIGNMENT_OFFSET = 0x10;

    /// @notice The first 16 and the other 32 bytes of the hash of `data`.
    function hash(bytes calldata data) internal pure returns (bytes16 high, bytes32 low) {
        uint256 work = _allocate();
        _writeState(work);
        _writeConstants(work + CONSTANTS);
        uint256 rest = data.length % BLOCK_LENGTH;
        uint256 whole = data.length - rest;
        for (uint256 offset = 0; offset < whole; offset += BLOCK_LENGTH) {
            _copyBlock(work + BLOCK, data, offset, BLOCK_LENGTH);
            _process(work);
        }
        _copyBlock(work + BLOCK, data, whole, rest);
        assembly ("memory-safe") {
            mstore8(add(add(work, BLOCK), rest), 0x80)
        }
        if (rest >= LENGTH_POSITION) {
            _process(work);
            _copyBlock(work + BLOCK, data, 0, 0);
        }
        assembly ("memory-safe") {
            // a length in bits takes 8 of the 16 bytes; those before the 16 may be in use
            let end := add(work, 0x1060)
            mstore(end, or(mload(end), shl(3, data.length)))
        }
        _process(work);
        assembly ("memory-safe") {
            high := shl(128, or(shl(64, mload(work)), mload(add(work, 0x20))))
            low := or(shl(192, mload(add(work, 0x40))), shl(128, mload(add(work, 0x60))))
            low := or(low, or(shl(64, mload(add(work, 0x80))), mload(add(work, 0xa0))))
        }
    }

    function _allocate() private pure returns (uint256 work) {
        assembly ("memory-safe") {
            work := add(and(add(mload(0x40), sub(ALIGNMENT, 1)), not(sub(ALIGNMENT, 1))), ALIGNMENT_OFFSET)
            mstore(0x40, add(work, WORK_LENGTH))
        }
    }

    /// @dev `length` bytes of the data, up to a block, and zeros behind them.
    function _copyBlock(uint256 target, bytes calldata data, uint256 offset, uint256 length) private pure {
        assembly ("memory-safe") {
            // past the end of calldata, a copy writes zeros
            calldatacopy(target, calldatasize(), 0x80)
            calldatacopy(target, add(data.offset, offset), length)
        }
    }

    function _process(uint256 work) private pure {
        _writeSchedule(work);
        _compress(work);
    }

    /// @dev The fractional parts of the cube roots of the first eighty primes (section 4.2.3), as pairs.
    function _writeConstants(uint256 target) private pure {
        assembly ("memory-safe") {
            mstore(target, 0x428a2f98d728ae2200000000000000007137449123ef65cd)
            mstore(add(target, 0x020), 0xb5c0fbcfec4d3b2f0000000000000000e9b5dba58189dbbc)
            mstore(add(target, 0x040), 0x3956c25bf348b538000000000000000059f111f1b605d019)
            mstore(add(target, 0x060), 0x923f82a4af194f9b0000000000000000ab1c5ed5da6d8118)
            mstore(add(target, 0x080), 0xd807aa98a3030242000000000000000012835b0145706fbe)
            mstore(add(target, 0x0a0), 0x243185be4ee4b28c0000000000000000550c7dc3d5ffb4e2)
            mstore(add(target, 0x0c0), 0x72be5d74f27b896f000000000000000080deb1fe3b1696b1)
            mstore(add(target, 0x0e0), 0x9bdc06a725c712350000000000000000c19bf174cf692694)
            mstore(add(target, 0x100), 0xe49b69c19ef14ad20000000000000000efbe4786384f25e3)
            mstore(add(target, 0x120), 0x0fc19dc68b8cd5b50000000000000000240ca1cc77ac9c65)
            mstore(add(target, 0x140), 0x2de92c6f592b027500000000000000004a7484aa6ea6e483)
            mstore(add(target, 0x160), 0x5cb0a9dcbd41fbd4000000000000000076f988da831153b5)
            mstore(add(target, 0x180), 0x983e5152ee66dfab0000000000000000a831c66d2db43210)
            mstore(add(target, 0x1a0), 0xb00327c898fb213f0000000000000000bf597fc7beef0ee4)
            mstore(add(target, 0x1c0), 0xc6e00bf33da88fc20000000000000000d5a79147930aa725)
            mstore(add(target, 0x1e0), 0x06ca6351e003826f0000000000000000142929670a0e6e70)
            mstore(add(target, 0x200), 0x27b70a8546d22ffc00000000000000002e1b21385c26c926)
            mstore(add(target, 0x220), 0x4d2c6dfc5ac42aed000000000000000053380d139d95b3df)
            mstore(add(target, 0x240), 0x650a73548baf63de0000000000000000766a0abb3c77b2a8)
            mstore(add(target, 0x260), 0x81c2c92e47edaee6000000000000000092722c851482353b)
            mstore(add(target, 0x280), 0xa2bfe8a14cf103640000000000000000a81a664bbc423001)
            mstore(add(target, 0x2a0), 0xc24b8b70d0f897910000000000000000c76c51a30654be30)
            mstore(add(target, 0x2c0), 0xd192e819d6ef52180000000000000000d69906245565a910)
            mstore(add(target, 0x2e0), 0xf40e35855771202a0000000000000000106aa07032bbd1b8)
            mstore(add(target, 0x300), 0x19a4c116b8d2d0c800000000000000001e376c085141ab53)
            mstore(add(target, 0x320), 0x2748774cdf8eeb99000000000000000034b0bcb5e19b48a8)
            mstore(add(target, 0x340), 0x391c0cb3c5c95a6300000000000000004ed8aa4ae3418acb)
            mstore(add(target, 0x360), 0x5b9cca4f7763e3730000000000000000682e6ff3d6b2b8a3)
            mstore(add(target, 0x380), 0x748f82ee5defb2fc000000000000000078a5636f43172f60)
            mstore(add(target, 0x3a0), 0x84c87814a1f0ab7200000000000000008cc702081a6439ec)
            mstore(add(target, 0x3c0), 0x90befffa23631e280000000000000000a4506cebde82bde9)
            mstore(add(target, 0x3e0), 0xbef9a3f7b2c679150000000000000000c67178f2e372532b)
            mstore(add(target, 0x400), 0xca273eceea26619c0000000000000000d186b8c721c0c207)
            mstore(add(target, 0x420), 0xeada7dd6cde0eb1e0000000000000000f57d4f7fee6ed178)
            mstore(add(target, 0x440), 0x06f067aa72176fba00000000000000000a637dc5a2c898a6)
            mstore(add(target, 0x460), 0x113f9804bef90dae00000000000000001b710b35131c471b)
            mstore(add(target, 0x480), 0x28db77f523047d84000000000000000032caab7b40c72493)
            mstore(add(target, 0x4a0), 0x3c9ebe0a15c9bebc0000000000000000431d67c49c100d4c)
            mstore(add(target, 0x4c0), 0x4cc5d4becb3e42b60000000000000000597f299cfc657e2a)
            mstore(add(target, 0x4e0), 0x5fcb6fab3ad6faec00000000000000006c44198c4a475817)
        }
    }

    function _writeState(uint256 state) private pure {
        assembly ("memory-safe") {
            mstore(state, H0)
            mstore(add(state, 0x20), H1)
            mstore(add(state, 0x40), H2)
            mstore(add(state, 0x60), H3)
            mstore(add(state, 0x80), H4)
            mstore(add(state, 0xa0), H5)
            mstore(add(state, 0xc0), H6)
            mstore(add(state, 0xe0), H7)
        }
    }

    // Unrolled: a pass of the schedule's loop makes eight words, one of the rounds' loop does eight rounds.
    // solhint-disable function-max-lines

    /// @dev The message schedule of a block, and its sums with the round constants. A word of the schedule has its
    /// constant 0x500 before it and the sum of both 0x500 behind it.
    function _writeSchedule(uint256 work) private pure {
        assembly ("memory-safe") {
            let schedule := add(work, SCHEDULE)
            let message := add(work, BLOCK)
            for {
                let end := add(message, 0x80)
            } lt(message, end) {
                message := add(message, 0x20)
            } {
                let words := mload(message)
                let pair := or(shl(128, shr(192, words)), and(shr(128, words), MASK))
                mstore(schedule, pair)
                mstore(add(schedule, 0x500), add(pair, mload(sub(schedule, 0x500))))
                pair := or(shl(128, and(shr(64, words), MASK)), and(words, MASK))
                mstore(add(schedule, 0x20), pair)
                mstore(add(schedule, 0x520), add(pair, mload(sub(schedule, 0x4e0))))
                schedule := add(schedule, 0x40)
            }
            for {
                let end := add(work, SUMS)
            } lt(schedule, end) {
                schedule := add(schedule, 0x80)
            } {
                // s0 of word t - 15, s1 of word t - 2
                let early := mload(sub(schedule, 0xf0))
                let late := mload(sub(schedule, 0x20))
                let pair := mul(early, TWICE)
                early := and(xor(xor(shr(1, pair), shr(8, pair)), shr(7, early)), PAIR_MASK)
                pair := mul(late, TWICE)
                late := and(xor(xor(shr(19, pair), shr(61, pair)), shr(6, late)), PAIR_MASK)
                pair := add(add(early, late), add(mload(sub(schedule, 0x70)), mload(sub(schedule, 0x100))))
                pair := and(pair, PAIR_MASK)
                mstore(schedule, pair)
                mstore(add(schedule, 0x500), add(pair, mload(sub(schedule, 0x500))))
                // s0 of word t - 15, s1 of word t - 2
                early := mload(sub(schedule, 0xd0))
                late := mload(schedule)
                pair := mul(early, TWICE)
                early := and(xor(xor(shr(1, pair), shr(8, pair)), shr(7, early)), PAIR_MASK)
                pair := mul(late, TWICE)
                late := and(xor(xor(shr(19, pair), shr(61, pair)), shr(6, late)), PAIR_MASK)
                pair := add(add(early, late), add(mload(sub(schedule, 0x50)), mload(sub(schedule, 0xe0))))
                pair := and(pair, PAIR_MASK)
                mstore(add(schedule, 0x20), pair)
                mstore(add(schedule, 0x520), add(pair, mload(sub(schedule, 0x4e0))))
                // s0 of word t - 15, s1 of word t - 2
                early := mload(sub(schedule, 0xb0))
                late := mload(add(schedule, 0x20))
                pair := mul(early, TWICE)
                early := and(xor(xor(shr(1, pair), shr(8, pair)), shr(7, early)), PAIR_MASK)
                pair := mul(late, TWICE)
                late := and(xor(xor(shr(19, pair), shr(61, pair)), shr(6, late)), PAIR_MASK)
                pair := add(add(early, late), add(mload(sub(schedule, 0x30)), mload(sub(schedule, 0xc0))))
                pair := and(pair, PAIR_MASK)
                mstore(add(schedule, 0x40), pair)
                mstore(add(schedule, 0x540), add(pair, mload(sub(schedule, 0x4c0))))
                // s0 of word t - 15, s1 of word t - 2
                early := mload(sub(schedule, 0x90))
                late := mload(add(schedule, 0x40))
                pair := mul(early, TWICE)
                early := and(xor(xor(shr(1, pair), shr(8, pair)), shr(7, early)), PAIR_MASK)
                pair := mul(late, TWICE)
                late := and(xor(xor(shr(19, pair), shr(61, pair)), shr(6, late)), PAIR_MASK)
                pair := add(add(early, late), add(mload(sub(schedule, 0x10)), mload(sub(schedule, 0xa0))))
                pair := and(pair, PAIR_MASK)
                mstore(add(schedule, 0x60), pair)
                mstore(add(schedule, 0x560), add(pair, mload(sub(schedule, 0x4a0))))
            }
        }
    }

    /// @dev Eighty rounds, eight at a time: after eight, each variable has its name again. Behind the last round, `sum`
    /// is 0xff0 bytes from the start of the work area.
    function _compress(uint256 work) private pure {
        assembly ("memory-safe") {
            let a := mul(mload(work), TWICE)
            let b := mul(mload(add(work, 0x20)), TWICE)
            let c := mul(mload(add(work, 0x40)), TWICE)
            let d := mul(mload(add(work, 0x60)), TWICE)
            let e := mul(mload(add(work, 0x80)), TWICE)
            let f := mul(mload(add(work, 0xa0)), TWICE)
            let g := mul(mload(add(work, 0xc0)), TWICE)
            let h := mul(mload(add(work, 0xe0)), TWICE)
            // 16 bytes before the sums, to read each in the lower half
            let sum := add(work, sub(SUMS, 0x10))
            for {} and(sum, sub(ALIGNMENT, 1)) {
                sum := add(sum, 0x80)
            } {
                h := add(h, mload(sum))
                h := add(h, xor(g, and(e, xor(f, g))))
                h := add(h, xor(xor(shr(14, e), shr(18, e)), shr(41, e)))
                d := mul(and(add(d, h), MASK), TWICE)
                h := add(h, or(and(a, b), and(c, or(a, b))))
                h := add(h, xor(xor(shr(28, a), shr(34, a)), shr(39, a)))
                h := mul(and(h, MASK), TWICE)
                g := add(g, mload(add(sum, 0x10)))
                g := add(g, xor(f, and(d, xor(e, f))))
                g := add(g, xor(xor(shr(14, d), shr(18, d)), shr(41, d)))
                c := mul(and(add(c, g), MASK), TWICE)
                g := add(g, or(and(h, a), and(b, or(h, a))))
                g := add(g, xor(xor(shr(28, h), shr(34, h)), shr(39, h)))
                g := mul(and(g, MASK), TWICE)
                f := add(f, mload(add(sum, 0x20)))
                f := add(f, xor(e, and(c, xor(d, e))))
                f := add(f, xor(xor(shr(14, c), shr(18, c)), shr(41, c)))
                b := mul(and(add(b, f), MASK), TWICE)
                f := add(f, or(and(g, h), and(a, or(g, h))))
                f := add(f, xor(xor(shr(28, g), shr(34, g)), shr(39, g)))
                f := mul(and(f, MASK), TWICE)
                e := add(e, mload(add(sum, 0x30)))
                e := add(e, xor(d, and(b, xor(c, d))))
                e := add(e, xor(xor(shr(14, b), shr(18, b)), shr(41, b)))
                a := mul(and(add(a, e), MASK), TWICE)
                e := add(e, or(and(f, g), and(h, or(f, g))))
                e := add(e, xor(xor(shr(28, f), shr(34, f)), shr(39, f)))
                e := mul(and(e, MASK), TWICE)
                d := add(d, mload(add(sum, 0x40)))
                d := add(d, xor(c, and(a, xor(b, c))))
                d := add(d, xor(xor(shr(14, a), shr(18, a)), shr(41, a)))
                h := mul(and(add(h, d), MASK), TWICE)
                d := add(d, or(and(e, f), and(g, or(e, f))))
                d := add(d, xor(xor(shr(28, e), shr(34, e)), shr(39, e)))
                d := mul(and(d, MASK), TWICE)
                c := add(c, mload(add(sum, 0x50)))
                c := add(c, xor(b, and(h, xor(a, b))))
                c := add(c, xor(xor(shr(14, h), shr(18, h)), shr(41, h)))
                g := mul(and(add(g, c), MASK), TWICE)
                c := add(c, or(and(d, e), and(f, or(d, e))))
                c := add(c, xor(xor(shr(28, d), shr(34, d)), shr(39, d)))
                c := mul(and(c, MASK), TWICE)
                b := add(b, mload(add(sum, 0x60)))
                b := add(b, xor(a, and(g, xor(h, a))))
                b := add(b, xor(xor(shr(14, g), shr(18, g)), shr(41, g)))
                f := mul(and(add(f, b), MASK), TWICE)
                b := add(b, or(and(c, d), and(e, or(c, d))))
                b := add(b, xor(xor(shr(28, c), shr(34, c)), shr(39, c)))
                b := mul(and(b, MASK), TWICE)
                a := add(a, mload(add(sum, 0x70)))
                a := add(a, xor(h, and(f, xor(g, h))))
                a := add(a, xor(xor(shr(14, f), shr(18, f)), shr(41, f)))
                e := mul(and(add(e, a), MASK), TWICE)
                a := add(a, or(and(b, c), and(d, or(b, c))))
                a := add(a, xor(xor(shr(28, b), shr(34, b)), shr(39, b)))
                a := mul(and(a, MASK), TWICE)
            }
            work := sub(sum, 0xff0)
            mstore(work, and(add(mload(work), a), MASK))
            mstore(add(work, 0x20), and(add(mload(add(work, 0x20)), b), MASK))
            mstore(add(work, 0x40), and(add(mload(add(work, 0x40)), c), MASK))
            mstore(add(work, 0x60), and(add(mload(add(work, 0x60)), d), MASK))
            mstore(add(work, 0x80), and(add(mload(add(work, 0x80)), e), MASK))
            mstore(add(work, 0xa0), and(add(mload(add(work, 0xa0)), f), MASK))
            mstore(add(work, 0xc0), and(add(mload(add(work, 0xc0)), g), MASK))
            mstore(add(work, 0xe0), and(add(mload(add(work, 0xe0)), h), MASK))
        }
    }

    // solhint-enable function-max-lines
}
