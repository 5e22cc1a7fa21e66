// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev A range of bytes in memory: position of its first byte, shifted left by 128, and its length. Taking a part of
/// a document costs nothing; nothing is copied until somebody needs `bytes`. Memory is never freed in the EVM, so a
/// slice stays valid as long as nobody writes to the array that it was cut from.
type Slice is uint256;

/// @dev A reader over a slice. `start` is where offsets in errors count from.
struct Cursor {
    uint256 start;
    uint256 position;
    uint256 end;
}

using Slices for Slice global;
using Slices for Cursor global;

/// @title Slices
/// @notice Ranges of bytes in memory. The parsers cut them.
/// @dev Positions and lengths are those of allocated memory, far below 2^64, and `start <= position <= end` holds for
/// every cursor: whoever moves one has compared with `remaining` first. So the unchecked sums and differences of them
/// cannot wrap.
library Slices {
    uint256 private constant LENGTH_BITS = 128;

    error Slices_OutOfRange(uint256 length, uint256 offset, uint256 size);

    /// @dev `end` is not before `position`.
    function between(uint256 position_, uint256 end) internal pure returns (Slice) {
        unchecked {
            return Slice.wrap((position_ << LENGTH_BITS) | (end - position_));
        }
    }

    function fromBytes(bytes memory data) internal pure returns (Slice slice) {
        assembly ("memory-safe") {
            slice := or(shl(LENGTH_BITS, add(data, 0x20)), mload(data))
        }
    }

    function position(Slice slice) internal pure returns (uint256) {
        return Slice.unwrap(slice) >> LENGTH_BITS;
    }

    function length(Slice slice) internal pure returns (uint256) {
        return uint128(Slice.unwrap(slice));
    }

    /// @dev keccak256 of the bytes.
    function hash(Slice slice) internal pure returns (bytes32 result) {
        uint256 position_ = slice.position();
        uint256 length_ = slice.length();
        assembly ("memory-safe") {
            result := keccak256(position_, length_)
        }
    }

    /// @notice A copy.
    function toBytes(Slice slice) internal pure returns (bytes memory data) {
        uint256 position_ = slice.position();
        uint256 length_ = slice.length();
        data = new bytes(length_);
        assembly ("memory-safe") {
            mcopy(add(data, 0x20), position_, length_)
        }
    }

    /// @notice `size` bytes from `offset`, at most 32, at the left of a word; the rest of the word is zero.
    function word(Slice slice, uint256 offset, uint256 size) internal pure returns (bytes32 result) {
        if (size > 32 || offset + size > slice.length()) {
            revert Slices_OutOfRange(slice.length(), offset, size);
        }
        uint256 position_ = slice.position() + offset;
        assembly ("memory-safe") {
            // A shift by 256 is zero: no mask is needed for no bytes.
            let unused := shl(3, sub(32, size))
            result := shl(unused, shr(unused, mload(position_)))
        }
    }

    function cursor(Slice slice) internal pure returns (Cursor memory) {
        uint256 position_ = slice.position();
        unchecked {
            return Cursor(position_, position_, position_ + slice.length());
        }
    }

    /// @dev Where the reader stands, as errors report it.
    function offsetOf(Cursor memory self) internal pure returns (uint256) {
        unchecked {
            return self.position - self.start;
        }
    }

    function remaining(Cursor memory self) internal pure returns (uint256) {
        unchecked {
            return self.end - self.position;
        }
    }

    /// @dev The next byte, without moving. Meaningless at the end: the caller has looked.
    function peek(Cursor memory self) internal pure returns (uint256 value) {
        uint256 position_ = self.position;
        assembly ("memory-safe") {
            value := byte(0, mload(position_))
        }
    }

    /// @dev The next `size` bytes as a big-endian number, without moving; 1 to 32, and the caller has looked.
    function peekNumber(Cursor memory self, uint256 size) internal pure returns (uint256 value) {
        uint256 position_ = self.position;
        assembly ("memory-safe") {
            value := shr(shl(3, sub(32, size)), mload(position_))
        }
    }

    /// @dev The next `size` bytes as a slice, moving behind them; the caller has looked that they are there.
    function take(Cursor memory self, uint256 size) internal pure returns (Slice slice) {
        uint256 position_ = self.position;
        unchecked {
            uint256 next = position_ + size;
            slice = between(position_, next);
            self.position = next;
        }
    }
}
