// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CodeStore} from "../CodeStore.sol";

/// @title NodeRecords
/// @notice What was attested about a node, as the code of a contract: measurement (32) | endorsement (32) | length of
/// the key (2) | length of the certificate (2) | key | TLS certificate | endpoint.
library NodeRecords {
    uint256 private constant KEY_LENGTH_OFFSET = 64;
    uint256 private constant HEADER_LENGTH = 68;

    struct Record {
        bytes32 pcrHash;
        bytes32 endorsement;
        bytes signingKey;
        bytes tlsCertificate;
        string endpoint;
    }

    /// @dev The caller keeps key and certificate below 65,536 bytes.
    function write(Record memory record) internal returns (address) {
        return
            CodeStore.write(
                abi.encodePacked(
                    record.pcrHash,
                    record.endorsement,
                    uint16(record.signingKey.length),
                    uint16(record.tlsCertificate.length),
                    record.signingKey,
                    record.tlsCertificate,
                    record.endpoint
                )
            );
    }

    function read(address store) internal view returns (Record memory record) {
        bytes memory data = CodeStore.readFrom(store, 0);
        (uint256 keyLength, uint256 certificateLength) = _lengths(data);
        record.pcrHash = _word(data, 0);
        record.endorsement = _word(data, 32);
        record.signingKey = _copy(data, HEADER_LENGTH, keyLength);
        record.tlsCertificate = _copy(data, HEADER_LENGTH + keyLength, certificateLength);
        uint256 endpointOffset = HEADER_LENGTH + keyLength + certificateLength;
        record.endpoint = string(_copy(data, endpointOffset, data.length - endpointOffset));
    }

    /// @notice Only measurement and endorsement: what every use has to look at.
    function readIdentity(address store) internal view returns (bytes32 pcrHash, bytes32 endorsement) {
        bytes memory data = CodeStore.read(store, 0, KEY_LENGTH_OFFSET);
        return (_word(data, 0), _word(data, 32));
    }

    function readSigningKey(address store) internal view returns (bytes memory) {
        (uint256 keyLength, ) = _lengths(CodeStore.read(store, 0, HEADER_LENGTH));
        return CodeStore.read(store, HEADER_LENGTH, keyLength);
    }

    function _lengths(bytes memory data) private pure returns (uint256 keyLength, uint256 certificateLength) {
        uint256 lengths = uint256(_word(data, KEY_LENGTH_OFFSET)) >> 224;
        return (lengths >> 16, lengths & 0xffff);
    }

    function _word(bytes memory data, uint256 offset) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := mload(add(add(data, 0x20), offset))
        }
    }

    function _copy(
        bytes memory data,
        uint256 offset,
        uint256 length
    ) private pure returns (bytes memory part) {
        part = new bytes(length);
        assembly ("memory-safe") {
            mcopy(add(part, 0x20), add(add(data, 0x20), offset), length)
        }
    }
}
