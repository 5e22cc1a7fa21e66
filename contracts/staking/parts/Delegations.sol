// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IValidatorStaking} from "../../interfaces/IValidatorStaking.sol";
import {PoolShares} from "./PoolShares.sol";
import {ValidatorSet} from "./ValidatorSet.sol";

/// @title Delegations
/// @notice How stake comes, goes, and is taken. A part of {ValidatorStaking}.
///
/// @dev Nothing but `delegate` makes a pool's stake more, so that a share is worth a unit at first, less after a slash, and never
/// more than what rounding adds. What comes in is no dust. So nobody can make a share so dear that somebody else's stake is rounded
/// away.
abstract contract Delegations is ValidatorSet {
    /// @dev A pool whose shares are worth less than this part of what was paid for them is closed: as good as nothing is left,
    /// and shares would soon be so many that they do not fit.
    uint256 private constant LEAST_PART = 1_000;

    /// @inheritdoc IValidatorStaking
    function delegate(address validator, uint96 amount) external override returns (uint256 shares) {
        return _delegate(validator, amount);
    }

    /// @inheritdoc IValidatorStaking
    function undelegate(
        address validator,
        uint128 shares
    ) external override returns (uint256 amount, uint256 epoch) {
        epoch = _freeze() + 1;
        Validator storage content = _knownValidator(validator);
        _settle(validator, content);
        Delegation storage delegation = _settleDelegation(validator, msg.sender);
        if (shares == 0 || shares > delegation.shares) {
            revert ValidatorStaking_AmountInvalid(1, delegation.shares, shares);
        }
        amount = _stakeOf(content, shares);
        Unbonding memory unbonding = _unbonding[validator][epoch];
        uint256 unbondingShares = PoolShares.boughtFor(amount, unbonding.amount, unbonding.shares);
        if (unbondingShares == 0) {
            revert ValidatorStaking_AmountInvalid(1, delegation.shares, shares);
        }
        _setShares(validator, msg.sender, delegation, delegation.shares - shares);
        content.shares -= shares;
        content.stake -= uint96(amount);
        if (content.place != 0) _activeStake -= amount;
        _books.staked -= uint96(amount);
        _books.unbonding += uint96(amount);
        unbonding.amount += uint128(amount);
        unbonding.shares += SafeCast.toUint128(unbondingShares);
        _unbonding[validator][epoch] = unbonding;
        _unbondingShares[validator][epoch][msg.sender] += uint128(unbondingShares);
        emit Undelegated(validator, msg.sender, epoch, amount, shares, unbondingShares);
        if (msg.sender == validator && content.place != 0) {
            if (_stakeOf(content, delegation.shares) < _parameters.minimumSelfStake) {
                _remove(validator, content);
            }
        }
    }

    /// @inheritdoc IValidatorStaking
    function withdraw(address validator, uint256 epoch) external override returns (uint256 amount) {
        uint256 shares = _unbondingShares[validator][epoch][msg.sender];
        if (shares == 0) revert ValidatorStaking_AmountInvalid(1, 0, 0);
        uint256 earliest = epoch * EPOCH + UNBONDING;
        if (block.timestamp < earliest) revert ValidatorStaking_TooEarly(earliest, block.timestamp);
        Unbonding storage unbonding = _unbonding[validator][epoch];
        amount = PoolShares.worthOf(shares, unbonding.amount, unbonding.shares);
        _unbondingShares[validator][epoch][msg.sender] = 0;
        unbonding.amount -= uint128(amount);
        unbonding.shares -= uint128(shares);
        _books.unbonding -= uint96(amount);
        emit Withdrawn(validator, msg.sender, epoch, amount);
        _pay(msg.sender, amount);
    }

    function _delegate(address validator, uint96 amount) internal override returns (uint256 shares) {
        if (amount < MINIMUM_DELEGATION) {
            revert ValidatorStaking_AmountInvalid(MINIMUM_DELEGATION, type(uint96).max, amount);
        }
        _freeze();
        Validator storage content = _knownValidator(validator);
        if (content.isClosed) revert ValidatorStaking_Closed(validator);
        _settle(validator, content);
        Delegation storage delegation = _settleDelegation(validator, msg.sender);
        uint256 all = content.shares;
        shares = PoolShares.boughtFor(amount, content.stake, all);
        _setShares(validator, msg.sender, delegation, delegation.shares + shares);
        content.shares = SafeCast.toUint128(all + shares);
        content.stake += amount;
        // Of so few shares what each is worth may have changed by rounding, and starts anew where there were none.
        if (all < MINIMUM_DELEGATION && content.worths != 0) _noteWorth(validator, content);
        if (content.place != 0) _activeStake += amount;
        _books.staked += amount;
        emit Delegated(validator, msg.sender, amount, shares);
        _pull(amount);
    }

    /// @dev What answers for signatures of an epoch: the pool, and what left it since and cannot be withdrawn yet.
    function _slashable(
        address validator,
        Validator storage content,
        uint256 epoch
    ) internal view returns (uint256 amount) {
        amount = content.stake;
        (uint256 from, uint256 to) = _liableEpochs(epoch);
        for (uint256 i = from; i <= to; ++i) amount += _unbonding[validator][i].amount;
    }

    /// @dev Takes a part of all that answers for signatures of an epoch. Less than all: nothing becomes zero by it.
    /// @return sum what was taken, with a unit less for each that was rounded
    function _take(
        address validator,
        Validator storage content,
        uint256 epoch,
        uint256 part,
        uint256 whole
    ) internal returns (uint256 sum) {
        (uint256 from, uint256 to) = _liableEpochs(epoch);
        for (uint256 i = from; i <= to; ++i) {
            Unbonding storage unbonding = _unbonding[validator][i];
            uint256 there = unbonding.amount;
            if (there == 0) continue;
            uint256 taken = PoolShares.partOf(there, part, whole);
            unbonding.amount = uint128(there - taken);
            sum += taken;
        }
        _books.unbonding -= uint96(sum);
        uint256 stake = content.stake;
        uint256 lost = PoolShares.partOf(stake, part, whole);
        sum += lost;
        _books.staked -= uint96(lost);
        content.stake = uint96(stake - lost);
        if (lost != 0) _noteWorth(validator, content);
        if (content.place != 0) _activeStake -= lost;
        if (!content.isClosed && (stake - lost) * LEAST_PART < content.shares) {
            content.isClosed = true;
            emit PoolClosed(validator);
            if (content.place != 0) _remove(validator, content);
        }
    }

    /// @dev Stake that left in an epoch was in its snapshot, and stands under the next one.
    function _liableEpochs(uint256 epoch) private view returns (uint256 from, uint256 to) {
        to = block.timestamp / EPOCH + 1;
        uint256 earliest = to - UNBONDING / EPOCH;
        from = epoch < earliest ? earliest : epoch + 1;
    }
}
