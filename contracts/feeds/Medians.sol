// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Medians
/// @notice Lower medians of lists that are kept in order while they grow. For a few numbers: each costs as many steps as
/// there are larger ones.
library Medians {
    /// @notice Puts a number at its place among those that are there, the smallest first.
    /// @dev The caller makes sure that there is room for one more.
    /// @param sorted the list, with room behind `count`
    /// @param count how many are in it
    /// @param value the number
    function insert(int256[] memory sorted, uint256 count, int256 value) internal pure {
        uint256 place = count;
        for (; place > 0 && sorted[place - 1] > value; --place) sorted[place] = sorted[place - 1];
        sorted[place] = value;
    }

    /// @notice The middle one; of an even number the lower of both in the middle. It is one of the numbers, so that nothing
    /// is rounded and nothing overflows.
    /// @param sorted the list
    /// @param count how many are in it, at least 1
    /// @return median that number
    function lower(int256[] memory sorted, uint256 count) internal pure returns (int256 median) {
        return sorted[(count - 1) / 2];
    }
}
