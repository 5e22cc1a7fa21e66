// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

import {IGroth16Errors} from "./IGroth16Errors.sol";
import {IModelRegistry} from "./IModelRegistry.sol";

/// @title IInferenceSettlement
/// @notice Verifies results of inferences and records each at most once.
///
/// A request is named by `requestId = bytes32(uint160 node, uint96 nonce)`. The node chooses nonces in order.
/// The record is a bitmap per node, shared by every kind of settlement; a request settles at most once,
/// whatever proof or signature is presented: the key is the request, never the proof.
///
/// A result settles only with its node's consent: the node itself submits it, or anyone submits it with the
/// node's EIP-712 signature over it (the receipt that the client was given). Without that rule anybody could
/// burn another node's nonces with results of their own.
interface IInferenceSettlement is IGroth16Errors {
    /// @notice How a result was verified. Vanilla is never shown as verified.
    enum Verification {
        Vanilla,
        ZKML,
        TEE
    }

    /// @notice The typed message; EIP-712 type of the same name, in this order.
    /// @param modelVersion version id in the model registry
    /// @param inputHash keccak256 of the packed input words
    /// @param outputHash keccak256 of the packed output words
    /// @param requester account that asked; zero if it did not say
    /// @param requestId `bytes32(uint160 node, uint96 nonce)`
    /// @param price agreed price in wei-scale units of OPG
    /// @param timestamp unix seconds at which the node answered
    /// @param teeId enclave that answered, zero if none
    struct InferenceResult {
        bytes32 modelVersion;
        bytes32 inputHash;
        bytes32 outputHash;
        address requester;
        bytes32 requestId;
        uint256 price;
        uint64 timestamp;
        bytes32 teeId;
    }

    /// @notice A result was settled, for the only time.
    /// @param requestId the request
    /// @param modelVersion the version that answered
    /// @param requester account that asked; zero if it did not say
    /// @param verification how the result was verified
    /// @param inputHash keccak256 of the packed input words
    /// @param outputHash keccak256 of the packed output words
    /// @param price agreed price in wei-scale units of OPG
    /// @param timestamp unix seconds at which the node answered
    /// @param teeId enclave that answered, zero if none
    /// @param words packed input words followed by packed output words
    event InferenceSettled(
        bytes32 indexed requestId,
        bytes32 indexed modelVersion,
        address indexed requester,
        Verification verification,
        bytes32 inputHash,
        bytes32 outputHash,
        uint256 price,
        uint64 timestamp,
        bytes32 teeId,
        uint256[] words
    );
    /// @notice Governance set the window, or the deployment did.
    /// @param previous seconds before
    /// @param current seconds from now on
    event SettlementWindowChanged(uint64 previous, uint64 current);

    /// @notice The request was settled before, by whatever kind of settlement.
    /// @param requestId the request
    error InferenceSettlement_AlreadySettled(bytes32 requestId);
    /// @notice The result names a version that was never published.
    /// @param modelVersion the version
    error InferenceSettlement_VersionUnknown(bytes32 modelVersion);
    /// @notice The result is not from before the version's deprecation.
    /// @param modelVersion the version
    /// @param deprecatedAt when it was deprecated, in unix seconds
    /// @param timestamp the result's time
    error InferenceSettlement_VersionDeprecated(
        bytes32 modelVersion,
        uint256 deprecatedAt,
        uint256 timestamp
    );
    /// @notice There are more or fewer words than the version has.
    /// @param expected words of the version
    /// @param actual words that came
    error InferenceSettlement_WordCountInvalid(uint256 expected, uint256 actual);
    /// @notice The input words are not those of the result.
    /// @param expected the result's hash
    /// @param actual hash of the words
    error InferenceSettlement_InputHashMismatch(bytes32 expected, bytes32 actual);
    /// @notice The output words are not those of the result.
    /// @param expected the result's hash
    /// @param actual hash of the words
    error InferenceSettlement_OutputHashMismatch(bytes32 expected, bytes32 actual);
    /// @notice Somebody else than the node sent the result, without the node's signature over it.
    /// @param node the node that the request names
    error InferenceSettlement_NodeSignatureInvalid(address node);
    /// @notice The result is further ahead of the chain than clocks may differ.
    /// @param latest the latest time that settles in this block, in unix seconds
    /// @param timestamp the result's time
    error InferenceSettlement_ResultFromFuture(uint256 latest, uint256 timestamp);
    /// @notice The result came after its window.
    /// @param deadline last second of the window, in unix seconds
    /// @param blockTimestamp the block's time
    error InferenceSettlement_ResultExpired(uint256 deadline, uint256 blockTimestamp);
    /// @notice The model registry or the authority has no code.
    /// @param account its address
    error InferenceSettlement_NotAContract(address account);
    /// @notice The window was to be set outside its bounds.
    /// @param minimum least seconds
    /// @param maximum most seconds
    /// @param actual the seconds given
    error InferenceSettlement_SettlementWindowInvalid(uint64 minimum, uint64 maximum, uint64 actual);

    /// @notice Settles one result with a Groth16 proof. Final in this transaction.
    ///
    /// The public signals of the proof are `words`, then `context`, which is the EIP-712 digest of `result`
    /// shifted right by 8 bits: a proof made for one result is invalid for every other.
    ///
    /// A result of a deprecated version settles if its timestamp is before the deprecation, within the window. The
    /// node names the timestamp itself, and nothing contradicts it: for one window after a deprecation a node can
    /// settle newer answers of that version under an older time. The proof shows that they are the version's answers.
    ///
    /// @param result the typed message
    /// @param words packed input words, then packed output words, each below the scalar field's order
    /// @param proof `A (64) | B (128) | C (64)`, coordinates as in the verifying key
    /// @param nodeSignature the node's signature over `result` (ECDSA or ERC-1271); ignored, and best left
    /// empty, when the node itself is the caller
    function settleZkml(
        InferenceResult calldata result,
        uint256[] calldata words,
        bytes calldata proof,
        bytes calldata nodeSignature
    ) external;

    /// @notice Whether a request was settled, by any kind of settlement.
    /// @param requestId the request
    function isSettled(bytes32 requestId) external view returns (bool);

    /// @notice 256 records of a node at once: bit i is nonce `256 * wordIndex + i`.
    /// @param node the node
    /// @param wordIndex number of the word, from 0
    function settledBitmap(address node, uint256 wordIndex) external view returns (uint256);

    /// @notice EIP-712 digest of a result: what a node signs.
    /// @param result the typed message
    function hashResult(InferenceResult calldata result) external view returns (bytes32);

    /// @notice `hashResult(result) >> 8`: the last public signal of a proof.
    /// @param result the typed message
    function contextOf(InferenceResult calldata result) external view returns (uint256);

    /// @notice Where versions and their keys come from, fixed for good.
    function modelRegistry() external view returns (IModelRegistry);

    /// @notice How long after its timestamp a result can be settled, in seconds.
    function settlementWindow() external view returns (uint64);

    /// @notice Sets the window. Restricted to governance through the AccessManager.
    /// @param window seconds
    function setSettlementWindow(uint64 window) external;
}
