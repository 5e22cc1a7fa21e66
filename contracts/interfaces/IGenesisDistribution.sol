// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

import {IMerkleAirdrop} from "./IMerkleAirdrop.sol";
import {IOPG} from "./IOPG.sol";
import {IVestingFactory} from "./IVestingFactory.sol";

/// @title IGenesisDistribution
/// @notice Creates the token and hands out all of it, in its own creation. Afterwards it holds nothing and has no
/// function that could change anything.
///
/// What each allocation gets is fixed in the code (`allocationAmount`, `allocationTgeAmount`); who gets it and when
/// it vests are the parameters. What is not handed to holders of their own, the grants of Ecosystem, Foundation and
/// StakingRewards and whatever governance holds, never votes. Any parameters that would not hand out exactly the supply are refused.
interface IGenesisDistribution {
    enum Allocation {
        Ecosystem,
        Foundation,
        Contributors,
        Investors,
        StakingRewards,
        Liquidity,
        Airdrop
    }

    /// @notice A beneficiary's part of an allocation.
    struct Share {
        address beneficiary;
        uint96 amount;
    }

    /// @notice When the rest of an allocation accrues, unix seconds.
    struct Period {
        uint40 start;
        uint40 end;
    }

    /// @param tge token generation event, unix seconds
    /// @param periods of Ecosystem, Foundation, Contributors, Investors and StakingRewards, in this order
    /// @param governance the timelock: beneficiary of Ecosystem and, until it redirects them, of the staking
    /// rewards; may revoke grants of contributors
    /// @param foundation beneficiary of Foundation
    /// @param liquidity gets Liquidity at once
    /// @param contributors shares of Contributors
    /// @param investors shares of Investors
    /// @param airdropRoot root of the airdrop's tree, whose amounts sum to the whole allocation
    /// @param airdropDeadline last second of the airdrop, unix seconds
    struct Parameters {
        uint40 tge;
        Period[5] periods;
        address governance;
        address foundation;
        address liquidity;
        Share[] contributors;
        Share[] investors;
        bytes32 airdropRoot;
        uint40 airdropDeadline;
    }

    /// @notice One for each grant, and one each for Liquidity and Airdrop, whose receiver gets the amount at once.
    event Allocated(Allocation indexed allocation, address indexed receiver, uint256 amount);
    /// @notice Everything is handed out.
    event Distributed(IOPG token, IVestingFactory vestingFactory, IMerkleAirdrop airdrop);

    error GenesisDistribution_AllocationMismatch(Allocation allocation, uint256 expected, uint256 actual);
    error GenesisDistribution_SupplyMismatch(uint256 expected, uint256 actual);
    error GenesisDistribution_NotAContract(address account);
    error GenesisDistribution_AddressZero(string field);
    error GenesisDistribution_TgeInvalid(uint40 tge);

    function token() external view returns (IOPG);

    function vestingFactory() external view returns (IVestingFactory);

    function airdrop() external view returns (IMerkleAirdrop);

    function ecosystemVault() external view returns (address);

    function stakingRewardsVault() external view returns (address);

    /// @notice Tokens of an allocation, in the smallest unit.
    function allocationAmount(Allocation allocation) external pure returns (uint256);

    /// @notice Part of an allocation that is nobody's to wait for after the token generation event: vested at that
    /// second where the allocation is in vaults, and handed out in the distribution itself, whenever that is, for
    /// Liquidity and Airdrop.
    function allocationTgeAmount(Allocation allocation) external pure returns (uint256);
}
