// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IGenesisDistribution} from "../interfaces/IGenesisDistribution.sol";

/// @title Allocations
/// @notice The allocation table: what docs/vesting.md says in words, and a test compares with it.
library Allocations {
    uint256 private constant TOKEN = 1e18;

    /// @notice Tokens of an allocation, in the smallest unit.
    function amountOf(IGenesisDistribution.Allocation allocation) internal pure returns (uint256) {
        if (allocation == IGenesisDistribution.Allocation.Ecosystem) return 400_000_000 * TOKEN;
        if (allocation == IGenesisDistribution.Allocation.Foundation) return 150_000_000 * TOKEN;
        if (allocation == IGenesisDistribution.Allocation.Contributors) return 150_000_000 * TOKEN;
        if (allocation == IGenesisDistribution.Allocation.Investors) return 100_000_000 * TOKEN;
        if (allocation == IGenesisDistribution.Allocation.StakingRewards) return 100_000_000 * TOKEN;
        if (allocation == IGenesisDistribution.Allocation.Liquidity) return 60_000_000 * TOKEN;
        return 40_000_000 * TOKEN; // Airdrop
    }

    /// @notice See {IGenesisDistribution-allocationTgeAmount}.
    function tgeAmountOf(IGenesisDistribution.Allocation allocation) internal pure returns (uint256) {
        if (allocation == IGenesisDistribution.Allocation.Ecosystem) return 40_000_000 * TOKEN;
        if (allocation == IGenesisDistribution.Allocation.Foundation) return 49_500_000 * TOKEN;
        if (allocation == IGenesisDistribution.Allocation.Liquidity) return 60_000_000 * TOKEN;
        if (allocation == IGenesisDistribution.Allocation.Airdrop) return 40_000_000 * TOKEN;
        return 0; // Contributors, Investors, StakingRewards
    }
}
