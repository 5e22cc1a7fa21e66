// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAttestationErrors} from "../../interfaces/IAttestationErrors.sol";
import {Cursor, Slice} from "../cbor/Cursor.sol";

/// @title Der
/// @notice A strict reader of DER (X.690): one-byte tags, definite lengths up to 65,535 in their shortest form,
/// integers that are not negative and in their shortest form.
library Der {
    uint256 internal constant BOOLEAN = 0x01;
    uint256 internal constant INTEGER = 0x02;
    uint256 internal constant BIT_STRING = 0x03;
    uint256 internal constant OCTET_STRING = 0x04;
    uint256 internal constant OBJECT_IDENTIFIER = 0x06;
    uint256 internal constant UTC_TIME = 0x17;
    uint256 internal constant GENERALIZED_TIME = 0x18;
    uint256 internal constant SEQUENCE = 0x30;

    /// @notice Content of the next element, which has this tag.
    function read(Cursor memory cursor, uint256 tag) internal pure returns (Slice content) {
        uint256 offset = cursor.offsetOf();
        uint256 remaining = cursor.remaining();
        if (remaining < 2) revert IAttestationErrors.Der_Truncated(offset);
        uint256 header = cursor.peekNumber(2);
        if (header >> 8 != tag) revert IAttestationErrors.Der_UnexpectedTag(offset, tag, header >> 8);
        cursor.take(2);

        uint256 length = header & 0xff;
        if (length >= 0x80) {
            uint256 size = length - 0x80;
            // No size is the indefinite form; more than two bytes are longer than any certificate here.
            if (size == 0 || size > 2) revert IAttestationErrors.Der_LengthInvalid(offset);
            if (remaining < 2 + size) revert IAttestationErrors.Der_Truncated(offset);
            length = cursor.peekNumber(size);
            cursor.take(size);
            if (length < (size == 1 ? 0x80 : 0x100)) revert IAttestationErrors.Der_LengthInvalid(offset);
        }
        if (length > cursor.remaining()) revert IAttestationErrors.Der_Truncated(offset);
        return cursor.take(length);
    }

    /// @notice The next element with its header.
    function readWhole(Cursor memory cursor, uint256 tag) internal pure returns (Slice whole) {
        uint256 position = cursor.position;
        read(cursor, tag);
        uint256 size = cursor.position - position;
        cursor.position = position;
        return cursor.take(size);
    }

    /// @notice A reader over the content of the next element, which moves behind it. Offsets go on counting.
    function enter(Cursor memory cursor, uint256 tag) internal pure returns (Cursor memory) {
        Slice content = read(cursor, tag);
        return Cursor(cursor.start, content.position(), cursor.position);
    }

    /// @notice Whether the next element has this tag.
    function isNext(Cursor memory cursor, uint256 tag) internal pure returns (bool) {
        return cursor.remaining() > 0 && cursor.peek() == tag;
    }

    /// @notice Magnitude of an integer that is not negative: its bytes without the sign byte; none for zero.
    function readMagnitude(Cursor memory cursor, uint256 maximumBytes) internal pure returns (Slice) {
        uint256 offset = cursor.offsetOf();
        Cursor memory content = enter(cursor, INTEGER);
        uint256 size = content.remaining();
        if (size == 0) revert IAttestationErrors.Der_IntegerInvalid(offset);
        uint256 first = content.peek();
        if (first >= 0x80) revert IAttestationErrors.Der_IntegerInvalid(offset);
        if (first == 0) {
            // A leading zero is there only to keep the sign bit free, or to write zero.
            if (size > 1 && content.peekNumber(2) < 0x80) {
                revert IAttestationErrors.Der_IntegerInvalid(offset);
            }
            content.take(1);
            --size;
        }
        if (size > maximumBytes) {
            revert IAttestationErrors.Der_IntegerTooLong(offset, maximumBytes, size);
        }
        return content.take(size);
    }

    /// @notice An integer of at most 32 bytes.
    function readUnsigned(Cursor memory cursor, uint256 maximumBytes) internal pure returns (uint256) {
        Slice magnitude = readMagnitude(cursor, maximumBytes);
        uint256 size = magnitude.length();
        return uint256(magnitude.word(0, size)) >> (256 - 8 * size);
    }

    function requireEnd(Cursor memory cursor) internal pure {
        if (cursor.remaining() != 0) revert IAttestationErrors.Der_TrailingBytes(cursor.offsetOf());
    }
}
