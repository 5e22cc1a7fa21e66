// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

import {ISigningKeys} from "./ISigningKeys.sol";
import {ITEERegistryTypes} from "./ITEERegistryTypes.sol";

/// @title ITEERegistryLens
/// @notice Reads of a TEE registry for people and programs: whole views of nodes and images, and lists by pages. It holds
/// nothing, decides nothing, and nobody has rights in it; contracts ask the registry itself.
interface ITEERegistryLens {
    /// @notice What is known about a node besides `getTEE` of the registry.
    /// @param status where the node is in its life
    /// @param keyKind kind of its signing key
    /// @param verifierId id of the verifier that vouches for it
    /// @param verifierGeneration which of the verifiers that were set under that id vouched for it
    /// @param imageGeneration which approval of its image it attested under
    /// @param attestedAt time of its latest evidence, in unix seconds
    /// @param sessionCounter last counter of a session key's certification
    /// @param ohttpCounter last counter of an OHTTP key
    /// @param signerCertificate id of the certificate that signed its latest evidence
    /// @param isActive whether it is to be trusted now
    struct NodeView {
        ITEERegistryTypes.NodeStatus status;
        ISigningKeys.KeyKind keyKind;
        uint8 verifierId;
        uint32 verifierGeneration;
        uint32 imageGeneration;
        uint64 attestedAt;
        uint64 sessionCounter;
        uint64 ohttpCounter;
        bytes32 signerCertificate;
        bool isActive;
    }

    /// @notice Latest generation of an image.
    /// @param generation counts its approvals, from 1; zero if it was never approved
    /// @param lastRevocation names the image's last revocation; zero if there was none. An approval has to name it
    /// @param approvedAt when that generation began, in unix seconds
    /// @param revokedAt when it ended; zero while it lasts
    /// @param version what people call the image
    /// @param commit hash of the source's commit, as its repository names it; zero if none is given
    /// @param repository URL of the source
    struct ImageView {
        uint32 generation;
        bytes16 lastRevocation;
        uint64 approvedAt;
        uint64 revokedAt;
        string version;
        bytes32 commit;
        string repository;
    }

    /// @notice The lens was to be created over an address without code.
    /// @param account that address
    error TEERegistryLens_NotAContract(address account);

    /// @notice What is known about a node; reverts as the registry does for an unknown one.
    /// @param teeId the node
    /// @return node the node
    function getNode(bytes32 teeId) external view returns (NodeView memory node);

    /// @notice What is known about an image; empty for one that was never approved, but for its last revocation.
    /// @param measurement of the code
    /// @param teeType node type
    /// @param verifierId id of the verifier
    /// @return image the image
    function getImage(
        bytes32 measurement,
        uint8 teeType,
        uint8 verifierId
    ) external view returns (ImageView memory image);

    /// @notice Whether a result that a session key signed for its node at `timestamp` is to be trusted: `isActiveAt` of the
    /// node, and the key was valid then and signs results. False for a key that is for heartbeats alone, whatever it
    /// signed.
    /// @param teeId the node
    /// @param key the session key
    /// @param timestamp unix seconds
    /// @return active false for the future, an unknown node and an unknown key too
    function isSessionActiveAt(
        bytes32 teeId,
        address key,
        uint256 timestamp
    ) external view returns (bool active);

    /// @notice Nodes of a type in order of admission, at most `limit` from number `offset`.
    /// @param teeType node type
    /// @param offset number of the first, from 0
    /// @param limit most nodes of the page
    /// @return page the nodes; empty behind the end
    function listNodes(
        uint8 teeType,
        uint256 offset,
        uint256 limit
    ) external view returns (bytes32[] memory page);

    /// @notice Those of the same page that are to be trusted now.
    /// @param teeType node type
    /// @param offset number of the first of the page, from 0
    /// @param limit most nodes of the page
    /// @return page the nodes; empty behind the end
    function listActiveNodes(
        uint8 teeType,
        uint256 offset,
        uint256 limit
    ) external view returns (bytes32[] memory page);

    /// @notice Images that ever were approved, oldest first, at most `limit` from number `offset`.
    /// @param offset number of the first, from 0
    /// @param limit most images of the page
    /// @return page the images; empty behind the end
    function listImages(
        uint256 offset,
        uint256 limit
    ) external view returns (ITEERegistryTypes.ImageKey[] memory page);
}
