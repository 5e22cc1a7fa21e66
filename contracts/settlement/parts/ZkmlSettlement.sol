// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IInferenceSettlement} from "../../interfaces/IInferenceSettlement.sol";
import {Groth16} from "../../crypto/Groth16.sol";
import {InferenceResults} from "../InferenceResults.sol";
import {RequestIds} from "../RequestIds.sol";
import {SettlementBase} from "./SettlementBase.sol";

/// @title ZkmlSettlement
/// @notice Results with a Groth16 proof, one at a time. A part of {InferenceSettlement}.
abstract contract ZkmlSettlement is SettlementBase {
    /// @dev In a key store's code, the byte before the key keeps the code from being run.
    uint256 internal constant KEY_OFFSET = 1;

    /// @inheritdoc IInferenceSettlement
    function settleZkml(
        InferenceResult calldata result,
        uint256[] calldata words,
        bytes calldata proof,
        bytes calldata nodeSignature
    ) external override {
        if (result.teeId != 0) revert InferenceSettlement_TeeIdNotZero(result.teeId);
        _requireTimelyOrWriter(result.timestamp);
        bytes32 digest = hashResult(result);
        _requireConsent(RequestIds.nodeOf(result.requestId), digest, nodeSignature);
        // Check and effect in one, before the expensive check: whoever comes second with a request pays little.
        // A proof that is refused below takes the record back.
        _record(result.requestId);
        _keepDigest(result.requestId, result.price, Verification.ZKML, digest);
        _requireProof(result, words, proof, digest);

        // `requester` and `price` are not judged: they are what the node signed and the proof is bound to.
        emit InferenceSettled(
            result.requestId,
            result.modelVersion,
            result.requester,
            Verification.ZKML,
            result.inputHash,
            result.outputHash,
            result.price,
            result.timestamp,
            0,
            words
        );
    }

    /// @dev As `_requireTimely`; but what a writer of the ledger sends, or a former one, may be old. It answers for the result
    /// having come in time: a proof is demanded of a page long after its results were made, and a page's proposer has to be
    /// able to give it whatever became of the page's contract.
    function _requireTimelyOrWriter(uint64 timestamp) private view {
        uint256 time = timestamp;
        // Sums of two numbers of 64 bits.
        unchecked {
            uint256 latest = block.timestamp + MAXIMUM_CLOCK_SKEW;
            if (time > latest) revert InferenceSettlement_ResultFromFuture(latest, time);
            if (block.timestamp <= time + MINIMUM_SETTLEMENT_WINDOW) return;
            uint256 deadline = time + settlementWindow;
            if (block.timestamp > deadline && !_isKnownWriter(msg.sender)) {
                revert InferenceSettlement_ResultExpired(deadline, block.timestamp);
            }
        }
    }

    /// @dev What settlement needs of a version that proofs can be checked for.
    function _provableVersion(
        bytes32 modelVersion
    )
        internal
        view
        returns (address keyStore, uint256 inputWords, uint256 outputWords, uint256 deprecatedAt)
    {
        (keyStore, inputWords, outputWords, deprecatedAt) = _knownVersion(modelVersion);
        if (keyStore == address(0)) revert InferenceSettlement_VersionWithoutKey(modelVersion);
    }

    /// @dev Whether `words` are the ones that the result names, and `proof` shows that the model maps the input
    /// words to the output words for this very result.
    function _requireProof(
        InferenceResult calldata result,
        uint256[] calldata words,
        bytes calldata proof,
        bytes32 digest
    ) private view {
        (address keyStore, uint256 inputWords, uint256 outputWords, uint256 deprecatedAt) = _provableVersion(
            result.modelVersion
        );
        _requireNotDeprecated(result.modelVersion, deprecatedAt, result.timestamp);
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
