// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IInferenceSettlement} from "../interfaces/IInferenceSettlement.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {Groth16} from "../crypto/Groth16.sol";
import {InferenceResults} from "./InferenceResults.sol";
import {RequestLedger} from "./RequestLedger.sol";

/// @title InferenceSettlement
/// @notice See {IInferenceSettlement}.
///
/// Access: `setSettlementWindow` is restricted through the AccessManager; everything else is open to everybody.
/// Nobody can clear a record, settle without the node's consent, or settle without a proof.
///
/// @dev A settlement makes static calls only. The one that runs foreign code, to an ERC-1271 node, comes before the
/// first write: that code sees the state from before the settlement, and cannot change it. The others go to the
/// registry and to precompiles.
contract InferenceSettlement is IInferenceSettlement, AccessManaged, EIP712 {
    using InferenceResults for InferenceResult;
    using RequestLedger for RequestLedger.Ledger;

    /// @notice Bounds of the settlement window, in seconds.
    uint64 public constant MINIMUM_SETTLEMENT_WINDOW = 1 hours;
    uint64 public constant MAXIMUM_SETTLEMENT_WINDOW = 90 days;

    /// @notice How far a node's clock may be ahead of the chain's, in seconds.
    uint64 public constant MAXIMUM_CLOCK_SKEW = 60;

    /// @dev In a key store's code, the byte before the key keeps the code from being run.
    uint256 private constant KEY_OFFSET = 1;

    /// @inheritdoc IInferenceSettlement
    IModelRegistry public immutable override modelRegistry;

    /// @inheritdoc IInferenceSettlement
    uint64 public override settlementWindow;

    RequestLedger.Ledger private _ledger;

    /// @param authority the AccessManager
    /// @param registry the model registry, fixed for good
    /// @param window initial settlement window, in seconds
    constructor(
        address authority,
        IModelRegistry registry,
        uint64 window
    ) AccessManaged(authority) EIP712("HACA InferenceSettlement", "1") {
        if (authority.code.length == 0) revert InferenceSettlement_NotAContract(authority);
        if (address(registry).code.length == 0) revert InferenceSettlement_NotAContract(address(registry));
        modelRegistry = registry;
        _setSettlementWindow(window);
    }

    /// @inheritdoc IInferenceSettlement
    function settleZkml(
        InferenceResult calldata result,
        uint256[] calldata words,
        bytes calldata proof,
        bytes calldata nodeSignature
    ) external override {
        _requireTimely(result.timestamp);
        bytes32 digest = hashResult(result);
        _requireConsent(result.requestId, digest, nodeSignature);
        // Check and effect in one, before the expensive check: whoever comes second with a request pays little.
        // A proof that is refused below takes the record back.
        _ledger.record(result.requestId);
        _requireProof(result, words, proof, digest);

        // `requester`, `price` and `teeId` are not judged: they are what the node signed and the proof is bound to.
        emit InferenceSettled(
            result.requestId,
            result.modelVersion,
            result.requester,
            Verification.ZKML,
            result.inputHash,
            result.outputHash,
            result.price,
            result.timestamp,
            result.teeId,
            words
        );
    }

    /// @inheritdoc IInferenceSettlement
    function setSettlementWindow(uint64 window) external override restricted {
        _setSettlementWindow(window);
    }

    /// @inheritdoc IInferenceSettlement
    function isSettled(bytes32 requestId) external view override returns (bool) {
        return _ledger.isRecorded(requestId);
    }

    /// @inheritdoc IInferenceSettlement
    function settledBitmap(address node, uint256 wordIndex) external view override returns (uint256) {
        return _ledger.bitmapOf(node, wordIndex);
    }

    /// @inheritdoc IInferenceSettlement
    function contextOf(InferenceResult calldata result) external view override returns (uint256) {
        return InferenceResults.toContext(hashResult(result));
    }

    /// @inheritdoc IInferenceSettlement
    function hashResult(InferenceResult calldata result) public view override returns (bytes32) {
        return _hashTypedDataV4(result.hashStruct());
    }

    function _setSettlementWindow(uint64 window) private {
        if (window < MINIMUM_SETTLEMENT_WINDOW || window > MAXIMUM_SETTLEMENT_WINDOW) {
            revert InferenceSettlement_SettlementWindowInvalid(
                MINIMUM_SETTLEMENT_WINDOW,
                MAXIMUM_SETTLEMENT_WINDOW,
                window
            );
        }
        uint64 previous = settlementWindow;
        settlementWindow = window;
        emit SettlementWindowChanged(previous, window);
    }

    function _requireTimely(uint256 timestamp) private view {
        uint256 latest = block.timestamp + MAXIMUM_CLOCK_SKEW;
        if (timestamp > latest) revert InferenceSettlement_ResultFromFuture(latest, timestamp);
        // No window is shorter than the minimum: a younger result is in time whatever the window is, and the
        // storage read is saved.
        if (block.timestamp <= timestamp + MINIMUM_SETTLEMENT_WINDOW) return;
        uint256 deadline = timestamp + settlementWindow;
        if (block.timestamp > deadline) revert InferenceSettlement_ResultExpired(deadline, block.timestamp);
    }

    /// @dev The node is the caller or has signed. ECDSA comes first: only the holder of the node's own key can pass
    /// it, whether or not the account has code (EIP-7702), and an ordinary node's account need not be touched.
    function _requireConsent(bytes32 requestId, bytes32 digest, bytes calldata signature) private view {
        address node = RequestLedger.nodeOf(requestId);
        if (msg.sender == node) return;
        (address signer, ECDSA.RecoverError problem, ) = ECDSA.tryRecoverCalldata(digest, signature);
        if (problem == ECDSA.RecoverError.NoError && signer == node) return;
        if (!SignatureChecker.isValidERC1271SignatureNowCalldata(node, digest, signature)) {
            revert InferenceSettlement_NodeSignatureInvalid(node);
        }
    }

    /// @dev Whether `words` are the ones that the result names, and `proof` shows that the model maps the input
    /// words to the output words for this very result.
    function _requireProof(
        InferenceResult calldata result,
        uint256[] calldata words,
        bytes calldata proof,
        bytes32 digest
    ) private view {
        (
            IModelRegistry.VersionStatus status,
            address keyStore,
            uint256 inputWords,
            uint256 outputWords,
            uint256 deprecatedAt
        ) = modelRegistry.settlementData(result.modelVersion);
        if (status != IModelRegistry.VersionStatus.Published) {
            if (status == IModelRegistry.VersionStatus.Unknown) {
                revert InferenceSettlement_VersionUnknown(result.modelVersion);
            }
            // What was answered before keeps its window, which `_requireTimely` has checked.
            if (result.timestamp >= deprecatedAt) {
                revert InferenceSettlement_VersionDeprecated(
                    result.modelVersion,
                    deprecatedAt,
                    result.timestamp
                );
            }
        }
        if (words.length != inputWords + outputWords) {
            revert InferenceSettlement_WordCountInvalid(inputWords + outputWords, words.length);
        }

        uint256[] memory signals = _toSignals(words, InferenceResults.toContext(digest));
        bytes32 inputHash = InferenceResults.hashWords(signals, 0, inputWords);
        if (inputHash != result.inputHash) {
            revert InferenceSettlement_InputHashMismatch(result.inputHash, inputHash);
        }
        bytes32 outputHash = InferenceResults.hashWords(signals, inputWords, outputWords);
        if (outputHash != result.outputHash) {
            revert InferenceSettlement_OutputHashMismatch(result.outputHash, outputHash);
        }
        Groth16.verify(keyStore, KEY_OFFSET, proof, signals);
    }

    /// @dev The public signals of a proof: the words, then the context.
    function _toSignals(
        uint256[] calldata words,
        uint256 context
    ) private pure returns (uint256[] memory signals) {
        uint256 count = words.length;
        assembly ("memory-safe") {
            let length := shl(5, count)
            signals := mload(0x40)
            let target := add(signals, 0x20)
            mstore(signals, add(count, 1))
            calldatacopy(target, words.offset, length)
            mstore(add(target, length), context)
            mstore(0x40, add(target, add(length, 0x20)))
        }
    }
}
