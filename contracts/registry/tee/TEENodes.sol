// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAttestationVerifier} from "../../interfaces/IAttestationVerifier.sol";
import {ISigningKeys} from "../../interfaces/ISigningKeys.sol";
import {ITEERegistry} from "../../interfaces/ITEERegistry.sol";
import {Histories} from "./Histories.sol";
import {NodeRecords} from "./NodeRecords.sol";
import {TEEImages} from "./TEEImages.sol";

/// @title TEENodes
/// @notice The nodes' storage, and whether a node is to be trusted at a time. A part of {TEERegistry}.
///
/// A node's standing over time is a history: from when on it was in service, and under which
/// generation of its image. It starts only when something changes; before that, the node is what it was admitted as.
abstract contract TEENodes is TEEImages {
    using Histories for Histories.Entry[];

    /// @dev Two storage slots. What was attested is in the record, which is code.
    struct Node {
        address operator;
        uint8 teeType;
        NodeStatus status;
        uint32 generation;
        uint48 registeredAt;
        // slot
        address record;
        uint48 attestedAt;
        uint48 lastHeartbeatAt;
    }

    /// @dev Value from which on a node was out of service. Generations start with 1.
    uint32 private constant OUT_OF_SERVICE = 0;

    /// @inheritdoc ITEERegistry
    ISigningKeys public immutable override signingKeys;

    /// @inheritdoc ITEERegistry
    uint64 public override heartbeatMaxAge;
    /// @inheritdoc ITEERegistry
    uint64 public override attestationMaxAge;
    /// @inheritdoc ITEERegistry
    mapping(address operator => bool isDenied) public override isOperatorDenied;
    /// @inheritdoc ITEERegistry
    mapping(uint8 verifierId => IAttestationVerifier verifier) public override verifier;

    mapping(bytes32 teeId => Node node) internal _nodes;
    mapping(uint8 teeType => bytes32[] teeIds) internal _nodesByType;
    mapping(bytes32 teeId => Histories.Entry[] history) private _histories;

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
        bytes32 pcrHash = NodeRecords.readIdentity(node.record).pcrHash;
        if (!_isApprovedAt(pcrHash, node.teeType, node.generation, block.timestamp)) {
            revert TEERegistry_ImageNotApproved(pcrHash, node.teeType);
        }
        _setStatus(teeId, node, NodeStatus.Enabled);
    }

    /// @inheritdoc ITEERegistry
    function retireTEE(bytes32 teeId) external override {
        Node storage node = _operatedNode(teeId);
        if (node.status != NodeStatus.Enabled && node.status != NodeStatus.Disabled) {
            revert TEERegistry_StatusInvalid(teeId, node.status);
        }
        _setStatus(teeId, node, NodeStatus.Retired);
    }

    /// @inheritdoc ITEERegistry
    function banTEE(bytes32 teeId) external override restricted {
        Node storage node = _knownNode(teeId);
        if (node.status == NodeStatus.Banned) revert TEERegistry_StatusInvalid(teeId, node.status);
        _setStatus(teeId, node, NodeStatus.Banned);
    }

    /// @inheritdoc ITEERegistry
    function liftBan(bytes32 teeId) external override restricted {
        Node storage node = _knownNode(teeId);
        if (node.status != NodeStatus.Banned) revert TEERegistry_StatusInvalid(teeId, node.status);
        _setStatus(teeId, node, NodeStatus.Disabled);
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
            _isVouchedFor(node, node.generation, block.timestamp);
    }

    /// @inheritdoc ITEERegistry
    function isActiveAt(bytes32 teeId, uint256 timestamp) public view override returns (bool) {
        Node storage node = _nodes[teeId];
        NodeStatus status = node.status;
        if (status == NodeStatus.Unknown || status == NodeStatus.Banned || timestamp > block.timestamp)
            return false;
        uint32 generation = _generationAt(teeId, node, timestamp);
        return
            generation != OUT_OF_SERVICE &&
            timestamp <= uint256(node.lastHeartbeatAt) + heartbeatMaxAge &&
            timestamp <= uint256(node.attestedAt) + attestationMaxAge &&
            _isVouchedFor(node, generation, timestamp);
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

    /// @dev Moves a node to another generation of its image.
    function _setGeneration(bytes32 teeId, Node storage node, uint32 generation) internal {
        _startHistory(teeId, node);
        node.generation = generation;
        _record(teeId, node);
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
        if (history.length == 0) history.push(node.registeredAt, node.generation);
    }

    function _record(bytes32 teeId, Node storage node) private {
        uint32 value = node.status == NodeStatus.Enabled ? node.generation : OUT_OF_SERVICE;
        _histories[teeId].push(block.timestamp, value);
    }

    function _generationAt(
        bytes32 teeId,
        Node storage node,
        uint256 timestamp
    ) private view returns (uint32) {
        if (timestamp < node.registeredAt) return OUT_OF_SERVICE;
        Histories.Entry[] storage history = _histories[teeId];
        if (history.length == 0) return node.generation;
        return history.valueAt(timestamp);
    }

    /// @dev The conditions that others than the node answer for: image, operator, certificates.
    function _isVouchedFor(
        Node storage node,
        uint32 generation,
        uint256 timestamp
    ) private view returns (bool) {
        NodeRecords.Identity memory identity = NodeRecords.readIdentity(node.record);
        if (!_isApprovedAt(identity.pcrHash, node.teeType, generation, timestamp)) return false;
        if (isOperatorDenied[node.operator]) return false;
        IAttestationVerifier verifier_ = verifier[identity.verifierId];
        return address(verifier_) != address(0) && verifier_.isEndorsed(identity.endorsement);
    }
}
