// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PoolShares} from "../../../contracts/staking/parts/PoolShares.sol";

/// @title PoolSharesProof
/// @notice Properties of the arithmetic of pools and of what leaves them, for the compiler's SMTChecker: `npm run verify:stake`
/// has a solver prove each `assert` for all amounts below 2^96 and shares below 2^104. A pool is a sum and shares of it; both
/// are zero or neither is, and a share is worth a unit at most: `isPool`, which is proved to last.
contract PoolSharesProof {
    /// @notice Shares are worth what they were or more to everybody who is there, and no more than was paid to who comes.
    function comesIn(uint96 amount, uint96 sum, uint104 shares) public pure {
        require(isPool(sum, shares) && sum != 0);
        uint256 bought = PoolShares.boughtFor(amount, sum, shares);
        // Of those who were there: sum / shares <= (sum + amount) / (shares + bought).
        assert(uint256(amount) * shares >= bought * sum);
        // Less than a share is lost by rounding.
        assert((bought + 1) * sum > uint256(amount) * shares);
    }

    function comesInFirst(uint96 amount) public pure {
        assert(PoolShares.boughtFor(amount, 0, 0) == amount);
    }

    /// @notice Nobody can make shares so dear that what comes is rounded away: it buys a share a unit, at least.
    function buysAShareAUnit(uint96 amount, uint96 sum, uint104 shares) public pure {
        require(isPool(sum, shares));
        uint256 bought = PoolShares.boughtFor(amount, sum, shares);
        assert(bought >= amount);
        assert(isPool(uint256(sum) + amount, uint256(shares) + bought));
    }

    /// @notice Who leaves takes no more than their part; what stays for the others is worth what it was or more.
    function leaves(uint104 some, uint96 sum, uint104 shares) public pure {
        require(isPool(sum, shares) && some <= shares);
        uint256 worth = PoolShares.worthOf(some, sum, shares);
        assert(worth <= sum);
        assert(worth * shares <= uint256(some) * sum);
        assert(some == 0 || (worth + 1) * shares > uint256(some) * sum);
    }

    /// @notice Whoever is last takes all, and nobody is left with shares of nothing, or something without shares.
    function leavesAPool(uint104 some, uint96 sum, uint104 shares) public pure {
        require(isPool(sum, shares) && some <= shares);
        uint256 worth = PoolShares.worthOf(some, sum, shares);
        if (some == shares) assert(worth == sum);
        else assert(worth < sum);
        assert(isPool(sum - worth, uint256(shares) - some));
    }

    /// @notice It brings nothing to be two: together they take no more than one.
    function splits(uint104 some, uint104 others, uint96 sum, uint104 shares) public pure {
        require(isPool(sum, shares) && uint256(some) + others <= shares);
        uint256 both = PoolShares.worthOf(uint256(some) + others, sum, shares);
        uint256 apart = PoolShares.worthOf(some, sum, shares) + PoolShares.worthOf(others, sum, shares);
        assert(apart <= both);
    }

    /// @notice A slash, or a commission, takes no more than there is, and less than all if its part is: a pool stays one.
    function isTaken(uint96 sum, uint104 shares, uint16 part, uint16 whole) public pure {
        require(isPool(sum, shares) && whole != 0 && part < whole);
        uint256 taken = PoolShares.partOf(sum, part, whole);
        assert(taken <= sum);
        assert(taken * whole <= uint256(sum) * part);
        assert(isPool(sum - taken, shares));
    }

    /// @notice A slash takes less than a unit less from several sums than it would from them together, and never more.
    function isTakenFromSeveral(uint96 sum, uint96 other, uint16 part, uint16 whole) public pure {
        require(whole != 0 && part <= whole);
        uint256 apart = PoolShares.partOf(sum, part, whole) + PoolShares.partOf(other, part, whole);
        uint256 both = PoolShares.partOf(uint256(sum) + other, part, whole);
        assert(apart <= both);
        assert(both <= apart + 1);
    }

    function isPool(uint256 sum, uint256 shares) private pure returns (bool) {
        return (sum == 0) == (shares == 0) && sum <= shares;
    }
}

/// @title PoolSharesCounterproof
/// @notice False on purpose: a solver that proves this proves nothing.
contract PoolSharesCounterproof {
    function isFalse(uint96 amount, uint96 sum, uint104 shares) public pure {
        require(sum != 0 && sum <= shares);
        uint256 bought = PoolShares.boughtFor(amount, sum, shares);
        assert(bought * sum == uint256(amount) * shares);
    }
}
