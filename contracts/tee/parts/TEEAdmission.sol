// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAttestationVerifier} from "../../interfaces/IAttestationVerifier.sol";
import {ISigningKeys} from "../../interfaces/ISigningKeys.sol";
import {ITEERegistry} from "../../interfaces/ITEERegistry.sol";
import {NodeRecords} from "./NodeRecords.sol";
import {TEENodes} from "./TEENodes.sol";

/// @title TEEAdmission
/// @notice How an enclave becomes a node, and renews its attestation. A part of {TEERegistry}.
abstract contract TEEAdmission is TEENodes {
    /// @dev Longest pause of admissions, and shortest time between two, in seconds.
    uint64 private constant MAXIMUM_PAUSE = 7 days;

    /// @dev Most bytes of an endpoint and of a TLS certificate.
    uint256 private constant MAXIMUM_ENDPOINT_LENGTH = 256;
    uint256 private constant MAXIMUM_CERTIFICATE_LENGTH = 4096;

    uint256 private constant BINDING_LENGTH = 20;

    /// @dev Multihash header of a SHA-256 digest: code 0x12, length 32. The enclave's user data has two of them.
    bytes2 private constant SHA256_MULTIHASH = 0x1220;

    /// @inheritdoc ITEERegistry
    uint64 public override admissionPausedUntil;

    /// @dev A registration without its evidence, and which verifier took that.
    struct Admission {
        uint8 verifierId;
        uint32 verifierGeneration;
        uint8 teeType;
        address paymentAddress;
        string endpoint;
        bytes signingKey;
        bytes tlsCertificate;
    }

    /// @inheritdoc ITEERegistry
    function register(Registration calldata registration) external override returns (bytes32) {
        (Admission memory admission, IAttestationVerifier.Claims memory claims) = _verifyBound(registration);
        return _admit(admission, claims);
    }

    /// @inheritdoc ITEERegistry
    function registerTEEWithAttestation(
        bytes calldata attestationDocument,
        bytes calldata signingPublicKey,
        bytes calldata tlsCertificate,
        address paymentAddress,
        string calldata endpoint,
        uint8 teeType
    ) external override restricted returns (bytes32) {
        // The nonce is not looked at: those tools do not choose it. What it would guard against, another account
        // presenting the same enclave, is left to the registrars.
        (IAttestationVerifier verifier_, uint32 generation) = _verifierOf(NITRO);
        Admission memory admission = Admission(
            NITRO,
            generation,
            teeType,
            paymentAddress,
            endpoint,
            signingPublicKey,
            tlsCertificate
        );
        return _admit(admission, verifier_.verify(attestationDocument, new bytes[](0)));
    }

    /// @inheritdoc ITEERegistry
    function attestAgain(bytes32 teeId, Registration calldata registration) external override {
        (Admission memory admission, IAttestationVerifier.Claims memory claims) = _verifyBound(registration);
        Node storage node = _operatedNode(teeId);
        if (node.status != NodeStatus.Enabled && node.status != NodeStatus.Disabled) {
            revert TEERegistry_StatusInvalid(teeId, node.status);
        }
        _requireSame(teeId, node, admission, claims);
        uint32 generation = _requireAdmissible(admission, claims);

        node.attestedAt = uint48(claims.issuedAt);
        // A fresh document is a sign of life; heartbeats only ever move forward.
        if (claims.issuedAt > node.lastHeartbeatAt) node.lastHeartbeatAt = uint48(claims.issuedAt);
        ISigningKeys.KeyKind keyKind = NodeRecords.readIdentity(node.record).keyKind;
        _renew(teeId, node, generation, _writeRecord(teeId, generation, keyKind, admission, claims));
    }

    /// @inheritdoc ITEERegistry
    function pauseAdmission(uint64 until) external override restricted {
        uint256 paused = admissionPausedUntil;
        // Not while a pause lasts, and not for as long again: a guardian cannot keep admissions shut for ever.
        uint256 earliest = paused == 0 ? 0 : paused + MAXIMUM_PAUSE;
        if (
            block.timestamp < earliest || until <= block.timestamp || until > block.timestamp + MAXIMUM_PAUSE
        ) {
            revert TEERegistry_PauseInvalid(earliest, block.timestamp + MAXIMUM_PAUSE, until);
        }
        admissionPausedUntil = until;
        emit AdmissionPaused(until);
    }

    /// @inheritdoc ITEERegistry
    function computeBindingNonce(
        address operator,
        address paymentAddress,
        string memory endpoint,
        uint8 teeType
    ) public view override returns (bytes20) {
        return
            bytes20(
                keccak256(
                    abi.encode(
                        block.chainid,
                        address(this),
                        operator,
                        paymentAddress,
                        keccak256(bytes(endpoint)),
                        teeType
                    )
                )
            );
    }

    /// @dev Verifies evidence whose nonce binds it to the caller and to what he wants registered.
    function _verifyBound(
        Registration calldata registration
    ) private returns (Admission memory admission, IAttestationVerifier.Claims memory claims) {
        (IAttestationVerifier verifier_, uint32 generation) = _verifierOf(registration.verifierId);
        admission = Admission({
            verifierId: registration.verifierId,
            verifierGeneration: generation,
            teeType: registration.teeType,
            paymentAddress: registration.paymentAddress,
            endpoint: registration.endpoint,
            signingKey: registration.signingKey,
            tlsCertificate: registration.tlsCertificate
        });
        claims = verifier_.verify(registration.evidence, registration.hints);
        bytes20 expected = computeBindingNonce(
            msg.sender,
            admission.paymentAddress,
            admission.endpoint,
            admission.teeType
        );
        bytes20 actual = bytes20(claims.nonce);
        if (claims.nonce.length != BINDING_LENGTH || actual != expected) {
            revert TEERegistry_BindingMismatch(expected, actual, claims.nonce.length);
        }
    }

    /// @dev A new node, operated by the caller.
    function _admit(
        Admission memory admission,
        IAttestationVerifier.Claims memory claims
    ) private returns (bytes32 teeId) {
        teeId = keccak256(admission.signingKey);
        if (block.timestamp < admissionPausedUntil) revert TEERegistry_AdmissionPaused(admissionPausedUntil);
        Node storage node = _nodes[teeId];
        if (node.status != NodeStatus.Unknown) revert TEERegistry_NodeExists(teeId);
        uint32 generation = _requireAdmissible(admission, claims);
        ISigningKeys.KeyKind keyKind = signingKeys.kindOf(admission.signingKey);

        node.operator = msg.sender;
        node.teeType = admission.teeType;
        node.status = NodeStatus.Enabled;
        node.generation = generation;
        node.registeredAt = uint48(block.timestamp);
        node.attestedAt = uint48(claims.issuedAt);
        node.lastHeartbeatAt = uint48(claims.issuedAt);
        _nodesByType[admission.teeType].push(teeId);

        emit TEERegistered(teeId, msg.sender, admission.teeType, keyKind);
        node.record = _writeRecord(teeId, generation, keyKind, admission, claims);
        // Last: it moves tokens, and the node is complete.
        if (address(bonds) != address(0)) bonds.lock(teeId, msg.sender);
    }

    /// @dev What holds for first and further attestations; the generation of the image.
    function _requireAdmissible(
        Admission memory admission,
        IAttestationVerifier.Claims memory claims
    ) private view returns (uint32) {
        if (isOperatorDenied[msg.sender]) revert TEERegistry_OperatorDenied(msg.sender);
        if (admission.paymentAddress == address(0)) revert TEERegistry_PaymentAddressZero();
        _requireLength(Field.Endpoint, bytes(admission.endpoint).length, MAXIMUM_ENDPOINT_LENGTH);
        _requireLength(Field.TlsCertificate, admission.tlsCertificate.length, MAXIMUM_CERTIFICATE_LENGTH);
        bytes32 expected = keccak256(
            abi.encodePacked(
                SHA256_MULTIHASH,
                sha256(admission.tlsCertificate),
                SHA256_MULTIHASH,
                sha256(admission.signingKey)
            )
        );
        bytes32 actual = keccak256(claims.userData);
        if (actual != expected) revert TEERegistry_UserDataMismatch(expected, actual);
        if (_isRevokedElsewhere(admission.verifierId, admission.verifierGeneration, claims.endorsement)) {
            revert TEERegistry_EndorsementRevoked(claims.endorsement);
        }
        return _approvedGeneration(claims.measurement, admission.teeType, admission.verifierId);
    }

    /// @dev An attestation renews a node; it does not turn it into another one, and an old one is no renewal.
    function _requireSame(
        bytes32 teeId,
        Node storage node,
        Admission memory admission,
        IAttestationVerifier.Claims memory claims
    ) private view {
        bytes32 keyHash = keccak256(admission.signingKey);
        if (keyHash != teeId) revert TEERegistry_KeyMismatch(teeId, keyHash);
        if (admission.teeType != node.teeType)
            revert TEERegistry_TypeMismatch(node.teeType, admission.teeType);
        NodeRecords.Identity memory identity = NodeRecords.readIdentity(node.record);
        if (admission.verifierId != identity.verifierId) {
            revert TEERegistry_VerifierMismatch(identity.verifierId, admission.verifierId);
        }
        if (claims.measurement != identity.pcrHash) {
            revert TEERegistry_ImageMismatch(identity.pcrHash, claims.measurement);
        }
        if (claims.issuedAt <= node.attestedAt) {
            revert TEERegistry_EvidenceNotNewer(node.attestedAt, claims.issuedAt);
        }
    }

    function _writeRecord(
        bytes32 teeId,
        uint32 generation,
        ISigningKeys.KeyKind keyKind,
        Admission memory admission,
        IAttestationVerifier.Claims memory claims
    ) private returns (address) {
        emit TEEAttested(
            teeId,
            claims.measurement,
            generation,
            admission.verifierId,
            admission.verifierGeneration,
            claims.endorsement,
            claims.issuedAt,
            admission.paymentAddress,
            admission.endpoint,
            sha256(admission.tlsCertificate)
        );
        return
            NodeRecords.write(
                NodeRecords.Record({
                    pcrHash: claims.measurement,
                    endorsement: claims.endorsement,
                    paymentAddress: admission.paymentAddress,
                    verifierId: admission.verifierId,
                    verifierGeneration: admission.verifierGeneration,
                    keyKind: keyKind,
                    signingKey: admission.signingKey,
                    tlsCertificate: admission.tlsCertificate,
                    endpoint: admission.endpoint
                })
            );
    }

    function _verifierOf(
        uint8 verifierId
    ) private view returns (IAttestationVerifier verifier_, uint32 generation) {
        (verifier_, generation) = _currentVerifier(verifierId);
        if (address(verifier_) == address(0)) revert TEERegistry_VerifierUnknown(verifierId);
    }
}
