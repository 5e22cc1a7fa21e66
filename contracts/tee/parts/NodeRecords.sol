// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ISigningKeys} from "../../interfaces/ISigningKeys.sol";
import {CodeStore} from "../../utils/CodeStore.sol";

/// @title NodeRecords
/// @notice What was attested about a node, as the code of a contract: an identity of 94 bytes (measurement 32,
/// id of the certificate that signed the evidence 32, payment address 20, verifier 1, its generation 4, kind of key 1, length of the key 2, length of the
/// certificate 2), then key, TLS certificate and endpoint.
library NodeRecords {
    uint256 private constant IDENTITY_LENGTH = 94;
    /// @dev The identity's parts behind its first two words, and their distances from the right of a word.
    uint256 private constant TAIL_OFFSET = 64;
    uint256 private constant ADDRESS_SHIFT = 96;
    uint256 private constant VERIFIER_SHIFT = 88;
    uint256 private constant GENERATION_SHIFT = 56;
    uint256 private constant KIND_SHIFT = 48;
    uint256 private constant KEY_LENGTH_SHIFT = 32;
    uint256 private constant CERTIFICATE_LENGTH_SHIFT = 16;

    /// @dev What every use has to look at.
    struct Identity {
        bytes32 measurement;
        bytes32 signerCertificate;
        address paymentAddress;
        uint8 verifierId;
        uint32 verifierGeneration;
        ISigningKeys.KeyKind keyKind;
        uint16 keyLength;
        uint16 certificateLength;
    }

    struct Record {
        bytes32 measurement;
        bytes32 signerCertificate;
        address paymentAddress;
        uint8 verifierId;
        uint32 verifierGeneration;
        ISigningKeys.KeyKind keyKind;
        bytes signingKey;
        bytes tlsCertificate;
        string endpoint;
    }

    /// @dev The caller keeps key and certificate below 65,536 bytes.
    function write(Record memory record) internal returns (address) {
        return
            CodeStore.write(
                abi.encodePacked(
                    record.measurement,
                    record.signerCertificate,
                    record.paymentAddress,
                    record.verifierId,
                    record.verifierGeneration,
                    record.keyKind,
                    uint16(record.signingKey.length),
                    uint16(record.tlsCertificate.length),
                    record.signingKey,
                    record.tlsCertificate,
                    record.endpoint
                )
            );
    }

    function readIdentity(address store) internal view returns (Identity memory identity) {
        bytes memory data = CodeStore.read(store, 0, IDENTITY_LENGTH);
        bytes32 measurement;
        bytes32 signerCertificate;
        uint256 tail;
        assembly ("memory-safe") {
            measurement := mload(add(data, 0x20))
            signerCertificate := mload(add(data, 0x40))
            tail := mload(add(add(data, 0x20), TAIL_OFFSET))
        }
        identity.measurement = measurement;
        identity.signerCertificate = signerCertificate;
        identity.paymentAddress = address(uint160(tail >> ADDRESS_SHIFT));
        identity.verifierId = uint8(tail >> VERIFIER_SHIFT);
        identity.verifierGeneration = uint32(tail >> GENERATION_SHIFT);
        identity.keyKind = ISigningKeys.KeyKind(uint8(tail >> KIND_SHIFT));
        identity.keyLength = uint16(tail >> KEY_LENGTH_SHIFT);
        identity.certificateLength = uint16(tail >> CERTIFICATE_LENGTH_SHIFT);
    }

    function readSigningKey(address store, Identity memory identity) internal view returns (bytes memory) {
        return CodeStore.read(store, IDENTITY_LENGTH, identity.keyLength);
    }

    function readTlsCertificate(
        address store,
        Identity memory identity
    ) internal view returns (bytes memory) {
        return CodeStore.read(store, IDENTITY_LENGTH + identity.keyLength, identity.certificateLength);
    }

    function readEndpoint(address store, Identity memory identity) internal view returns (string memory) {
        return
            string(
                CodeStore.readFrom(store, IDENTITY_LENGTH + identity.keyLength + identity.certificateLength)
            );
    }
}
