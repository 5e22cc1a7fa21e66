// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title CodeStore
/// @notice Bytes as the code of a contract: written once, never changed, and several times cheaper to read than
/// storage. The code starts with a STOP byte, so that a call to it does nothing; offsets count from behind it.
library CodeStore {
    error CodeStore_CreationFailed(uint256 length);

    /// @dev Creation code that returns everything behind itself:
    /// PUSH2 length | DUP1 | PUSH1 10 | RETURNDATASIZE (0) | CODECOPY | RETURNDATASIZE (0) | RETURN,
    /// ten bytes, then the STOP byte, which `length` counts.
    uint256 private constant CREATION_CODE = 0x61_0000_80_600a_3d_39_3d_f3_00;
    uint256 private constant CREATION_CODE_LENGTH = 11;
    /// @dev Position of the two length bytes in CREATION_CODE, in bits from the right.
    uint256 private constant LENGTH_SHIFT = 64;
    /// @dev EIP-170; also keeps the length within its two bytes.
    uint256 private constant MAXIMUM_CODE_LENGTH = 24_576;

    /// @notice Creates a contract that holds `data`.
    function write(bytes memory data) internal returns (address store) {
        uint256 codeLength = data.length + 1;
        if (codeLength > MAXIMUM_CODE_LENGTH) revert CodeStore_CreationFailed(codeLength);
        uint256 prefix = CREATION_CODE | (codeLength << LENGTH_SHIFT);
        bytes memory creationCode = bytes.concat(bytes11(uint88(prefix)), data);
        assembly ("memory-safe") {
            store := create(0, add(creationCode, 0x20), mload(creationCode))
        }
        if (store == address(0)) revert CodeStore_CreationFailed(codeLength);
    }

    /// @notice `length` bytes of the data, from `offset`.
    /// @dev The caller makes sure that the range is inside the data; behind its end there are zeros.
    function read(address store, uint256 offset, uint256 length) internal view returns (bytes memory data) {
        data = new bytes(length);
        assembly ("memory-safe") {
            extcodecopy(store, add(data, 0x20), add(offset, 1), length)
        }
    }

    /// @notice Everything from `offset`, which is not behind the data's end.
    function readFrom(address store, uint256 offset) internal view returns (bytes memory) {
        return read(store, offset, store.code.length - 1 - offset);
    }
}
