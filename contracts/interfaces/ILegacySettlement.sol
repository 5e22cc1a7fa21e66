// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

import {ITEERegistry} from "./ITEERegistry.sol";

/// @title ILegacySettlement
/// @notice What the public network's tools call to have answers of enclaves checked and recorded. Names, selectors and
/// events are theirs, but for {RootAnchored} and the reads that say so.
///
/// An enclave signs `keccak256(inputHash | outputHash | uint256 timestamp)` and nothing else: no chain, no contract, no
/// model, no account. What a sender says beside it (an address, a blob id, the size of a batch) is their claim, which
/// nobody signed. Signatures are RSA-PSS by nodes of the TEE registry, 2048 to 4096 bits; keys of other kinds have no
/// part in this profile, and their signatures count as invalid.
///
/// A batch is a Merkle root that somebody **anchored**: no leaf of it was looked at. It has no bond and no window, it
/// never becomes final, and nothing says that it was settled or verified, although the public name of the function does.
/// Whoever relies on a leaf asks {verifyInclusion}, which checks the leaf's own signature.
///
/// Requests of {IInferenceSettlement} are neither read nor written here.
///
/// Reasons of refusals are `Error(string)`, the only kind that the public network's tools show.
interface ILegacySettlement {
    /// @notice One answer in a batch. The tree is OpenZeppelin's StandardMerkleTree over these fields in this order: leaf
    /// `keccak256(keccak256(abi.encode(teeId, inputHash, outputHash, teeSignature, timestamp)))`, pairs sorted.
    /// @param teeId the node that signed
    /// @param inputHash hash of the request
    /// @param outputHash hash of the answer
    /// @param teeSignature the node's signature
    /// @param timestamp unix seconds at which the enclave says that it answered
    struct Leaf {
        bytes32 teeId;
        bytes32 inputHash;
        bytes32 outputHash;
        bytes teeSignature;
        uint256 timestamp;
    }

    /// @notice A root was anchored; the public network's event, which does not name the sender.
    /// @param merkleRoot the root
    /// @param batchSize how many leaves the sender says it has
    /// @param walrusBlobId where they say that the leaves are: UTF-8 of the id's text
    event BatchSettlement(bytes32 indexed merkleRoot, uint256 batchSize, bytes walrusBlobId);
    /// @notice The same, with the sender, who need not be the account that sent the transaction. Not an event of the public
    /// network.
    /// @param merkleRoot the root
    /// @param sender who anchored it
    /// @param batchSize how many leaves they say it has
    /// @param walrusBlobId where they say that the leaves are
    event RootAnchored(
        bytes32 indexed merkleRoot,
        address indexed sender,
        uint256 batchSize,
        bytes walrusBlobId
    );
    /// @notice An answer was recorded, after its signature was checked.
    /// @param teeId the node that signed
    /// @param ethAddress whose answer it is, as the sender says
    /// @param inputHash hash of the request
    /// @param outputHash hash of the answer
    /// @param timestamp unix seconds at which the enclave says that it answered
    /// @param walrusBlobId where the sender says that request and answer are
    /// @param signature the node's signature
    event IndividualSettlement(
        bytes32 indexed teeId,
        address indexed ethAddress,
        bytes32 inputHash,
        bytes32 outputHash,
        uint256 timestamp,
        bytes walrusBlobId,
        bytes signature
    );

    /// @notice The registry has no code.
    /// @param account its address
    error LegacySettlement_NotAContract(address account);

    /// @notice Anchors the root of a batch. Open to everybody, without a deposit; nothing of it is checked. The same call by
    /// the same sender again succeeds and does nothing.
    ///
    /// Refused: `Batch size is zero`, `Blob id is empty`, `Blob id is too long` (above 128 bytes).
    /// @param merkleRoot the root
    /// @param batchSize how many leaves it has
    /// @param walrusBlobId where the leaves are: UTF-8 of the id's text
    function batchSettle(bytes32 merkleRoot, uint256 batchSize, bytes calldata walrusBlobId) external;

    /// @notice Records one answer, once for each node and message. Open to everybody who has the signature: the first one
    /// decides which address and which blob id stand beside it.
    ///
    /// Refused: `Blob id is empty`, `Blob id is too long`, `Already settled`, and `Invalid signature`, for whatever
    /// {verifySignatureNoTimestamp} answers with false.
    /// @param teeId the node that signed
    /// @param inputHash hash of the request
    /// @param outputHash hash of the answer
    /// @param timestamp unix seconds at which the enclave says that it answered
    /// @param ethAddress whose answer it is
    /// @param walrusBlobId where request and answer are
    /// @param signature the node's signature
    function settleIndividual(
        bytes32 teeId,
        bytes32 inputHash,
        bytes32 outputHash,
        uint256 timestamp,
        address ethAddress,
        bytes calldata walrusBlobId,
        bytes calldata signature
    ) external;

    /// @notice Whether an enclave that is to be trusted at that time signed this, at most an hour ago.
    ///
    /// The public network's contract also takes times up to five minutes ahead. Here the future is false, because nobody
    /// knows yet whether the enclave will have been in service.
    /// @param teeId the node
    /// @param inputHash hash of the request
    /// @param outputHash hash of the answer
    /// @param timestamp unix seconds
    /// @param signature whatever it is
    /// @return valid false for bad arguments of any kind; never reverts for them
    function verifySignature(
        bytes32 teeId,
        bytes32 inputHash,
        bytes32 outputHash,
        uint256 timestamp,
        bytes calldata signature
    ) external view returns (bool valid);

    /// @notice The same however old it is: `isActiveAt` of the registry at that time, and the signature.
    /// @param teeId the node
    /// @param inputHash hash of the request
    /// @param outputHash hash of the answer
    /// @param timestamp unix seconds
    /// @param signature whatever it is
    /// @return valid false for bad arguments of any kind; never reverts for them
    function verifySignatureNoTimestamp(
        bytes32 teeId,
        bytes32 inputHash,
        bytes32 outputHash,
        uint256 timestamp,
        bytes calldata signature
    ) external view returns (bool valid);

    /// @notice Whether a leaf is in a batch that this sender anchored, and its signature is valid now, as
    /// {verifySignatureNoTimestamp} says. Not a function of the public network.
    ///
    /// It judges the leaf, not the batch: how many leaves there are, and whether the blob can be had, is not looked at. A
    /// ban of the node, or a certificate revoked, makes the answer false from then on.
    /// @param sender who anchored the root
    /// @param merkleRoot the root
    /// @param batchSize as it was anchored
    /// @param walrusBlobId as it was anchored
    /// @param leaf the answer
    /// @param proof sibling hashes from the leaf up to the root
    /// @return included false for bad arguments of any kind; never reverts for them
    function verifyInclusion(
        address sender,
        bytes32 merkleRoot,
        uint256 batchSize,
        bytes calldata walrusBlobId,
        Leaf calldata leaf,
        bytes32[] calldata proof
    ) external view returns (bool included);

    /// @notice When a sender anchored a root with this size and this blob id. Not a function of the public network.
    /// @param merkleRoot the root
    /// @param batchSize how many leaves they said it has
    /// @param walrusBlobId where they said that the leaves are
    /// @param sender who anchored it
    /// @return timestamp unix seconds; zero if they did not
    function anchoredAt(
        bytes32 merkleRoot,
        uint256 batchSize,
        bytes calldata walrusBlobId,
        address sender
    ) external view returns (uint256 timestamp);

    /// @notice When {settleIndividual} recorded an answer. Not a function of the public network.
    /// @param teeId the node that signed
    /// @param messageHash what it signed, as {computeMessageHash} says
    /// @return timestamp unix seconds; zero if it did not
    function individuallySettledAt(
        bytes32 teeId,
        bytes32 messageHash
    ) external view returns (uint256 timestamp);

    /// @notice Where enclaves and their keys come from, fixed for good.
    /// @return registry_ the TEE registry
    function registry() external view returns (ITEERegistry registry_);

    /// @notice What an enclave signs.
    /// @param inputHash hash of the request
    /// @param outputHash hash of the answer
    /// @param timestamp unix seconds
    /// @return messageHash keccak256 of the three, one behind the other
    function computeMessageHash(
        bytes32 inputHash,
        bytes32 outputHash,
        uint256 timestamp
    ) external pure returns (bytes32 messageHash);

    /// @notice Hash of a leaf in the tree. Not a function of the public network.
    /// @param leaf the answer
    /// @return leafHash what {verifyProof} takes
    function hashLeaf(Leaf calldata leaf) external pure returns (bytes32 leafHash);

    /// @notice Whether a path of sorted pairs leads from a hash to a root. Says nothing about what the hash is of: an inner
    /// node of the tree has a path as well. No root is looked up.
    /// @param proof sibling hashes, from the leaf up
    /// @param root the root
    /// @param leaf the hash
    /// @return valid whether it does
    function verifyProof(
        bytes32[] calldata proof,
        bytes32 root,
        bytes32 leaf
    ) external pure returns (bool valid);
}
