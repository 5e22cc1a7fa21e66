// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IGenesisDistribution} from "../interfaces/IGenesisDistribution.sol";
import {IMerkleAirdrop} from "../interfaces/IMerkleAirdrop.sol";
import {IOPG} from "../interfaces/IOPG.sol";
import {IVestingFactory} from "../interfaces/IVestingFactory.sol";
import {IVestingVault} from "../interfaces/IVestingVault.sol";
import {Allocations} from "./Allocations.sol";
import {MerkleAirdrop} from "./MerkleAirdrop.sol";
import {OPG} from "./OPG.sol";
import {VestingFactory} from "./VestingFactory.sol";

/// @title GenesisDistribution
/// @notice See {IGenesisDistribution}.
///
/// Access: there is nothing to access. Everything happens in the constructor, so that between the creation of the
/// supply and its distribution there is no moment, no account and no transaction in between.
contract GenesisDistribution is IGenesisDistribution {
    /// @inheritdoc IGenesisDistribution
    IOPG public immutable override token;
    /// @inheritdoc IGenesisDistribution
    IVestingFactory public immutable override vestingFactory;
    /// @inheritdoc IGenesisDistribution
    IMerkleAirdrop public immutable override airdrop;
    /// @inheritdoc IGenesisDistribution
    address public immutable override ecosystemVault;
    /// @inheritdoc IGenesisDistribution
    address public immutable override stakingRewardsVault;

    constructor(Parameters memory parameters) {
        _requireParameters(parameters);
        IOPG opg = new OPG(address(this), parameters.governance);
        IVestingFactory factory = new VestingFactory(opg);
        token = opg;
        vestingFactory = factory;

        // The factory takes exactly what the vaults get; `_requireEmptyHanded` makes sure that no allowance is left.
        opg.approve(address(factory), _vestingAmount());
        ecosystemVault = _grant(
            factory,
            parameters,
            Allocation.Ecosystem,
            parameters.governance,
            IVestingVault.Transferability.Fixed
        );
        _grant(
            factory,
            parameters,
            Allocation.Foundation,
            parameters.foundation,
            IVestingVault.Transferability.Transferable
        );
        stakingRewardsVault = _grant(
            factory,
            parameters,
            Allocation.StakingRewards,
            parameters.governance,
            IVestingVault.Transferability.RedirectableOnce
        );
        _grantShares(factory, parameters, Allocation.Contributors, parameters.contributors, ecosystemVault);
        _grantShares(factory, parameters, Allocation.Investors, parameters.investors, address(0));

        uint256 airdropAmount = Allocations.amountOf(Allocation.Airdrop);
        IMerkleAirdrop merkleAirdrop = new MerkleAirdrop(
            opg,
            parameters.airdropRoot,
            airdropAmount,
            parameters.airdropDeadline,
            ecosystemVault
        );
        airdrop = merkleAirdrop;
        emit Allocated(Allocation.Airdrop, address(merkleAirdrop), airdropAmount);
        opg.transfer(address(merkleAirdrop), airdropAmount);

        uint256 liquidityAmount = Allocations.amountOf(Allocation.Liquidity);
        emit Allocated(Allocation.Liquidity, parameters.liquidity, liquidityAmount);
        opg.transfer(parameters.liquidity, liquidityAmount);

        _requireEmptyHanded(opg, address(factory));
        emit Distributed(opg, factory, merkleAirdrop);
    }

    /// @inheritdoc IGenesisDistribution
    function allocationAmount(Allocation allocation) external pure override returns (uint256) {
        return Allocations.amountOf(allocation);
    }

    /// @inheritdoc IGenesisDistribution
    function allocationTgeAmount(Allocation allocation) external pure override returns (uint256) {
        return Allocations.tgeAmountOf(allocation);
    }

    /// @dev A grant of a whole allocation of the treasury, which does not vote. That of Ecosystem is fixed: handed
    /// over by a proposal, it would pay its receiver for years without another vote.
    function _grant(
        IVestingFactory factory,
        Parameters memory parameters,
        Allocation allocation,
        address beneficiary,
        IVestingVault.Transferability transferability
    ) private returns (address vault) {
        IVestingVault.Terms memory terms = _terms(
            parameters,
            allocation,
            Share(beneficiary, uint96(Allocations.amountOf(allocation)))
        );
        terms.transferability = transferability;
        vault = factory.createWithoutVotes(terms);
        emit Allocated(allocation, vault, terms.total);
    }

    /// @dev Grants that together are an allocation.
    /// @param refundTo makes the grants revocable by governance and fixed; zero: irrevocable and transferable
    function _grantShares(
        IVestingFactory factory,
        Parameters memory parameters,
        Allocation allocation,
        Share[] memory shares,
        address refundTo
    ) private {
        uint256 sum = 0;
        IVestingVault.Terms[] memory terms = new IVestingVault.Terms[](shares.length);
        for (uint256 i = 0; i < shares.length; ++i) {
            sum += shares[i].amount;
            terms[i] = _terms(parameters, allocation, shares[i]);
            if (refundTo == address(0)) {
                terms[i].transferability = IVestingVault.Transferability.Transferable;
            } else {
                terms[i].revoker = parameters.governance;
                terms[i].refundTo = refundTo;
            }
        }
        uint256 expected = Allocations.amountOf(allocation);
        if (sum != expected) revert GenesisDistribution_AllocationMismatch(allocation, expected, sum);

        address[] memory vaults = factory.createBatch(terms);
        for (uint256 i = 0; i < vaults.length; ++i) {
            emit Allocated(allocation, vaults[i], shares[i].amount);
        }
    }

    /// @dev The supply is handed out to the last unit, and nobody can take anything in this contract's name.
    function _requireEmptyHanded(IOPG opg, address factory) private view {
        uint256 left = opg.balanceOf(address(this)) + opg.allowance(address(this), factory);
        if (left != 0) revert GenesisDistribution_SupplyMismatch(opg.SUPPLY(), opg.SUPPLY() - left);
    }

    function _requireParameters(Parameters memory parameters) private view {
        if (parameters.governance.code.length == 0) {
            revert GenesisDistribution_NotAContract(parameters.governance);
        }
        if (parameters.foundation == address(0)) revert GenesisDistribution_AddressZero("foundation");
        if (parameters.liquidity == address(0)) revert GenesisDistribution_AddressZero("liquidity");
        if (parameters.tge == 0) revert GenesisDistribution_TgeInvalid(parameters.tge);
    }

    function _terms(
        Parameters memory parameters,
        Allocation allocation,
        Share memory share
    ) private pure returns (IVestingVault.Terms memory terms) {
        Period memory period = parameters.periods[uint256(allocation)];
        terms.beneficiary = share.beneficiary;
        terms.total = share.amount;
        // No allocation that is shared has a part at the token generation event; one that had would be divided
        // in proportion.
        terms.tgeAmount = uint96(
            (uint256(share.amount) * Allocations.tgeAmountOf(allocation)) / Allocations.amountOf(allocation)
        );
        terms.tge = parameters.tge;
        terms.start = period.start;
        terms.end = period.end;
    }

    function _vestingAmount() private pure returns (uint256) {
        return
            Allocations.amountOf(Allocation.Ecosystem) +
            Allocations.amountOf(Allocation.Foundation) +
            Allocations.amountOf(Allocation.Contributors) +
            Allocations.amountOf(Allocation.Investors) +
            Allocations.amountOf(Allocation.StakingRewards);
    }
}
