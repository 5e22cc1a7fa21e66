// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IInferenceSettlement} from "../../interfaces/IInferenceSettlement.sol";
import {Groth16} from "../../crypto/Groth16.sol";
import {Groth16Batch} from "../../crypto/Groth16Batch.sol";
import {InferenceResults} from "../InferenceResults.sol";
import {RequestIds} from "../RequestIds.sol";
import {ZkmlSettlement} from "./ZkmlSettlement.sol";

/// @title ZkmlBatchSettlement
/// @notice Many results with Groth16 proofs in one transaction. A part of {InferenceSettlement}.
///
/// Receipts of all items are out before the transaction is: anybody may settle one of them first. So taken requests are
/// skipped, before the coefficients of the proofs are formed, which do not depend on them then.
abstract contract ZkmlBatchSettlement is ZkmlSettlement {
    bytes32 private constant ZKML_BATCH_TYPEHASH = keccak256(
        "ZkmlBatch(bytes32 modelVersion,address node,bytes32 itemsHash)"
    );

    /// @dev nonce (12) | requester (20) | price (32) | timestamp (8).
    uint256 private constant HEAD_LENGTH = 12 + 20 + 32 + 8;

    /// @dev What all items share, and what of them goes into the verification.
    struct Batch {
        address keyStore;
        uint256 inputWords;
        uint256 outputWords;
        uint256 deprecatedAt;
        uint256 itemLength;
        uint256 count;
        uint256[] positions;
        uint256[] contexts;
    }

    /// @inheritdoc IInferenceSettlement
    function settleZkmlBatch(
        bytes32 modelVersion,
        address node,
        bytes calldata items,
        bytes calldata nodeSignature
    ) external override returns (uint256 settled) {
        _requireBatchConsent(modelVersion, node, items, nodeSignature);
        Batch memory batch = _open(modelVersion, items);
        InferenceResult memory result;
        result.modelVersion = modelVersion;

        uint256 page;
        uint256 taken;
        uint256 fresh;
        for (uint256 i = 0; i < batch.count; ++i) {
            uint256 position = _readHead(batch, items, i, node, result);
            // Most items share a page with the one before.
            if (i == 0 || RequestIds.pageOf(result.requestId) != page) {
                if (fresh != 0) _recordAll(page, fresh);
                page = RequestIds.pageOf(result.requestId);
                (taken, fresh) = (occupied(page), 0);
            }
            uint256 bit = RequestIds.bitOf(result.requestId);
            if ((taken | fresh) & bit != 0) continue;
            fresh |= bit;
            _requireTimely(result.timestamp);
            _requireNotDeprecated(modelVersion, batch.deprecatedAt, result.timestamp);
            bytes32 digest = _readWords(batch, position, result);
            batch.positions[settled] = position;
            batch.contexts[settled] = InferenceResults.toContext(digest);
            ++settled;
            _keepDigest(result.requestId, result.price, Verification.ZKML, digest);
            _emitItem(result);
        }
        if (settled == 0) revert InferenceSettlement_NothingToSettle();
        if (fresh != 0) _recordAll(page, fresh);
        _shorten(batch, settled);
        Groth16Batch.verify(
            batch.keyStore,
            KEY_OFFSET,
            batch.inputWords + batch.outputWords,
            batch.positions,
            batch.contexts
        );
    }

    /// @inheritdoc IInferenceSettlement
    function findInvalid(
        bytes32 modelVersion,
        address node,
        bytes calldata items
    ) external view override returns (uint256[] memory numbers) {
        Batch memory batch = _open(modelVersion, items);
        InferenceResult memory result;
        result.modelVersion = modelVersion;
        numbers = new uint256[](batch.count);
        uint256 found;
        _shorten(batch, 1);
        for (uint256 i = 0; i < batch.count; ++i) {
            uint256 position = _readHead(batch, items, i, node, result);
            batch.positions[0] = position;
            batch.contexts[0] = InferenceResults.toContext(_readWords(batch, position, result));
            bool isValid = Groth16Batch.holds(
                batch.keyStore,
                KEY_OFFSET,
                batch.inputWords + batch.outputWords,
                batch.positions,
                batch.contexts
            );
            if (!isValid) {
                numbers[found] = i;
                ++found;
            }
        }
        assembly ("memory-safe") {
            mstore(numbers, found)
        }
    }

    function _requireBatchConsent(
        bytes32 modelVersion,
        address node,
        bytes calldata items,
        bytes calldata nodeSignature
    ) private view {
        // The items are hashed only where somebody else sends them.
        if (msg.sender == node) return;
        bytes32 structHash = keccak256(
            abi.encode(ZKML_BATCH_TYPEHASH, modelVersion, node, InferenceResults.hashCalldata(items))
        );
        _requireConsent(node, _hashTypedDataV4(structHash), nodeSignature);
    }

    function _emitItem(InferenceResult memory result) private {
        emit ZkmlBatchItemSettled(
            result.requestId,
            result.modelVersion,
            result.requester,
            result.inputHash,
            result.outputHash,
            result.price,
            result.timestamp
        );
    }

    function _open(bytes32 modelVersion, bytes calldata items) private view returns (Batch memory batch) {
        (batch.keyStore, batch.inputWords, batch.outputWords, batch.deprecatedAt) = _provableVersion(
            modelVersion
        );
        batch.itemLength = HEAD_LENGTH + Groth16.PROOF_LENGTH + 32 * (batch.inputWords + batch.outputWords);
        if (items.length == 0 || items.length % batch.itemLength != 0) {
            revert InferenceSettlement_ItemsLengthInvalid(batch.itemLength, items.length);
        }
        batch.count = items.length / batch.itemLength;
        batch.positions = new uint256[](batch.count);
        batch.contexts = new uint256[](batch.count);
    }

    /// @dev Fills in what stands in front of an item's proof.
    /// @return position where in the calldata the proof begins
    function _readHead(
        Batch memory batch,
        bytes calldata items,
        uint256 index,
        address node,
        InferenceResult memory result
    ) private pure returns (uint256 position) {
        uint256 itemLength = batch.itemLength;
        uint256 nonce;
        uint256 requester;
        uint256 price;
        uint256 time;
        assembly ("memory-safe") {
            position := add(items.offset, mul(index, itemLength))
            nonce := shr(160, calldataload(position))
            requester := shr(96, calldataload(add(position, 12)))
            price := calldataload(add(position, 32))
            time := shr(192, calldataload(add(position, 64)))
            position := add(position, HEAD_LENGTH)
        }
        result.requestId = RequestIds.encode(node, uint96(nonce));
        result.requester = address(uint160(requester));
        result.price = price;
        result.timestamp = uint64(time);
    }

    /// @dev Fills in the hashes of an item's words.
    /// @return digest EIP-712 digest of the item's result
    function _readWords(
        Batch memory batch,
        uint256 position,
        InferenceResult memory result
    ) private view returns (bytes32 digest) {
        uint256 words = position + Groth16.PROOF_LENGTH;
        result.inputHash = InferenceResults.hashCalldata(words, 32 * batch.inputWords);
        result.outputHash = InferenceResults.hashCalldata(
            words + 32 * batch.inputWords,
            32 * batch.outputWords
        );
        return _hashTypedDataV4(InferenceResults.hashCopy(result));
    }

    /// @dev Forgets the places that skipped items left over.
    function _shorten(Batch memory batch, uint256 count) private pure {
        uint256[] memory positions = batch.positions;
        uint256[] memory contexts = batch.contexts;
        assembly ("memory-safe") {
            mstore(positions, count)
            mstore(contexts, count)
        }
    }
}
