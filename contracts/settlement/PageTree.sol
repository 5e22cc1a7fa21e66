// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title PageTree
/// @notice The tree over a page of results: depth 8, a leaf for each of 256 nonces, always in that nonce's place. Pairs are
/// hashed in their order, so that a proof's path is the place. `protocol/src/resultPage.ts` is the second implementation.
///
/// A sorted tree could hold a second leaf for a nonce, which whoever watches the first never sees.
library PageTree {
    /// @notice The leaf of a nonce without a result.
    bytes32 internal constant EMPTY_LEAF = keccak256("haca.page.empty");

    /// @dev The first byte keeps leaves and inner nodes apart: neither can be shown as the other.
    bytes1 private constant LEAF_PREFIX = 0x00;
    uint256 private constant DEPTH = 8;

    /// @notice Leaf of a signed result.
    /// @param digest EIP-712 digest of the result
    /// @param signatureHash keccak256 of what it is signed with
    function hashLeaf(bytes32 digest, bytes32 signatureHash) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(LEAF_PREFIX, digest, signatureHash));
    }

    /// @notice The root that a leaf in this place leads to.
    function climb(
        bytes32 leaf,
        uint8 index,
        bytes32[DEPTH] calldata siblings
    ) internal pure returns (bytes32 hash) {
        hash = leaf;
        assembly ("memory-safe") {
            // Behind the free pointer: 0x01 (1) | left (32) | right (32).
            let pointer := mload(0x40)
            mstore8(pointer, 0x01)
            for {
                let depth := 0
            } lt(depth, DEPTH) {
                depth := add(depth, 1)
            } {
                let sibling := calldataload(add(siblings, shl(5, depth)))
                switch and(shr(depth, index), 1)
                case 0 {
                    mstore(add(pointer, 0x01), hash)
                    mstore(add(pointer, 0x21), sibling)
                }
                default {
                    mstore(add(pointer, 0x01), sibling)
                    mstore(add(pointer, 0x21), hash)
                }
                hash := keccak256(pointer, 0x41)
            }
        }
    }
}
