// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITEERegistry} from "../interfaces/ITEERegistry.sol";
import {ITEERegistryLens} from "../interfaces/ITEERegistryLens.sol";
import {ITEERegistryTypes} from "../interfaces/ITEERegistryTypes.sol";
import {CodeStore} from "../utils/CodeStore.sol";
import {Pages} from "../utils/Pages.sol";
import {NodeRecords} from "./parts/NodeRecords.sol";

/// @title TEERegistryLens
/// @notice See {ITEERegistryLens}. A contract beside the registry, which would otherwise have no room for itself.
///
/// Access: nobody has special rights. It reads one registry, which it is given for good, and has no storage.
contract TEERegistryLens is ITEERegistryLens {
    ITEERegistry public immutable REGISTRY;

    constructor(ITEERegistry registry) {
        if (address(registry).code.length == 0) revert TEERegistryLens_NotAContract(address(registry));
        REGISTRY = registry;
    }

    /// @inheritdoc ITEERegistryLens
    function getNode(bytes32 teeId) external view override returns (NodeView memory) {
        ITEERegistryTypes.Node memory node = REGISTRY.nodeOf(teeId);
        NodeRecords.Identity memory identity = NodeRecords.readIdentity(node.record);
        return
            NodeView({
                status: node.status,
                keyKind: identity.keyKind,
                verifierId: identity.verifierId,
                verifierGeneration: identity.verifierGeneration,
                imageGeneration: node.imageGeneration,
                attestedAt: node.attestedAt,
                sessionCounter: REGISTRY.sessionCounter(teeId),
                ohttpCounter: REGISTRY.ohttpCounter(teeId),
                signerCertificate: identity.signerCertificate,
                isActive: REGISTRY.isTEEActive(teeId)
            });
    }

    /// @inheritdoc ITEERegistryLens
    function getImage(
        bytes32 measurement,
        uint8 teeType,
        uint8 verifierId
    ) external view override returns (ImageView memory image) {
        ITEERegistryTypes.ImageState memory state = REGISTRY.imageState(measurement, teeType, verifierId);
        image.generation = state.generation;
        image.lastRevocation = state.lastRevocation;
        if (state.generation == 0) return image;
        image.approvedAt = state.approvedAt;
        image.revokedAt = state.revokedAt;
        (image.version, image.commit, image.repository) = abi.decode(
            CodeStore.readFrom(state.details, 0),
            (string, bytes32, string)
        );
    }

    /// @inheritdoc ITEERegistryLens
    function isSessionActiveAt(
        bytes32 teeId,
        address key,
        uint256 timestamp
    ) external view override returns (bool) {
        ITEERegistryTypes.SessionKey memory session = REGISTRY.sessionKey(teeId, key);
        // A key that was never certified has an empty interval.
        return
            session.signsResults &&
            timestamp >= session.from &&
            timestamp < session.until &&
            REGISTRY.isActiveAt(teeId, timestamp);
    }

    /// @inheritdoc ITEERegistryLens
    function listNodes(
        uint8 teeType,
        uint256 offset,
        uint256 limit
    ) public view override returns (bytes32[] memory page) {
        page = new bytes32[](Pages.lengthOf(REGISTRY.nodeCount(teeType), offset, limit));
        for (uint256 i = 0; i < page.length; ++i) {
            page[i] = REGISTRY.nodeAt(teeType, offset + i);
        }
    }

    /// @inheritdoc ITEERegistryLens
    function listActiveNodes(
        uint8 teeType,
        uint256 offset,
        uint256 limit
    ) external view override returns (bytes32[] memory page) {
        page = listNodes(teeType, offset, limit);
        uint256 kept = 0;
        for (uint256 i = 0; i < page.length; ++i) {
            bytes32 teeId = page[i];
            if (!REGISTRY.isTEEActive(teeId)) continue;
            page[kept] = teeId;
            ++kept;
        }
        assembly ("memory-safe") {
            mstore(page, kept)
        }
    }

    /// @inheritdoc ITEERegistryLens
    function listImages(
        uint256 offset,
        uint256 limit
    ) external view override returns (ITEERegistryTypes.ImageKey[] memory page) {
        page = new ITEERegistryTypes.ImageKey[](Pages.lengthOf(REGISTRY.imageCount(), offset, limit));
        for (uint256 i = 0; i < page.length; ++i) {
            page[i] = REGISTRY.imageAt(offset + i);
        }
    }
}
