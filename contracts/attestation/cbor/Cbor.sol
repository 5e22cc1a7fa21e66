// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAttestationErrors} from "../../interfaces/IAttestationErrors.sol";
import {Cursor, Slice} from "./Cursor.sol";

/// @title Cbor
/// @notice A strict reader of the CBOR (RFC 8949) that attestation documents are written in.
///
/// Integers and lengths have to be in their shortest form. Of the indefinite lengths only a map's is accepted,
/// because that is what real documents contain since August 2025. Whatever is not read exactly reverts; nothing is
/// guessed, and no length is trusted before it was compared with the bytes that are there.
library Cbor {
    uint256 internal constant UNSIGNED = 0;
    uint256 internal constant BYTES = 2;
    uint256 internal constant TEXT = 3;
    uint256 internal constant ARRAY = 4;
    uint256 internal constant MAP = 5;
    uint256 internal constant TAG = 6;
    uint256 internal constant SIMPLE = 7;

    /// @dev Size of a map that ends with a break.
    uint256 internal constant INDEFINITE = type(uint256).max;

    /// @dev How deep an unknown value may nest. A document's own values nest once.
    uint256 internal constant MAXIMUM_DEPTH = 8;

    uint256 private constant BREAK = 0xff;
    uint256 private constant NULL = 0xf6;
    uint256 private constant INDEFINITE_MAP = 0xbf;
    /// @dev Simple values below 32 have to be in the header itself (RFC 8949, section 3.3).
    uint256 private constant FIRST_LONG_SIMPLE = 32;

    function readUnsigned(Cursor memory cursor) internal pure returns (uint256) {
        return _readExpected(cursor, UNSIGNED);
    }

    /// @notice A byte string of definite length.
    function readBytes(Cursor memory cursor) internal pure returns (Slice) {
        return _readString(cursor, BYTES);
    }

    /// @notice A text string of definite length. Whether it is UTF-8 is not looked at: texts are only compared.
    function readText(Cursor memory cursor) internal pure returns (Slice) {
        return _readString(cursor, TEXT);
    }

    /// @notice A byte string, or nothing for null.
    function readBytesOrNull(Cursor memory cursor) internal pure returns (Slice) {
        if (cursor.remaining() > 0 && cursor.peek() == NULL) {
            cursor.take(1);
            return Slice.wrap(0);
        }
        return readBytes(cursor);
    }

    /// @notice Header of an array of definite length; the number of its items.
    /// @dev The number is not compared with the bytes: reading the items does that.
    function readArray(Cursor memory cursor) internal pure returns (uint256) {
        return _readExpected(cursor, ARRAY);
    }

    /// @notice Header of a map; the number of its entries, or `INDEFINITE`.
    function readMap(Cursor memory cursor) internal pure returns (uint256) {
        if (cursor.remaining() > 0 && cursor.peek() == INDEFINITE_MAP) {
            cursor.take(1);
            return INDEFINITE;
        }
        return _readExpected(cursor, MAP);
    }

    /// @notice Whether entry number `index` of a map of this size is there; takes the break behind the last one.
    function hasEntry(Cursor memory cursor, uint256 size, uint256 index) internal pure returns (bool) {
        if (size != INDEFINITE) return index < size;
        if (cursor.remaining() == 0) revert IAttestationErrors.Cbor_Truncated(cursor.offsetOf());
        if (cursor.peek() != BREAK) return true;
        cursor.take(1);
        return false;
    }

    /// @notice Passes over one item of any type.
    function skip(Cursor memory cursor) internal pure {
        _skip(cursor, MAXIMUM_DEPTH);
    }

    function requireEnd(Cursor memory cursor) internal pure {
        if (cursor.remaining() != 0) revert IAttestationErrors.Cbor_TrailingBytes(cursor.offsetOf());
    }

    function _skip(Cursor memory cursor, uint256 depth) private pure {
        if (depth == 0) {
            revert IAttestationErrors.Cbor_NestingTooDeep(cursor.offsetOf(), MAXIMUM_DEPTH);
        }
        if (cursor.remaining() > 0 && cursor.peek() == INDEFINITE_MAP) {
            cursor.take(1);
            while (hasEntry(cursor, INDEFINITE, 0)) {
                _skip(cursor, depth - 1);
                _skip(cursor, depth - 1);
            }
            return;
        }
        (uint256 majorType, uint256 argument) = _readHeader(cursor);
        if (majorType == BYTES || majorType == TEXT) {
            _requireRemaining(cursor, argument);
            cursor.take(argument);
        } else if (majorType == ARRAY || majorType == TAG) {
            uint256 count = majorType == TAG ? 1 : argument;
            for (uint256 i = 0; i < count; ++i) {
                _skip(cursor, depth - 1);
            }
        } else if (majorType == MAP) {
            for (uint256 i = 0; i < argument; ++i) {
                _skip(cursor, depth - 1);
                _skip(cursor, depth - 1);
            }
        }
    }

    function _readString(Cursor memory cursor, uint256 majorType) private pure returns (Slice) {
        uint256 length = _readExpected(cursor, majorType);
        _requireRemaining(cursor, length);
        return cursor.take(length);
    }

    function _readExpected(Cursor memory cursor, uint256 expected) private pure returns (uint256 argument) {
        uint256 position = cursor.position;
        uint256 majorType;
        (majorType, argument) = _readHeader(cursor);
        if (majorType != expected) {
            revert IAttestationErrors.Cbor_UnexpectedType(position - cursor.start, expected, majorType);
        }
    }

    /// @dev Major type and argument, the latter below 2^64. Works on one word of memory, because a document has
    /// dozens of headers.
    function _readHeader(Cursor memory cursor) private pure returns (uint256 majorType, uint256 argument) {
        uint256 position = cursor.position;
        uint256 remaining = cursor.remaining();
        if (remaining == 0) revert IAttestationErrors.Cbor_Truncated(cursor.offsetOf());
        uint256 word;
        assembly ("memory-safe") {
            word := mload(position)
        }
        uint256 header = word >> 248;
        majorType = header >> 5;
        argument = header & 0x1f;
        if (argument < 24) {
            unchecked {
                cursor.position = position + 1;
            }
            return (majorType, argument);
        }
        // 28 to 30 are reserved, 31 is an indefinite length or a break.
        if (argument > 27) revert IAttestationErrors.Cbor_UnsupportedHeader(cursor.offsetOf(), header);

        uint256 size = 1 << (argument - 24);
        if (remaining <= size) revert IAttestationErrors.Cbor_Truncated(cursor.offsetOf());
        argument = (word << 8) >> (256 - 8 * size);
        // Of the simple values, two, four or eight bytes are a float, whose bits may be anything.
        uint256 least =
            majorType == SIMPLE ? (size == 1 ? FIRST_LONG_SIMPLE : 0) : (size == 1 ? 24 : 1 << (size * 4));
        if (argument < least) revert IAttestationErrors.Cbor_NotShortestForm(cursor.offsetOf());
        unchecked {
            cursor.position = position + 1 + size;
        }
    }

    function _requireRemaining(Cursor memory cursor, uint256 size) private pure {
        if (size > cursor.remaining()) revert IAttestationErrors.Cbor_Truncated(cursor.offsetOf());
    }
}
