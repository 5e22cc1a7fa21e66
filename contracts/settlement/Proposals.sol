// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Proposals
/// @notice What a node signs to have results of it proposed by somebody else. `protocol/src/proposal.ts` is the second
/// implementation.
library Proposals {
    bytes32 internal constant TYPE_HASH = keccak256(
        "Proposal(uint8 kind,uint256 page,uint256 bitmap,bytes32 root,bytes32 blobId,uint64 deadline)"
    );

    /// @notice EIP-712 struct hash.
    /// @param kind of verification, as `IInferenceSettlement.Verification` counts
    /// @param page number of the ledger page, which names the node
    /// @param bitmap the requests of that page
    /// @param root of the results: of one result its digest
    /// @param blobId where the results are stored; zero for one result
    /// @param deadline last second in which this counts, in unix seconds
    function hashStruct(
        uint8 kind,
        uint256 page,
        uint256 bitmap,
        bytes32 root,
        bytes32 blobId,
        uint64 deadline
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(TYPE_HASH, kind, page, bitmap, root, blobId, deadline));
    }
}
