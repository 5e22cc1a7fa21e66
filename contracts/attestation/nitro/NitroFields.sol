// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAttestationErrors} from "../../interfaces/IAttestationErrors.sol";
import {Slice} from "../cbor/Cursor.sol";

/// @title NitroFields
/// @notice What an enclave's gateway puts into the fields of a Nitro document that AWS leaves free, and how the
/// measurements of an image become one hash. The public network's gateways do the same.
///
/// User data is 68 bytes: two multihashes (code 0x12, SHA-256, and length 32), of the TLS certificate and of the signing
/// key. A nonce that binds has 20 bytes, the first of the value that it stands for: 160 bits, of which nobody can find
/// a second preimage. Nonces of other lengths bind nothing: clients' nonces are answered under a hash, which has 32.
library NitroFields {
    uint256 private constant PCR_LENGTH = 48;
    uint256 private constant BINDING_LENGTH = 20;
    uint256 private constant USER_DATA_LENGTH = 68;
    /// @dev Where the multihash of the signing key begins.
    uint256 private constant KEY_OFFSET = 34;
    uint256 private constant HEADER_LENGTH = 2;
    bytes32 private constant SHA256_HEADER = bytes32(bytes2(0x1220));

    /// @notice `Claims.keysHash` of a document's user data; zero if that is in another format.
    function keysHashOf(Slice userData) internal pure returns (bytes32) {
        if (
            userData.length() != USER_DATA_LENGTH ||
            userData.word(0, HEADER_LENGTH) != SHA256_HEADER ||
            userData.word(KEY_OFFSET, HEADER_LENGTH) != SHA256_HEADER
        ) return 0;
        return
            keccak256(
                abi.encode(userData.word(HEADER_LENGTH, 32), userData.word(KEY_OFFSET + HEADER_LENGTH, 32))
            );
    }

    /// @notice `Claims.binding` of a document's nonce; zero if that has another length than a binding one.
    function bindingOf(Slice nonce) internal pure returns (bytes32) {
        return nonce.length() == BINDING_LENGTH ? nonce.word(0, BINDING_LENGTH) : bytes32(0);
    }

    /// @notice See {IAttestationVerifier-carriedBinding}.
    function carriedBinding(bytes32 binding) internal pure returns (bytes32) {
        return bytes32(bytes20(binding));
    }

    /// @notice `Claims.measurement` of an image, from its measurements. All zero is that of debug mode, which no document
    /// passes with; it is not refused a second time here.
    function measurementOf(
        bytes calldata pcr0,
        bytes calldata pcr1,
        bytes calldata pcr2
    ) internal pure returns (bytes32) {
        _requireLength(0, pcr0);
        _requireLength(1, pcr1);
        _requireLength(2, pcr2);
        return keccak256(bytes.concat(pcr0, pcr1, pcr2));
    }

    function _requireLength(uint256 index, bytes calldata pcr) private pure {
        if (pcr.length != PCR_LENGTH) {
            revert IAttestationErrors.NitroFields_MeasurementInvalid(index, PCR_LENGTH, pcr.length);
        }
    }
}
