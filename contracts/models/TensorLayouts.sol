// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IModelRegistry} from "../interfaces/IModelRegistry.sol";

/// @title TensorLayouts
/// @notice How many packed words a sequence of tensors fills; refuses layouts that no words can have.
/// `protocol/src/tensorLayout.ts` is the second implementation.
library TensorLayouts {
    /// @dev Usable bits of a packed word: what is below the scalar field's order in any combination.
    uint256 internal constant WORD_BITS = 248;
    /// @dev Bound of the loop, and of what `getVersion` has to return.
    uint256 internal constant MAXIMUM_TENSORS = 16;

    /// @notice Number of words. Elements never cross the end of a word, tensors follow each other without a gap.
    /// @dev One step per tensor, whatever its size: the elements that still fit the current word, then whole
    /// words, then the rest. Cannot overflow: 16 tensors have fewer than 2^36 elements.
    function wordCount(IModelRegistry.TensorLayout[] calldata tensors) internal pure returns (uint256) {
        if (tensors.length == 0) revert IModelRegistry.ModelRegistry_LayoutEmpty();
        if (tensors.length > MAXIMUM_TENSORS) {
            revert IModelRegistry.ModelRegistry_TooManyTensors(MAXIMUM_TENSORS, tensors.length);
        }
        uint256 fullWords = 0;
        uint256 usedBits = 0;
        for (uint256 i = 0; i < tensors.length; ++i) {
            uint256 count = tensors[i].count;
            uint256 bits = tensors[i].bits;
            if (count == 0 || bits == 0 || bits > WORD_BITS) {
                revert IModelRegistry.ModelRegistry_LayoutInvalid(i, tensors[i].count, tensors[i].bits);
            }
            uint256 fitting = (WORD_BITS - usedBits) / bits;
            if (count <= fitting) {
                usedBits += count * bits;
                continue;
            }
            uint256 perWord = WORD_BITS / bits;
            uint256 last = count - fitting - 1;
            fullWords += 1 + last / perWord;
            usedBits = ((last % perWord) + 1) * bits;
        }
        return fullWords + 1;
    }
}
