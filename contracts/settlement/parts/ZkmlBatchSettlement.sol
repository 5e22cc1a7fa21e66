// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
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
    /// @dev Not a ledger page's number: behind the last.
    uint256 private constant NO_PAGE = type(uint256).max;

    /// @dev What all items share, and the one that is read.
    struct Batch {
        Groth16Batch.Batch proofs;
        InferenceResults.Encoded result;
        bytes32 domainSeparator;
        uint256 inputLength;
        uint256 outputLength;
        uint256 itemLength;
        uint256 deprecatedAt;
        // Of times from the first on, so many seconds, nothing is left to ask.
        uint256 plainFrom;
        uint256 plainSeconds;
    }

    /// @inheritdoc IInferenceSettlement
    function settleZkmlBatch(
        bytes32 modelVersion,
        address node,
        bytes calldata items,
        bytes calldata nodeSignature
    ) external override returns (uint256 settled) {
        _requireBatchConsent(modelVersion, node, items, nodeSignature);
        Batch memory batch = _open(modelVersion, items, items.length);
        InferenceResults.Encoded memory result = batch.result;

        (uint256 position, uint256 end) = _bounds(items);
        uint256 page = NO_PAGE;
        uint256 taken;
        uint256 fresh;
        while (position < end) {
            bytes32 requestId = _requestAt(node, position);
            // Most items share a page with the one before.
            if (RequestIds.pageOf(requestId) != page) {
                if (fresh != 0) _recordAll(page, fresh);
                page = RequestIds.pageOf(requestId);
                (taken, fresh) = (occupied(page), 0);
            }
            uint256 bit = RequestIds.bitOf(requestId);
            // Positions are in the calldata, and items are fewer than its bytes.
            unchecked {
                if (taken & bit == 0) {
                    taken |= bit;
                    fresh |= bit;
                    ++settled;
                    bytes32 digest = _add(batch, requestId, position);
                    if (result.timestamp - batch.plainFrom >= batch.plainSeconds) {
                        _requireTimely(result.timestamp);
                        _requireNotDeprecated(modelVersion, batch.deprecatedAt, result.timestamp);
                    }
                    _keepDigest(requestId, result.price, Verification.ZKML, digest);
                    _emitItem(result);
                }
                position += batch.itemLength;
            }
        }
        if (settled == 0) revert InferenceSettlement_NothingToSettle();
        Groth16Batch.verify(batch.proofs);
        // What EIP-150 holds back from the pairing pays for it. Nothing was called that could have seen the old record.
        if (fresh != 0) _recordAll(page, fresh);
    }

    /// @inheritdoc IInferenceSettlement
    function findInvalid(
        bytes32 modelVersion,
        address node,
        bytes calldata items
    ) external view override returns (uint256[] memory numbers) {
        Batch memory batch = _open(modelVersion, items, 1);
        uint256 count = items.length / batch.itemLength;
        numbers = new uint256[](count);
        uint256 found;
        (uint256 position, ) = _bounds(items);
        for (uint256 i = 0; i < count; ++i) {
            Groth16Batch.clear(batch.proofs);
            _add(batch, _requestAt(node, position), position);
            if (!Groth16Batch.holds(batch.proofs)) {
                numbers[found] = i;
                ++found;
            }
            position += batch.itemLength;
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

    function _emitItem(InferenceResults.Encoded memory result) private {
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

    /// @param capacity most items of one verification, if there are as many
    function _open(
        bytes32 modelVersion,
        bytes calldata items,
        uint256 capacity
    ) private view returns (Batch memory batch) {
        (address keyStore, uint256 inputWords, uint256 outputWords, uint256 deprecatedAt) = _provableVersion(
            modelVersion
        );
        uint256 wordCount = inputWords + outputWords;
        batch.inputLength = 32 * inputWords;
        batch.outputLength = 32 * outputWords;
        batch.itemLength = HEAD_LENGTH + Groth16.PROOF_LENGTH + 32 * wordCount;
        if (items.length == 0 || items.length % batch.itemLength != 0) {
            revert InferenceSettlement_ItemsLengthInvalid(batch.itemLength, items.length);
        }
        batch.result.typeHash = InferenceResults.TYPE_HASH;
        batch.result.modelVersion = modelVersion;
        batch.domainSeparator = _domainSeparatorV4();
        batch.deprecatedAt = deprecatedAt;
        batch.plainFrom = Math.saturatingSub(block.timestamp, MINIMUM_SETTLEMENT_WINDOW);
        batch.plainSeconds = Math.saturatingSub(
            Math.min(block.timestamp + MAXIMUM_CLOCK_SKEW, deprecatedAt),
            batch.plainFrom
        );
        batch.proofs = Groth16Batch.open(
            keyStore,
            KEY_OFFSET,
            wordCount,
            Math.min(capacity, items.length / batch.itemLength)
        );
    }

    function _bounds(bytes calldata items) private pure returns (uint256 first, uint256 end) {
        assembly ("memory-safe") {
            first := items.offset
            end := add(items.offset, items.length)
        }
    }

    /// @dev The request of the item at `position` of the calldata.
    function _requestAt(address node, uint256 position) private pure returns (bytes32) {
        uint256 nonce;
        assembly ("memory-safe") {
            nonce := shr(160, calldataload(position))
        }
        return RequestIds.encode(node, uint96(nonce));
    }

    /// @dev Adds the item at `position` of the calldata to the proofs, and fills its result in.
    /// @return digest EIP-712 digest of the item's result
    function _add(
        Batch memory batch,
        bytes32 requestId,
        uint256 position
    ) private pure returns (bytes32 digest) {
        InferenceResults.Encoded memory result = batch.result;
        uint256 requester;
        uint256 price;
        uint256 time;
        assembly ("memory-safe") {
            requester := shr(96, calldataload(add(position, 12)))
            price := calldataload(add(position, 32))
            time := shr(192, calldataload(add(position, 64)))
            position := add(position, HEAD_LENGTH)
        }
        result.requestId = requestId;
        result.requester = address(uint160(requester));
        result.price = price;
        result.timestamp = uint64(time);

        uint256 words = Groth16Batch.copy(batch.proofs, position);
        uint256 inputLength = batch.inputLength;
        result.inputHash = InferenceResults.hashMemory(words, inputLength);
        // Within the memory that was taken for the batch.
        unchecked {
            result.outputHash = InferenceResults.hashMemory(words + inputLength, batch.outputLength);
        }
        digest = MessageHashUtils.toTypedDataHash(
            batch.domainSeparator,
            InferenceResults.hashEncoded(result)
        );
        Groth16Batch.add(batch.proofs, InferenceResults.toContext(digest));
    }
}
