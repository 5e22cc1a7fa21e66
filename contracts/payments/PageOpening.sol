// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {IPageSettlementTypes} from "../interfaces/IPageSettlementTypes.sol";
import {InferenceResults} from "../settlement/InferenceResults.sol";
import {PageTree} from "../settlement/PageTree.sol";

/// @title PageOpening
/// @notice Many results of a page at once: their leaves from packed records, and the root from leaves and the hashes between
/// them. A root that is the page's says that each of them is in it.
///
/// @dev A record has what {IChannelGate.Section} says. What all results of a page or of a section have in common stands in no
/// record, so that it cannot differ.
library PageOpening {
    /// @notice Bytes of a record.
    uint256 internal constant RECORD_BYTES = 118;

    uint256 private constant LEAVES = 256;
    /// @dev Of the first word of a record: index (8), timestamp (40), price (128), and the inputHash's first 80 bits.
    uint256 private constant INDEX_SHIFT = 248;
    uint256 private constant TIMESTAMP_SHIFT = 208;
    uint256 private constant PRICE_SHIFT = 80;

    bytes32 private constant DOMAIN_TYPE_HASH = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );

    /// @notice The records are empty, or not a whole number of them.
    /// @param length bytes given
    error PageOpening_RecordsInvalid(uint256 length);
    /// @notice Two records are of one place.
    /// @param index the place
    error PageOpening_IndexTwice(uint256 index);
    /// @notice There are more or fewer hashes than the tree needs.
    /// @param expected how many it needs; where there are too few, the first that is missing
    /// @param actual how many there are
    error PageOpening_SiblingsInvalid(uint256 expected, uint256 actual);

    /// @notice A page that is being opened.
    /// @param separator EIP-712's of the settlement
    /// @param opened the places with a leaf, as a bitmap
    /// @param nodes of the tree; leaves at first
    /// @param encoded the result that is hashed last
    struct Opening {
        bytes32 separator;
        uint256 opened;
        bytes32[] nodes;
        InferenceResults.Encoded encoded;
    }

    /// @notice Begins.
    /// @param settlement whose domain the results are signed under
    /// @param header of the page
    function begin(
        address settlement,
        IPageSettlementTypes.PageHeader calldata header
    ) internal view returns (Opening memory opening) {
        opening.separator = keccak256(
            abi.encode(
                DOMAIN_TYPE_HASH,
                keccak256(bytes(InferenceResults.DOMAIN_NAME)),
                keccak256(bytes(InferenceResults.DOMAIN_VERSION)),
                block.chainid,
                settlement
            )
        );
        opening.nodes = new bytes32[](LEAVES);
        opening.encoded.typeHash = InferenceResults.TYPE_HASH;
        opening.encoded.teeId = header.teeId;
    }

    /// @notice Puts the leaves of records into the tree.
    /// @param opening to add to
    /// @param page number of the ledger page
    /// @param requester of the results
    /// @param modelVersion of the results
    /// @param records packed
    /// @param counted places whose prices are not added
    /// @return fresh the other places, as a bitmap
    /// @return sum of their prices; far below 2^256, as each is below 2^128
    function add(
        Opening memory opening,
        uint256 page,
        address requester,
        bytes32 modelVersion,
        bytes calldata records,
        uint256 counted
    ) internal pure returns (uint256 fresh, uint256 sum) {
        if (records.length == 0 || records.length % RECORD_BYTES != 0) {
            revert PageOpening_RecordsInvalid(records.length);
        }
        InferenceResults.Encoded memory encoded = opening.encoded;
        (encoded.requester, encoded.modelVersion) = (requester, modelVersion);
        uint256 opened = opening.opened;
        for (uint256 start = 0; start < records.length; start += RECORD_BYTES) {
            uint256 index;
            (index, encoded.timestamp, encoded.price) = _readHead(records, start);
            uint256 bit = 1 << index;
            if (opened & bit != 0) revert PageOpening_IndexTwice(index);
            opened |= bit;
            encoded.requestId = bytes32((page << 8) | index);
            bytes32 signatureHash;
            (encoded.inputHash, encoded.outputHash, signatureHash) = _readHashes(records, start);
            bytes32 structHash = InferenceResults.hashEncoded(encoded);
            bytes32 digest = MessageHashUtils.toTypedDataHash(opening.separator, structHash);
            opening.nodes[index] = PageTree.hashLeaf(digest, signatureHash);
            if (counted & bit == 0) (fresh, sum) = (fresh | bit, sum + encoded.price);
        }
        opening.opened = opened;
    }

    /// @notice The root that the leaves lead to. Uses the tree up.
    /// @param opening with all its leaves
    /// @param siblings nodes that do not follow from leaves, in the order in which they are needed
    function climb(Opening memory opening, bytes32[] calldata siblings) internal pure returns (bytes32) {
        bytes32[] memory nodes = opening.nodes;
        uint256 known = opening.opened;
        uint256 used;
        for (uint256 width = LEAVES / 2; width != 0; width /= 2) {
            uint256 above;
            for (uint256 i = 0; i < width; ++i) {
                uint256 pair = (known >> (2 * i)) & 3;
                if (pair == 0) continue;
                bytes32 left = nodes[2 * i];
                bytes32 right = nodes[2 * i + 1];
                if (pair != 3) {
                    if (used == siblings.length) revert PageOpening_SiblingsInvalid(used + 1, used);
                    if (pair == 1) right = siblings[used];
                    else left = siblings[used];
                    ++used;
                }
                nodes[i] = _hashPair(left, right);
                above |= 1 << i;
            }
            known = above;
        }
        if (used != siblings.length) revert PageOpening_SiblingsInvalid(used, siblings.length);
        return nodes[0];
    }

    /// @dev As {PageTree} hashes inner nodes.
    function _hashPair(bytes32 left, bytes32 right) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            // Behind the free pointer: 0x01 (1) | left (32) | right (32).
            let pointer := mload(0x40)
            mstore8(pointer, 0x01)
            mstore(add(pointer, 0x01), left)
            mstore(add(pointer, 0x21), right)
            hash := keccak256(pointer, 0x41)
        }
    }

    /// @dev The caller makes sure that a whole record begins there.
    function _readHead(
        bytes calldata records,
        uint256 start
    ) private pure returns (uint256 index, uint64 timestamp, uint256 price) {
        uint256 word;
        assembly ("memory-safe") {
            word := calldataload(add(records.offset, start))
        }
        index = word >> INDEX_SHIFT;
        timestamp = uint40(word >> TIMESTAMP_SHIFT);
        price = uint128(word >> PRICE_SHIFT);
    }

    /// @dev Likewise.
    function _readHashes(
        bytes calldata records,
        uint256 start
    ) private pure returns (bytes32 inputHash, bytes32 outputHash, bytes32 signatureHash) {
        assembly ("memory-safe") {
            let position := add(records.offset, start)
            inputHash := calldataload(add(position, 22))
            outputHash := calldataload(add(position, 54))
            signatureHash := calldataload(add(position, 86))
        }
    }
}
