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
    /// @notice Parts of the supply, by what they are for.
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
    /// @param beneficiary who gets it
    /// @param amount in the smallest unit
    struct Share {
        address beneficiary;
        uint96 amount;
    }

    /// @notice When the rest of an allocation accrues, unix seconds.
    /// @param start when it begins to accrue
    /// @param end when all of it is vested
    struct Period {
        uint40 start;
        uint40 end;
    }

    /// @notice What a distribution is created with.
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
    /// @param allocation of which allocation
    /// @param receiver the grant's vault, or who got the amount
    /// @param amount in the smallest unit
    event Allocated(Allocation indexed allocation, address indexed receiver, uint256 amount);
    /// @notice Everything is handed out.
    /// @param token the token that was created
    /// @param vestingFactory which made the grants
    /// @param airdrop which holds the airdrop
    event Distributed(IOPG token, IVestingFactory vestingFactory, IMerkleAirdrop airdrop);

    /// @notice The shares of an allocation do not sum to it.
    /// @param allocation which one
    /// @param expected its amount
    /// @param actual sum of the shares
    error GenesisDistribution_AllocationMismatch(Allocation allocation, uint256 expected, uint256 actual);
    /// @notice The allocations would not hand out exactly the supply.
    /// @param expected the supply
    /// @param actual what they hand out
    error GenesisDistribution_SupplyMismatch(uint256 expected, uint256 actual);
    /// @notice Governance has no code.
    /// @param account its address
    error GenesisDistribution_NotAContract(address account);
    /// @notice A receiver is zero.
    /// @param field the parameter's name
    error GenesisDistribution_AddressZero(string field);
    /// @notice The token generation event has no time.
    /// @param tge zero
    error GenesisDistribution_TgeInvalid(uint40 tge);

    /// @notice The token.
    function token() external view returns (IOPG);

    /// @notice What made the grants.
    function vestingFactory() external view returns (IVestingFactory);

    /// @notice What holds the airdrop.
    function airdrop() external view returns (IMerkleAirdrop);

    /// @notice The grant of Ecosystem.
    function ecosystemVault() external view returns (address);

    /// @notice The grant of StakingRewards.
    function stakingRewardsVault() external view returns (address);

    /// @notice Tokens of an allocation, in the smallest unit.
    /// @param allocation which one
    function allocationAmount(Allocation allocation) external pure returns (uint256);

    /// @notice Part of an allocation that is nobody's to wait for after the token generation event: vested at that
    /// second where the allocation is in vaults, and handed out in the distribution itself, whenever that is, for
    /// Liquidity and Airdrop.
    /// @param allocation which one
    function allocationTgeAmount(Allocation allocation) external pure returns (uint256);
}
