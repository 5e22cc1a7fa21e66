// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IValidatorStaking} from "../../interfaces/IValidatorStaking.sol";
import {PoolShares} from "./PoolShares.sol";
import {StakeHistory} from "./StakeHistory.sol";

/// @title StakeRewards
/// @notice How rewards reach pools, and pools' rewards those who delegated. A part of {ValidatorStaking}.
///
/// What comes in is streamed: the same for every second, from then until the end of the eighth day of the stream's clock. The clock
/// stands still while the set has no stake. Four fifths go to the pools of the set by stake, as it is in that second; a fifth goes into
/// a pot of which every final page takes a 256th for its signers ({Attestations}). What a pool earns by pages is not there at
/// once, either: a seventh of it a day. So nobody gets anything for stake that was there for a moment only.
///
/// @dev A day's bucket in `_endings` for each addition, instead of one stream that every addition stretches: otherwise anybody
/// could delay what others are owed by adding a unit.
abstract contract StakeRewards is StakeHistory {
    /// @notice Seconds over which rewards are streamed, and up to an epoch more.
    uint256 public constant STREAM = 7 days;
    /// @notice Part of the stream that goes by pages.
    uint256 public constant PAGES_PART = 2_000;
    /// @dev Of what a unit of stake or a share earns.
    uint256 private constant SCALE = 1e27;
    /// @dev Of what is streamed in a second.
    uint256 internal constant RATE_SCALE = 1e18;

    /// @dev Stake of the set's pools, now.
    uint256 internal _activeStake;
    /// @dev Scaled by `RATE_SCALE`.
    uint256 internal _pagePot;
    uint256 private _perStake;
    uint256 private _rate;
    uint64 private _clock;
    uint64 private _accruedAt;
    mapping(uint256 clock => uint256 rate) private _endings;

    /// @inheritdoc IValidatorStaking
    function addRewards(uint96 amount) external override {
        if (amount == 0) revert ValidatorStaking_AmountInvalid(1, type(uint96).max, 0);
        _freeze();
        _accrue();
        uint256 clock = _clock;
        uint256 end = ((clock + STREAM) / EPOCH + 1) * EPOCH;
        uint256 rate = (amount * RATE_SCALE) / (end - clock);
        _rate += rate;
        _endings[end] += rate;
        _books.rewards += amount;
        emit RewardsAdded(msg.sender, amount);
        _pull(amount);
    }

    /// @inheritdoc IValidatorStaking
    function claimRewards(address validator) external override returns (uint256 amount) {
        _freeze();
        _settle(validator, _knownValidator(validator));
        Delegation storage delegation = _settleDelegation(validator, msg.sender);
        amount = delegation.owed;
        if (amount == 0) revert ValidatorStaking_AmountInvalid(1, 0, 0);
        delegation.owed = 0;
        _books.rewards -= uint96(amount);
        emit RewardsClaimed(validator, msg.sender, amount);
        _pay(msg.sender, amount);
    }

    /// @dev Brings the stream up to now. Comes before every change of the set's stake.
    function _accrue() internal {
        uint256 elapsed = block.timestamp - _accruedAt;
        if (elapsed == 0) return;
        _accruedAt = uint64(block.timestamp);
        uint256 stake = _activeStake;
        if (stake == 0) return;
        uint256 clock = _clock;
        uint256 end = clock + elapsed;
        uint256 rate = _rate;
        uint256 sum;
        // Everything has ended after eight days, so that there are eight rounds at most.
        while (rate != 0 && clock < end) {
            uint256 boundary = (clock / EPOCH + 1) * EPOCH;
            uint256 next = boundary < end ? boundary : end;
            sum += rate * (next - clock);
            if (next == boundary) rate -= _endings[boundary];
            clock = next;
        }
        _clock = uint64(end);
        if (sum == 0) return;
        _rate = rate;
        uint256 forPages = (sum * PAGES_PART) / WHOLE;
        _pagePot += forPages;
        _perStake += ((sum - forPages) * (SCALE / RATE_SCALE)) / stake;
    }

    /// @dev Gives a pool what it has earned until now. Comes before every change of its stake, shares, place or commission.
    function _settle(address validator, Validator storage content) internal {
        _accrue();
        uint256 earned;
        if (content.place != 0) {
            earned = (content.stake * (_perStake - content.paidPerStake)) / SCALE;
        }
        content.paidPerStake = _perStake;
        uint256 pot = content.pot;
        if (pot != 0) {
            uint256 elapsed = block.timestamp - content.potAt;
            uint256 part = elapsed < STREAM ? (pot * elapsed) / STREAM : pot;
            content.pot = uint96(pot - part);
            earned += part;
        }
        content.potAt = uint40(block.timestamp);
        if (earned == 0) return;
        uint256 shares = content.shares;
        uint256 commission = shares == 0 ? earned : PoolShares.partOf(earned, content.commission, WHOLE);
        if (shares != 0) content.rewardPerShare += ((earned - commission) * SCALE) / shares;
        _delegations[validator][validator].owed += uint96(commission);
        emit PoolRewarded(validator, earned, commission);
    }

    /// @dev Counts what somebody's shares have earned until now. After `_settle`, and before every change of the shares.
    function _settleDelegation(
        address validator,
        address delegator
    ) internal returns (Delegation storage delegation) {
        delegation = _delegations[validator][delegator];
        uint256 perShare = _validators[validator].rewardPerShare;
        uint256 shares = delegation.shares;
        if (shares != 0) {
            delegation.owed += uint96((shares * (perShare - delegation.paidPerShare)) / SCALE);
        }
        delegation.paidPerShare = perShare;
    }
}
