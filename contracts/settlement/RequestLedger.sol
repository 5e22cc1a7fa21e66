// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IInferenceSettlement} from "../interfaces/IInferenceSettlement.sol";

/// @title RequestLedger
/// @notice The record of settled requests: one bit for each, 256 nonces of a node in a storage slot.
///
/// `requestId = bytes32(uint160 node, uint96 nonce)`, so that a request id without its lowest byte names a page
/// of 256 records of one node, and that byte is the place in the page. Every kind of settlement records here, and
/// only `record` writes: a bit is set once and never cleared.
library RequestLedger {
    struct Ledger {
        mapping(uint256 page => uint256 bitmap) pages;
    }

    uint256 private constant NONCE_BITS = 96;
    uint256 private constant PAGE_BITS = 8;
    uint256 private constant INDEX_MASK = 0xff;

    /// @notice Records a request. Reverts if it is recorded already.
    function record(Ledger storage self, bytes32 requestId) internal {
        uint256 page = uint256(requestId) >> PAGE_BITS;
        uint256 bitmap = self.pages[page];
        uint256 bit = 1 << (uint256(requestId) & INDEX_MASK);
        if (bitmap & bit != 0) {
            revert IInferenceSettlement.InferenceSettlement_AlreadySettled(requestId);
        }
        self.pages[page] = bitmap | bit;
    }

    function isRecorded(Ledger storage self, bytes32 requestId) internal view returns (bool) {
        return (self.pages[uint256(requestId) >> PAGE_BITS] >> (uint256(requestId) & INDEX_MASK)) & 1 == 1;
    }

    /// @notice Bit i is nonce `256 * wordIndex + i` of `node`. Zero for a word index beyond the last nonce.
    function bitmapOf(Ledger storage self, address node, uint256 wordIndex) internal view returns (uint256) {
        if (wordIndex >> (NONCE_BITS - PAGE_BITS) != 0) return 0;
        return self.pages[(uint256(uint160(node)) << (NONCE_BITS - PAGE_BITS)) | wordIndex];
    }

    /// @notice The node that a request belongs to.
    function nodeOf(bytes32 requestId) internal pure returns (address) {
        return address(uint160(uint256(requestId) >> NONCE_BITS));
    }
}
