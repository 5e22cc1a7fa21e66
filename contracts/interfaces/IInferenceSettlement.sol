// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

import {IGroth16Errors} from "./IGroth16Errors.sol";
import {IModelRegistry} from "./IModelRegistry.sol";
import {IRequestLedger} from "./IRequestLedger.sol";
import {ITEERegistry} from "./ITEERegistry.sol";

/// @title IInferenceSettlement
/// @notice Verifies results of inferences and records each at most once.
///
/// A request is named by `requestId = bytes32(uint160 node, uint96 nonce)`. The node chooses nonces in order; for results
/// of an enclave the node is `address(uint160(uint256(teeId)))`, so that an enclave can use no other's. The ledger
/// ({IRequestLedger}) is shared by every kind of settlement that counts as verified; a request settles at most once,
/// whatever proof or signature is presented: the key is the request, never the proof.
///
/// A result settles only with its node's consent. Of a ZKML result the node itself submits it, or anyone submits it with
/// the node's EIP-712 signature over it (the receipt that the client was given); of an enclave's result its signature is
/// the consent, and anyone submits it. Without that rule anybody could burn another node's nonces.
interface IInferenceSettlement is IGroth16Errors, IRequestLedger {
    /// @notice How a result was verified. Vanilla is never shown as verified.
    enum Verification {
        Vanilla,
        ZKML,
        TEE,
        Optimistic
    }

    /// @notice The typed message; EIP-712 type of the same name, in this order.
    /// @param modelVersion version id in the model registry
    /// @param inputHash keccak256 of the packed input words
    /// @param outputHash keccak256 of the packed output words
    /// @param requester account that asked; zero if it did not say
    /// @param requestId `bytes32(uint160 node, uint96 nonce)`
    /// @param price agreed price in wei-scale units of OPG
    /// @param timestamp unix seconds at which the node answered
    /// @param teeId enclave that answered; zero for every kind but TEE
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

    /// @notice A result was settled, for the only time; with Vanilla, recorded for the only time.
    /// @param requestId the request
    /// @param modelVersion the version that answered
    /// @param requester account that asked; zero if it did not say
    /// @param verification how the result was verified
    /// @param inputHash keccak256 of the packed input words
    /// @param outputHash keccak256 of the packed output words
    /// @param price agreed price in wei-scale units of OPG
    /// @param timestamp unix seconds at which the node answered
    /// @param teeId enclave that answered, zero if none
    /// @param words packed input words followed by packed output words, of a ZKML result; empty for other kinds, of which
    /// only the hashes are known
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
    /// @notice A ZKML result was settled in a batch, for the only time. Its words are in the transaction's calldata.
    /// @param requestId the request
    /// @param modelVersion the version that answered
    /// @param requester account that asked; zero if it did not say
    /// @param inputHash keccak256 of the packed input words
    /// @param outputHash keccak256 of the packed output words
    /// @param price agreed price in wei-scale units of OPG
    /// @param timestamp unix seconds at which the node answered
    event ZkmlBatchItemSettled(
        bytes32 indexed requestId,
        bytes32 indexed modelVersion,
        address indexed requester,
        bytes32 inputHash,
        bytes32 outputHash,
        uint256 price,
        uint64 timestamp
    );
    /// @notice The TEE registry was named, for good.
    /// @param registry the registry
    event TEERegistrySet(ITEERegistry registry);
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
    /// @notice A result without an enclave names one.
    /// @param teeId the enclave that it names
    error InferenceSettlement_TeeIdNotZero(bytes32 teeId);
    /// @notice The version has no verifying key: nothing can be proved of it.
    /// @param modelVersion the version
    error InferenceSettlement_VersionWithoutKey(bytes32 modelVersion);
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
    /// @notice No TEE registry was named.
    error InferenceSettlement_NoTEERegistry();
    /// @notice The TEE registry was named before, and stays.
    /// @param registry the registry
    error InferenceSettlement_TEERegistryIsSet(ITEERegistry registry);
    /// @notice A result of an enclave is under another node's nonces.
    /// @param expected the enclave's address form
    /// @param actual the node that the request names
    error InferenceSettlement_WrongNode(address expected, address actual);
    /// @notice The enclave was not in service at the result's time, or is excluded now.
    /// @param teeId the enclave
    /// @param timestamp the time that counts
    error InferenceSettlement_NotInService(bytes32 teeId, uint256 timestamp);
    /// @notice Neither the enclave's key nor a session key of it that signs results, valid at the result's time, signed
    /// the result.
    /// @param teeId the enclave
    error InferenceSettlement_EnclaveSignatureInvalid(bytes32 teeId);
    /// @notice The node's proposal is over.
    /// @param deadline last second of it, in unix seconds
    /// @param blockTimestamp the block's time
    error InferenceSettlement_ProposalExpired(uint256 deadline, uint256 blockTimestamp);
    /// @notice The items of a batch are none, or end amid one.
    /// @param itemLength bytes of one item
    /// @param actual bytes that came
    error InferenceSettlement_ItemsLengthInvalid(uint256 itemLength, uint256 actual);
    /// @notice Every request of the batch is taken.
    error InferenceSettlement_NothingToSettle();
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
    /// What a writer of the ledger sends, or who was one, settles however old it is: they answer for its having come in
    /// time. It is how the proof of a result in a page comes that somebody demanded.
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

    /// @notice Settles many ZKML results of one version and one node. Final in this transaction. An item whose request is
    /// taken is skipped, as if it were not there; anything else that is wrong with one refuses them all. Off-chain,
    /// `findInvalid` says which proofs are wrong.
    ///
    /// The proofs are checked together, by a random linear combination (docs/groth16-batch.md).
    ///
    /// @param modelVersion version id of every item
    /// @param node the node of every item
    /// @param items one after the other, packed: `nonce (12) | requester (20) | price (32) | timestamp (8) | proof (256) |
    /// words (32 each)`, with as many words as the version has. Hashes are computed, `teeId` is zero
    /// @param nodeSignature the node's signature (ECDSA or ERC-1271) over EIP-712
    /// `ZkmlBatch(bytes32 modelVersion,address node,bytes32 itemsHash)`, where `itemsHash = keccak256(items)`; ignored when
    /// the node itself is the caller
    /// @return settled how many items were settled; the others were skipped
    function settleZkmlBatch(
        bytes32 modelVersion,
        address node,
        bytes calldata items,
        bytes calldata nodeSignature
    ) external returns (uint256 settled);

    /// @notice Settles a result of an enclave. Final in this transaction. Anyone who has the result may.
    ///
    /// The enclave has to have been in service at the result's time (`wasInService` of the registry), or now, if the result
    /// is from the next seconds. Its words, if it has any, are not seen on-chain: the enclave vouches for the hashes. The
    /// version may be one without a verifying key.
    ///
    /// @param result the typed message, with `teeId`
    /// @param signature over the EIP-712 digest of `result`: by the enclave's key, as {ISigningKeys} wants it, or by a
    /// session key of it that signs results and was valid at the result's time, r | s | v
    function settleTee(InferenceResult calldata result, bytes calldata signature) external;

    /// @notice Settles a result of an enclave however old it is, as `settleTee` does otherwise. Only writers of the ledger,
    /// which answer for its having come in time: of a page that was rejected, whose results are to settle one by one.
    /// @param result the typed message, with `teeId`
    /// @param signature as with `settleTee`
    function settleTeeLate(InferenceResult calldata result, bytes calldata signature) external;

    /// @notice Records a result that nothing shows to be right: it never counts as verified, and its request stays free for
    /// another kind. Only the node, or with its proposal: whoever holds a receipt could otherwise record it as the weakest
    /// kind.
    /// @param result the typed message, without `teeId`
    /// @param deadline last second of the proposal, in unix seconds; ignored when the node itself is the caller
    /// @param proposalSignature the node's signature (ECDSA or ERC-1271) over EIP-712 `Proposal(uint8 kind,uint256 page,
    /// uint256 bitmap,bytes32 root,bytes32 blobId,uint64 deadline)` with kind 0, the request's page and bit, the digest of
    /// `result` as root and no blob; ignored when the node itself is the caller
    function settleVanilla(
        InferenceResult calldata result,
        uint64 deadline,
        bytes calldata proposalSignature
    ) external;

    /// @notice Which proofs of a batch do not hold, whether their requests are taken or not. For use off-chain: it costs a
    /// verification for each item. Says nothing of times, versions and consent.
    /// @param modelVersion version id of every item
    /// @param node the node of every item
    /// @param items as for `settleZkmlBatch`
    /// @return numbers of those items, from 0
    function findInvalid(
        bytes32 modelVersion,
        address node,
        bytes calldata items
    ) external view returns (uint256[] memory numbers);

    /// @notice What a settled result with a price was: `keccak256(abi.encode(verification, digest))`, so that whoever pays
    /// for it can see which result it was and how it was verified. Zero for results without a price, and for those of
    /// pages.
    /// @param requestId the request
    /// @return digest that hash
    function digestOf(bytes32 requestId) external view returns (bytes32 digest);

    /// @notice As `digestOf`, of results whose words say all that the model was asked: whoever has the model can run it again. Zero of
    /// a version whose input words are a commitment.
    /// @param requestId the request
    /// @param modelVersion the version of its result; reverts for an unknown one
    /// @return digest that hash, or zero
    function openDigestOf(bytes32 requestId, bytes32 modelVersion) external view returns (bytes32 digest);

    /// @notice Whether a result was recorded as Vanilla, which says nothing about its being right.
    /// @param requestId the request
    /// @return recorded whether it was
    function isRecordedVanilla(bytes32 requestId) external view returns (bool recorded);

    /// @notice EIP-712 digest of a result: what a node signs.
    /// @param result the typed message
    function hashResult(InferenceResult calldata result) external view returns (bytes32);

    /// @notice `hashResult(result) >> 8`: the last public signal of a proof.
    /// @param result the typed message
    function contextOf(InferenceResult calldata result) external view returns (uint256);

    /// @notice Where versions and their keys come from, fixed for good.
    function modelRegistry() external view returns (IModelRegistry);

    /// @notice Where enclaves and their keys come from; zero until it is named.
    function teeRegistry() external view returns (ITEERegistry);

    /// @notice Names the TEE registry, once and for good: a deployment may grow one later. Restricted to governance through
    /// the AccessManager.
    /// @param registry the registry
    function setTeeRegistry(ITEERegistry registry) external;

    /// @notice How long after its timestamp a result can be settled, in seconds.
    function settlementWindow() external view returns (uint64);

    /// @notice Sets the window. Restricted to governance through the AccessManager.
    /// @param window seconds
    function setSettlementWindow(uint64 window) external;
}
