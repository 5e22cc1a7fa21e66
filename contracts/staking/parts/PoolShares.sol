// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title PoolShares
/// @notice What shares of a sum are worth, and what of a sum is taken: the whole arithmetic of pools and of what leaves them, alone,
/// so that it can be proved (`npm run verify:stake`). Everything is rounded down, against who comes, leaves or takes.
///
/// @dev Amounts are below 2^90 and shares below 2^104, so that no product overflows.
library PoolShares {
    /// @param amount what comes in
    /// @param sum what is there
    /// @param shares of what is there
    /// @return bought shares for it
    function boughtFor(uint256 amount, uint256 sum, uint256 shares) internal pure returns (uint256 bought) {
        return shares == 0 ? amount : (amount * shares) / sum;
    }

    /// @param some of the shares
    /// @param sum what is there
    /// @param shares of what is there
    /// @return worth of the former
    function worthOf(uint256 some, uint256 sum, uint256 shares) internal pure returns (uint256 worth) {
        return some == 0 ? 0 : (some * sum) / shares;
    }

    /// @param sum what is there
    /// @param part of `whole`, not more than it
    /// @param whole not zero
    /// @return taken from the sum
    function partOf(uint256 sum, uint256 part, uint256 whole) internal pure returns (uint256 taken) {
        return (sum * part) / whole;
    }
}
