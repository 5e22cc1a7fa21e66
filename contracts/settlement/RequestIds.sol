// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title RequestIds
/// @notice `requestId = bytes32(uint160 node, uint96 nonce)`, and where it stands in the ledger.
///
/// A request id without its lowest byte is the number of a ledger page, which has 256 requests of one node; that byte
/// is the request's place in the page. `protocol/src/requestId.ts` is the second implementation.
library RequestIds {
    uint256 private constant NONCE_BITS = 96;
    uint256 private constant PAGE_BITS = 8;
    uint256 private constant INDEX_MASK = 0xff;

    /// @notice The request of a node's nonce.
    function encode(address node, uint96 nonce) internal pure returns (bytes32) {
        return bytes32((uint256(uint160(node)) << NONCE_BITS) | nonce);
    }

    /// @notice The node that a request belongs to.
    function nodeOf(bytes32 requestId) internal pure returns (address) {
        return address(uint160(uint256(requestId) >> NONCE_BITS));
    }

    /// @notice The ledger page that a request is in.
    function pageOf(bytes32 requestId) internal pure returns (uint256) {
        return uint256(requestId) >> PAGE_BITS;
    }

    /// @notice The node that a ledger page belongs to; zero for a number behind the last ledger page.
    /// @dev Such a number without its highest bits is a ledger page's: it would name the same requests, in another slot.
    function nodeOfPage(uint256 page) internal pure returns (address) {
        uint256 node = page >> (NONCE_BITS - PAGE_BITS);
        return node > type(uint160).max ? address(0) : address(uint160(node));
    }

    /// @notice The request's bit in its page.
    function bitOf(bytes32 requestId) internal pure returns (uint256) {
        return 1 << (uint256(requestId) & INDEX_MASK);
    }

    /// @notice The address form of an enclave: its requests are those of this node.
    function nodeOfEnclave(bytes32 teeId) internal pure returns (address) {
        return address(uint160(uint256(teeId)));
    }
}
