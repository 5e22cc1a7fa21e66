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
    function renew(bytes32 teeId, Registration calldata registration) external override {
        (Admission memory admission, IAttestationVerifier.Claims memory claims) = _verifyBound(registration);
        Node storage node = _operatedNode(teeId);
        if (node.status != NodeStatus.Enabled && node.status != NodeStatus.Disabled) {
            revert TEERegistry_StatusInvalid(teeId, node.status);
        }
        _requireSame(teeId, node, admission, claims);
        uint32 generation = _requireAdmissible(admission, claims);

        node.attestedAt = uint48(claims.issuedAt);
        // Fresh evidence shows that the enclave runs, as a heartbeat does; heartbeats only ever move forward.
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
    function computeBinding(
        address operator,
        address paymentAddress,
        string memory endpoint,
        uint8 teeType
    ) public view override returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    block.chainid,
                    address(this),
                    operator,
                    paymentAddress,
                    keccak256(bytes(endpoint)),
                    teeType
                )
            );
    }

    /// @dev Verifies evidence that is bound to the caller and to what they want registered.
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
        bytes32 expected = verifier_.carriedBinding(
            computeBinding(msg.sender, admission.paymentAddress, admission.endpoint, admission.teeType)
        );
        if (claims.binding != expected) revert TEERegistry_BindingMismatch(expected, claims.binding);
    }

    /// @dev A new node whose evidence was verified beforehand, whatever it is bound to.
    function _admitVerified(Admission memory admission, bytes calldata evidence) internal returns (bytes32) {
        IAttestationVerifier verifier_;
        (verifier_, admission.verifierGeneration) = _verifierOf(admission.verifierId);
        return _admit(admission, verifier_.verify(evidence, new bytes[](0)));
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
        node.imageGeneration = generation;
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
            abi.encode(sha256(admission.tlsCertificate), sha256(admission.signingKey))
        );
        if (claims.keysHash != expected) revert TEERegistry_KeysMismatch(expected, claims.keysHash);
        if (
            _isRevokedElsewhere(admission.verifierId, admission.verifierGeneration, claims.signerCertificate)
        ) {
            revert TEERegistry_SignerRevoked(claims.signerCertificate);
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
        if (claims.measurement != identity.measurement) {
            revert TEERegistry_ImageMismatch(identity.measurement, claims.measurement);
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
            claims.signerCertificate,
            claims.issuedAt,
            admission.paymentAddress,
            admission.endpoint,
            sha256(admission.tlsCertificate)
        );
        return
            NodeRecords.write(
                NodeRecords.Record({
                    measurement: claims.measurement,
                    signerCertificate: claims.signerCertificate,
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
