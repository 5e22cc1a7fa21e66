// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAttestationVerifier} from "../../interfaces/IAttestationVerifier.sol";
import {INodeBonds} from "../../interfaces/INodeBonds.sol";
import {ISigningKeys} from "../../interfaces/ISigningKeys.sol";
import {ITEERegistry} from "../../interfaces/ITEERegistry.sol";
import {Histories} from "./Histories.sol";
import {NodeRecords} from "./NodeRecords.sol";
import {TEEImages} from "./TEEImages.sol";

/// @title TEENodes
/// @notice The nodes' storage, and whether a node is to be trusted at a time. A part of {TEERegistry}.
///
/// A node's standing over time is a history: from when on it was in service, under which generation of its image, and
/// vouched for by which generation of its verifier. It starts only when something changes; before that, the node is
/// what it was admitted as. Verifiers and ages have histories too, so that a result is judged by those of its own time.
abstract contract TEENodes is TEEImages {
    using Histories for Histories.Entry[];

    /// @dev One storage slot. A verifier and since when it is set; generation `n` is entry `n - 1`.
    struct Term {
        IAttestationVerifier verifier;
        uint48 from;
    }

    /// @dev Bounds of the two ages, in seconds.
    uint64 private constant MINIMUM_HEARTBEAT_AGE = 1 minutes;
    uint64 private constant MAXIMUM_HEARTBEAT_AGE = 1 days;
    uint64 private constant MINIMUM_ATTESTATION_AGE = 1 hours;
    uint64 private constant MAXIMUM_ATTESTATION_AGE = 90 days;

    /// @dev A standing is `verifierGeneration << 32 | imageGeneration`; both start with 1.
    uint64 private constant OUT_OF_SERVICE = 0;
    uint256 private constant VERIFIER_GENERATION_SHIFT = 32;

    /// @dev Ages over time are `attestationMaxAge << 32 | heartbeatMaxAge`.
    uint64 private constant ATTESTATION_AGE_SHIFT = 32;

    /// @inheritdoc ITEERegistry
    ISigningKeys public immutable override signingKeys;

    /// @inheritdoc ITEERegistry
    uint64 public override heartbeatMaxAge;
    /// @inheritdoc ITEERegistry
    uint64 public override attestationMaxAge;
    /// @inheritdoc ITEERegistry
    mapping(address operator => bool isDenied) public override isOperatorDenied;
    /// @inheritdoc ITEERegistry
    INodeBonds public override bonds;

    /// @inheritdoc ITEERegistry
    mapping(uint8 verifierId => bytes32 evidenceType) public override evidenceTypeOf;

    mapping(bytes32 teeId => Node node) internal _nodes;
    mapping(uint8 teeType => bytes32[] teeIds) internal _nodesByType;
    mapping(bytes32 teeId => Histories.Entry[] history) private _histories;
    mapping(uint8 verifierId => Term[] terms) private _terms;
    Histories.Entry[] private _ages;

    constructor(ISigningKeys signingKeys_) {
        _requireContract(address(signingKeys_));
        signingKeys = signingKeys_;
    }

    /// @inheritdoc ITEERegistry
    function disableTEE(bytes32 teeId) external override {
        Node storage node = _operatedNode(teeId);
        if (node.status != NodeStatus.Enabled) revert TEERegistry_StatusInvalid(teeId, node.status);
        _setStatus(teeId, node, NodeStatus.Disabled);
    }

    /// @inheritdoc ITEERegistry
    function enableTEE(bytes32 teeId) external override {
        Node storage node = _operatedNode(teeId);
        if (node.status != NodeStatus.Disabled) revert TEERegistry_StatusInvalid(teeId, node.status);
        // Whether image and verifier still stand is not asked: the node is no more active than they let it be.
        _setStatus(teeId, node, NodeStatus.Enabled);
    }

    /// @inheritdoc ITEERegistry
    function retireTEE(bytes32 teeId) external override {
        Node storage node = _operatedNode(teeId);
        NodeStatus status = node.status;
        if (status == NodeStatus.Retired || status == NodeStatus.Expelled) {
            revert TEERegistry_StatusInvalid(teeId, status);
        }
        _setStatus(teeId, node, status == NodeStatus.Banned ? NodeStatus.Expelled : NodeStatus.Retired);
    }

    /// @inheritdoc ITEERegistry
    function banTEE(bytes32 teeId) external override restricted {
        Node storage node = _knownNode(teeId);
        NodeStatus status = node.status;
        if (_isBanned(status)) revert TEERegistry_StatusInvalid(teeId, status);
        _setStatus(teeId, node, status == NodeStatus.Retired ? NodeStatus.Expelled : NodeStatus.Banned);
    }

    /// @inheritdoc ITEERegistry
    function liftBan(bytes32 teeId) external override restricted {
        Node storage node = _knownNode(teeId);
        NodeStatus status = node.status;
        if (!_isBanned(status)) revert TEERegistry_StatusInvalid(teeId, status);
        bool isOver = status == NodeStatus.Expelled || (address(bonds) != address(0) && bonds.hasLeft(teeId));
        _setStatus(teeId, node, isOver ? NodeStatus.Retired : NodeStatus.Disabled);
    }

    /// @inheritdoc ITEERegistry
    function denyOperator(address operator) external override restricted {
        isOperatorDenied[operator] = true;
        emit OperatorDenied(operator);
    }

    /// @inheritdoc ITEERegistry
    function allowOperator(address operator) external override restricted {
        isOperatorDenied[operator] = false;
        emit OperatorAllowed(operator);
    }

    /// @inheritdoc ITEERegistry
    function isTEEActive(bytes32 teeId) public view override returns (bool) {
        Node storage node = _nodes[teeId];
        return
            node.status == NodeStatus.Enabled &&
            block.timestamp <= uint256(node.lastHeartbeatAt) + heartbeatMaxAge &&
            block.timestamp <= uint256(node.attestedAt) + attestationMaxAge &&
            _isVouchedFor(node, _standing(node), block.timestamp);
    }

    /// @inheritdoc ITEERegistry
    function isActiveAt(bytes32 teeId, uint256 timestamp) external view override returns (bool) {
        Node storage node = _nodes[teeId];
        uint256 ages = _ages.valueAt(timestamp);
        return
            timestamp <= uint256(node.lastHeartbeatAt) + uint32(ages) &&
            timestamp <= uint256(node.attestedAt) + (ages >> ATTESTATION_AGE_SHIFT) &&
            wasInService(teeId, timestamp);
    }

    /// @inheritdoc ITEERegistry
    function wasInService(bytes32 teeId, uint256 timestamp) public view override returns (bool) {
        Node storage node = _nodes[teeId];
        NodeStatus status = node.status;
        if (status == NodeStatus.Unknown || _isBanned(status) || timestamp > block.timestamp) return false;
        uint64 standing = _standingAt(teeId, node, timestamp);
        return standing != OUT_OF_SERVICE && _isVouchedFor(node, standing, timestamp);
    }

    /// @inheritdoc ITEERegistry
    function nodeOf(bytes32 teeId) external view override returns (Node memory) {
        return _knownNode(teeId);
    }

    /// @inheritdoc ITEERegistry
    function operatorOf(bytes32 teeId) external view override returns (address) {
        return _knownNode(teeId).operator;
    }

    /// @inheritdoc ITEERegistry
    function nodeAt(uint8 teeType, uint256 index) external view override returns (bytes32) {
        return _nodesByType[teeType][index];
    }

    /// @inheritdoc ITEERegistry
    function nodeCount(uint8 teeType) external view override returns (uint256) {
        return _nodesByType[teeType].length;
    }

    /// @inheritdoc ITEERegistry
    function isTEEEnabled(bytes32 teeId) public view override returns (bool) {
        return _nodes[teeId].status == NodeStatus.Enabled;
    }

    /// @inheritdoc ITEERegistry
    function verifier(uint8 verifierId) external view override returns (IAttestationVerifier current) {
        (current, ) = _currentVerifier(verifierId);
    }

    /// @inheritdoc ITEERegistry
    function verifierGeneration(uint8 verifierId) external view override returns (uint32) {
        return uint32(_terms[verifierId].length);
    }

    /// @inheritdoc ITEERegistry
    function standingSince(bytes32 teeId) external view override returns (uint256) {
        Node storage node = _knownNode(teeId);
        Histories.Entry[] storage history = _histories[teeId];
        uint256 count = history.length;
        return count == 0 ? node.registeredAt : history[count - 1].from;
    }

    function _requireContract(address account) internal view {
        if (account.code.length == 0) revert TEERegistry_NotAContract(account);
    }

    function _knownNode(bytes32 teeId) internal view returns (Node storage node) {
        node = _nodes[teeId];
        if (node.status == NodeStatus.Unknown) revert TEERegistry_NodeUnknown(teeId);
    }

    function _operatedNode(bytes32 teeId) internal view returns (Node storage node) {
        node = _knownNode(teeId);
        if (node.operator != msg.sender) revert TEERegistry_NotOperator(node.operator, msg.sender);
    }

    /// @dev A node that may speak: in service.
    function _enabledNode(bytes32 teeId) internal view returns (Node storage node) {
        node = _knownNode(teeId);
        if (node.status != NodeStatus.Enabled) revert TEERegistry_StatusInvalid(teeId, node.status);
    }

    /// @dev What a further attestation makes of a node: the record, and the generations that it now stands under.
    function _renew(bytes32 teeId, Node storage node, uint32 generation, address record) internal {
        uint64 before = _standing(node);
        _startHistory(teeId, node);
        node.imageGeneration = generation;
        node.record = record;
        if (_standing(node) != before) _record(teeId, node);
    }

    /// @dev The verifier that is set now, zero if none, and its generation.
    function _currentVerifier(
        uint8 verifierId
    ) internal view returns (IAttestationVerifier current, uint32 generation) {
        Term[] storage terms = _terms[verifierId];
        uint256 count = terms.length;
        if (count > 0) current = terms[count - 1].verifier;
        generation = uint32(count);
    }

    /// @dev Whether a certificate behind the signerCertificate is revoked where another verifier of the id looks than the one
    /// that knows it, which is that of `generation`.
    function _isRevokedElsewhere(
        uint8 verifierId,
        uint32 generation,
        bytes32 signerCertificate
    ) internal view returns (bool) {
        Term[] storage terms = _terms[verifierId];
        uint256 count = terms.length;
        if (count == 1) return false;
        IAttestationVerifier own = terms[generation - 1].verifier;
        bytes32[] memory keys = own.revocationKeys(signerCertificate);
        for (uint256 i = 0; i < count; ++i) {
            IAttestationVerifier other = terms[i].verifier;
            if (address(other) != address(own) && address(other) != address(0) && other.isAnyRevoked(keys))
                return true;
        }
        return false;
    }

    function _setVerifier(uint8 verifierId, IAttestationVerifier verifier_) internal {
        if (address(verifier_) != address(0)) _fixEvidenceType(verifierId, verifier_);
        (IAttestationVerifier previous, uint32 generation) = _currentVerifier(verifierId);
        _terms[verifierId].push(Term(verifier_, uint48(block.timestamp)));
        emit VerifierChanged(verifierId, generation + 1, previous, verifier_);
    }

    /// @dev Images are approved under a verifier id: what is measured under it must stay comparable.
    function _fixEvidenceType(uint8 verifierId, IAttestationVerifier verifier_) private {
        _requireContract(address(verifier_));
        bytes32 expected = evidenceTypeOf[verifierId];
        bytes32 actual = verifier_.evidenceType();
        if (expected == 0) evidenceTypeOf[verifierId] = actual;
        else if (actual != expected) revert TEERegistry_EvidenceTypeMismatch(expected, actual);
    }

    function _setHeartbeatMaxAge(uint256 age) internal {
        _requireAge(MINIMUM_HEARTBEAT_AGE, MAXIMUM_HEARTBEAT_AGE, age);
        emit HeartbeatMaxAgeChanged(heartbeatMaxAge, uint64(age));
        heartbeatMaxAge = uint64(age);
        _recordAges();
    }

    function _setAttestationMaxAge(uint64 age) internal {
        _requireAge(MINIMUM_ATTESTATION_AGE, MAXIMUM_ATTESTATION_AGE, age);
        emit AttestationMaxAgeChanged(attestationMaxAge, age);
        attestationMaxAge = age;
        _recordAges();
    }

    function _recordAges() private {
        _ages.push(block.timestamp, (attestationMaxAge << ATTESTATION_AGE_SHIFT) | heartbeatMaxAge);
    }

    function _requireAge(uint64 minimum, uint64 maximum, uint256 actual) private pure {
        if (actual < minimum || actual > maximum) revert TEERegistry_AgeInvalid(minimum, maximum, actual);
    }

    function _setStatus(bytes32 teeId, Node storage node, NodeStatus status) private {
        NodeStatus previous = node.status;
        _startHistory(teeId, node);
        node.status = status;
        _record(teeId, node);
        emit TEEStatusChanged(teeId, previous, status);
    }

    /// @dev Writes down what the node was admitted as. To be called before the first change.
    function _startHistory(bytes32 teeId, Node storage node) private {
        Histories.Entry[] storage history = _histories[teeId];
        if (history.length == 0) history.push(node.registeredAt, _standing(node));
    }

    function _record(bytes32 teeId, Node storage node) private {
        uint64 value = node.status == NodeStatus.Enabled ? _standing(node) : OUT_OF_SERVICE;
        _histories[teeId].push(block.timestamp, value);
    }

    /// @dev What a node in service stands under now.
    function _standing(Node storage node) private view returns (uint64) {
        uint256 shifted =
            uint256(NodeRecords.readIdentity(node.record).verifierGeneration) << VERIFIER_GENERATION_SHIFT;
        return uint64(shifted | node.imageGeneration);
    }

    function _standingAt(bytes32 teeId, Node storage node, uint256 timestamp) private view returns (uint64) {
        if (timestamp < node.registeredAt) return OUT_OF_SERVICE;
        Histories.Entry[] storage history = _histories[teeId];
        if (history.length == 0) return _standing(node);
        return history.valueAt(timestamp);
    }

    function _isBanned(NodeStatus status) private pure returns (bool) {
        return status == NodeStatus.Banned || status == NodeStatus.Expelled;
    }

    /// @dev The conditions that others than the node answer for: image, operator, verifier, certificates.
    function _isVouchedFor(
        Node storage node,
        uint64 standing,
        uint256 timestamp
    ) private view returns (bool) {
        NodeRecords.Identity memory identity = NodeRecords.readIdentity(node.record);
        bytes32 imageKey = _imageKey(identity.measurement, node.teeType, identity.verifierId);
        if (!_isApprovedAt(imageKey, uint32(standing), timestamp)) return false;
        if (isOperatorDenied[node.operator]) return false;

        Term[] storage terms = _terms[identity.verifierId];
        uint256 next = standing >> VERIFIER_GENERATION_SHIFT;
        if (timestamp < terms[next - 1].from) return false;
        if (next < terms.length && timestamp >= terms[next].from) return false;
        // The certificates are those of the latest attestation, known to the verifier that took it.
        return
            terms[identity.verifierGeneration - 1].verifier.isTrusted(identity.signerCertificate) &&
            !_isRevokedElsewhere(
                identity.verifierId,
                identity.verifierGeneration,
                identity.signerCertificate
            );
    }
}
