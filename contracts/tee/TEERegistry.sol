// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IAttestationVerifier} from "../interfaces/IAttestationVerifier.sol";
import {INodeBonds} from "../interfaces/INodeBonds.sol";
import {ISigningKeys} from "../interfaces/ISigningKeys.sol";
import {ITEERegistry} from "../interfaces/ITEERegistry.sol";
import {NodeRecords} from "./parts/NodeRecords.sol";
import {TEEAdmission} from "./parts/TEEAdmission.sol";
import {TEEKeys} from "./parts/TEEKeys.sol";
import {TEENodes} from "./parts/TEENodes.sol";

/// @title TEERegistry
/// @notice See {ITEERegistry}. This file has the reads and the parameters; the parts are
/// {TEEImages} (what code is approved), {TEENodes} (who is trusted when), {TEEAdmission} (how one gets in) and
/// {TEEKeys} (what nodes sign).
///
/// Access, through the AccessManager: governance sets types, verifiers, parameters, and takes exclusions back; image
/// approvers approve; the guardian only removes: images, nodes, operators, and admissions for a bounded time;
/// registrars use the second door. An operator changes his own nodes; nobody else does.
///
/// @dev Foreign code runs only in verifiers and in the holder of bonds, which governance chose, and never between a
/// check and what rests on it: admission and renewal call the verifier before they look at the node, the operator, the
/// image or a pause, and the bond is taken last. Which verifier it was is the only thing read before it.
contract TEERegistry is TEEAdmission, TEEKeys {
    /// @param authority the AccessManager
    /// @param signingKeys_ checks nodes' signatures, fixed for good
    /// @param nitro verifier 0
    /// @param heartbeatMaxAge_ initial value, in seconds
    /// @param attestationMaxAge_ initial value, in seconds
    constructor(
        address authority,
        ISigningKeys signingKeys_,
        IAttestationVerifier nitro,
        uint64 heartbeatMaxAge_,
        uint64 attestationMaxAge_
    ) AccessManaged(authority) TEENodes(signingKeys_) {
        _requireContract(authority);
        _setVerifier(NITRO, nitro);
        _setHeartbeatMaxAge(heartbeatMaxAge_);
        _setAttestationMaxAge(attestationMaxAge_);
    }

    /// @inheritdoc ITEERegistry
    function setHeartbeatMaxAge(uint256 age) external override restricted {
        _setHeartbeatMaxAge(age);
    }

    /// @inheritdoc ITEERegistry
    function setAttestationMaxAge(uint64 age) external override restricted {
        _setAttestationMaxAge(age);
    }

    /// @inheritdoc ITEERegistry
    function setVerifier(uint8 verifierId, IAttestationVerifier verifier_) external override restricted {
        _setVerifier(verifierId, verifier_);
    }

    /// @inheritdoc ITEERegistry
    function setBonds(INodeBonds bonds_) external override restricted {
        if (address(bonds_) != address(0)) _requireContract(address(bonds_));
        emit BondsChanged(bonds, bonds_);
        bonds = bonds_;
    }

    /// @inheritdoc ITEERegistry
    function isTEEEnabled(bytes32 teeId) public view override returns (bool) {
        return _nodes[teeId].status == NodeStatus.Enabled;
    }

    /// @inheritdoc ITEERegistry
    function getTEE(bytes32 teeId) public view override returns (TEEInfo memory) {
        Node storage node = _knownNode(teeId);
        address record = node.record;
        NodeRecords.Identity memory identity = NodeRecords.readIdentity(record);
        return
            TEEInfo({
                owner: node.operator,
                paymentAddress: identity.paymentAddress,
                endpoint: NodeRecords.readEndpoint(record, identity),
                publicKey: NodeRecords.readSigningKey(record, identity),
                tlsCertificate: NodeRecords.readTlsCertificate(record, identity),
                pcrHash: identity.pcrHash,
                teeType: node.teeType,
                enabled: node.status == NodeStatus.Enabled,
                registeredAt: node.registeredAt,
                lastHeartbeatAt: node.lastHeartbeatAt,
                ohttpConfig: _ohttpConfigOf(teeId)
            });
    }

    /// @inheritdoc ITEERegistry
    function getNode(bytes32 teeId) external view override returns (NodeView memory) {
        Node storage node = _knownNode(teeId);
        NodeRecords.Identity memory identity = NodeRecords.readIdentity(node.record);
        return
            NodeView({
                status: node.status,
                keyKind: identity.keyKind,
                verifierId: identity.verifierId,
                verifierGeneration: identity.verifierGeneration,
                imageGeneration: node.generation,
                attestedAt: node.attestedAt,
                sessionCounter: _sessionCounters[teeId],
                ohttpCounter: _ohttpCounters[teeId],
                endorsement: identity.endorsement,
                isActive: isTEEActive(teeId)
            });
    }

    /// @inheritdoc ITEERegistry
    function getTEEsByType(uint8 teeType) external view override returns (bytes32[] memory) {
        return _nodesByType[teeType];
    }

    /// @inheritdoc ITEERegistry
    function getEnabledTEEs(uint8 teeType) external view override returns (bytes32[] memory) {
        return _filter(_nodesByType[teeType], isTEEEnabled);
    }

    /// @inheritdoc ITEERegistry
    function getActiveTEEs(uint8 teeType) external view override returns (TEEInfo[] memory nodes) {
        bytes32[] memory teeIds = _filter(_nodesByType[teeType], isTEEActive);
        nodes = new TEEInfo[](teeIds.length);
        for (uint256 i = 0; i < teeIds.length; ++i) {
            nodes[i] = getTEE(teeIds[i]);
        }
    }

    /// @inheritdoc ITEERegistry
    function listNodes(
        uint8 teeType,
        uint256 offset,
        uint256 limit
    ) public view override returns (bytes32[] memory page) {
        bytes32[] storage teeIds = _nodesByType[teeType];
        uint256 count = teeIds.length;
        uint256 available = offset < count ? count - offset : 0;
        page = new bytes32[](limit < available ? limit : available);
        for (uint256 i = 0; i < page.length; ++i) {
            page[i] = teeIds[offset + i];
        }
    }

    /// @inheritdoc ITEERegistry
    function listActiveNodes(
        uint8 teeType,
        uint256 offset,
        uint256 limit
    ) external view override returns (bytes32[] memory) {
        return _filter(listNodes(teeType, offset, limit), isTEEActive);
    }

    /// @inheritdoc ITEERegistry
    function nodeCount(uint8 teeType) external view override returns (uint256) {
        return _nodesByType[teeType].length;
    }

    /// @inheritdoc ITEERegistry
    function getTEEPublicKey(bytes32 teeId) external view override returns (bytes memory) {
        address record = _knownNode(teeId).record;
        return NodeRecords.readSigningKey(record, NodeRecords.readIdentity(record));
    }

    /// @inheritdoc ITEERegistry
    function computeTEEId(bytes calldata signingKey) external pure override returns (bytes32) {
        return keccak256(signingKey);
    }

    /// @dev Keeps the ids that satisfy the condition, in the same array.
    function _filter(
        bytes32[] memory teeIds,
        function(bytes32) view returns (bool) condition
    ) private view returns (bytes32[] memory) {
        uint256 kept = 0;
        for (uint256 i = 0; i < teeIds.length; ++i) {
            bytes32 teeId = teeIds[i];
            if (!condition(teeId)) continue;
            teeIds[kept] = teeId;
            ++kept;
        }
        assembly ("memory-safe") {
            mstore(teeIds, kept)
        }
        return teeIds;
    }
}
