// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {ILegacySettlement} from "../interfaces/ILegacySettlement.sol";
import {ITEERegistry} from "../interfaces/ITEERegistry.sol";

/// @title LegacySettlement
/// @notice See {ILegacySettlement}. A contract beside {InferenceSettlement}, of whose requests it knows nothing.
///
/// Access: everything is open to everybody, and nobody can take anything back. It holds no ether and no token.
///
/// @dev Static calls only, and only to the registry. Reasons are texts, against the rule of the other contracts, because
/// the public network's tools show no other errors.
// solhint-disable gas-custom-errors
contract LegacySettlement is ILegacySettlement {
    /// @dev How old an answer may be for `verifySignature`, in seconds: the public network's figure.
    uint256 private constant MAXIMUM_AGE = 1 hours;

    /// @dev RSA keys of 2048 bits sign in 256 bytes, longer ones in more. Signatures under elliptic curves have 64 or 65
    /// bytes, so that this bound leaves such keys out without reading a node's key. There is no upper one: a signature of
    /// another length than its key's is not valid.
    uint256 private constant MINIMUM_SIGNATURE_LENGTH = 256;

    /// @dev A blob id has 43 characters at Walrus, and not many more elsewhere. Without a bound whoever reads the events
    /// would carry whatever a sender pays for.
    uint256 private constant MAXIMUM_BLOB_ID_LENGTH = 128;

    /// @inheritdoc ILegacySettlement
    ITEERegistry public immutable override registry;

    mapping(bytes32 anchor => uint256 timestamp) private _anchoredAt;

    /// @inheritdoc ILegacySettlement
    mapping(bytes32 teeId => mapping(bytes32 messageHash => uint256 timestamp))
        public
        override individuallySettledAt;

    /// @param registry_ the TEE registry, fixed for good
    constructor(ITEERegistry registry_) {
        if (address(registry_).code.length == 0) revert LegacySettlement_NotAContract(address(registry_));
        registry = registry_;
    }

    /// @inheritdoc ILegacySettlement
    function batchSettle(
        bytes32 merkleRoot,
        uint256 batchSize,
        bytes calldata walrusBlobId
    ) external override {
        require(batchSize != 0, "Batch size is zero");
        _requireBlobId(walrusBlobId);
        bytes32 anchor = _anchorOf(merkleRoot, batchSize, walrusBlobId, msg.sender);
        // Not a refusal: the public network's sender tries a batch that reverted again for ever.
        if (_anchoredAt[anchor] != 0) return;
        _anchoredAt[anchor] = block.timestamp;
        emit BatchSettlement(merkleRoot, batchSize, walrusBlobId);
        emit RootAnchored(merkleRoot, msg.sender, batchSize, walrusBlobId);
    }

    /// @inheritdoc ILegacySettlement
    function settleIndividual(
        bytes32 teeId,
        bytes32 inputHash,
        bytes32 outputHash,
        uint256 timestamp,
        address ethAddress,
        bytes calldata walrusBlobId,
        bytes calldata signature
    ) external override {
        _requireBlobId(walrusBlobId);
        bytes32 messageHash = computeMessageHash(inputHash, outputHash, timestamp);
        // The key is what was signed and by whom, never the signature: an enclave can make many of one message.
        require(individuallySettledAt[teeId][messageHash] == 0, "Already settled");
        require(_isValid(teeId, messageHash, timestamp, signature), "Invalid signature");
        individuallySettledAt[teeId][messageHash] = block.timestamp;
        emit IndividualSettlement(
            teeId,
            ethAddress,
            inputHash,
            outputHash,
            timestamp,
            walrusBlobId,
            signature
        );
    }

    /// @inheritdoc ILegacySettlement
    function verifySignature(
        bytes32 teeId,
        bytes32 inputHash,
        bytes32 outputHash,
        uint256 timestamp,
        bytes calldata signature
    ) external view override returns (bool) {
        // The public network's bound for the future, five minutes, is not here: `isActiveAt` knows no future.
        return
            timestamp >= block.timestamp - MAXIMUM_AGE &&
            _isValid(teeId, computeMessageHash(inputHash, outputHash, timestamp), timestamp, signature);
    }

    /// @inheritdoc ILegacySettlement
    function verifySignatureNoTimestamp(
        bytes32 teeId,
        bytes32 inputHash,
        bytes32 outputHash,
        uint256 timestamp,
        bytes calldata signature
    ) external view override returns (bool) {
        return _isValid(teeId, computeMessageHash(inputHash, outputHash, timestamp), timestamp, signature);
    }

    /// @inheritdoc ILegacySettlement
    function verifyInclusion(
        address sender,
        bytes32 merkleRoot,
        uint256 batchSize,
        bytes calldata walrusBlobId,
        Leaf calldata leaf,
        bytes32[] calldata proof
    ) external view override returns (bool) {
        return
            _anchoredAt[_anchorOf(merkleRoot, batchSize, walrusBlobId, sender)] != 0 &&
            verifyProof(proof, merkleRoot, hashLeaf(leaf)) &&
            _isValid(
                leaf.teeId,
                computeMessageHash(leaf.inputHash, leaf.outputHash, leaf.timestamp),
                leaf.timestamp,
                leaf.teeSignature
            );
    }

    /// @inheritdoc ILegacySettlement
    function anchoredAt(
        bytes32 merkleRoot,
        uint256 batchSize,
        bytes calldata walrusBlobId,
        address sender
    ) external view override returns (uint256) {
        return _anchoredAt[_anchorOf(merkleRoot, batchSize, walrusBlobId, sender)];
    }

    /// @inheritdoc ILegacySettlement
    function computeMessageHash(
        bytes32 inputHash,
        bytes32 outputHash,
        uint256 timestamp
    ) public pure override returns (bytes32) {
        return keccak256(abi.encode(inputHash, outputHash, timestamp));
    }

    /// @inheritdoc ILegacySettlement
    function hashLeaf(Leaf calldata leaf) public pure override returns (bytes32) {
        // Hashed twice, so that no leaf is a pair: a pair is the hash of 64 bytes, a leaf of 32.
        bytes32 inner = keccak256(
            abi.encode(leaf.teeId, leaf.inputHash, leaf.outputHash, leaf.teeSignature, leaf.timestamp)
        );
        return keccak256(abi.encode(inner));
    }

    /// @inheritdoc ILegacySettlement
    function verifyProof(
        bytes32[] calldata proof,
        bytes32 root,
        bytes32 leaf
    ) public pure override returns (bool) {
        return MerkleProof.verifyCalldata(proof, root, leaf);
    }

    /// @dev `isActiveAt` comes first: it is false for an unknown node, for which `isSignedBy` reverts, and for the future.
    function _isValid(
        bytes32 teeId,
        bytes32 messageHash,
        uint256 timestamp,
        bytes calldata signature
    ) private view returns (bool) {
        return
            signature.length >= MINIMUM_SIGNATURE_LENGTH &&
            registry.isActiveAt(teeId, timestamp) &&
            registry.isSignedBy(teeId, messageHash, signature);
    }

    function _anchorOf(
        bytes32 merkleRoot,
        uint256 batchSize,
        bytes calldata walrusBlobId,
        address sender
    ) private pure returns (bytes32) {
        return keccak256(abi.encode(merkleRoot, batchSize, walrusBlobId, sender));
    }

    function _requireBlobId(bytes calldata blobId) private pure {
        require(blobId.length != 0, "Blob id is empty");
        require(blobId.length <= MAXIMUM_BLOB_ID_LENGTH, "Blob id is too long");
    }
}
