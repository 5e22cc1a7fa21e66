// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IValidatorStaking} from "../../interfaces/IValidatorStaking.sol";
import {PoolShares} from "./PoolShares.sol";
import {StakeStorage} from "./StakeStorage.sol";

/// @title StakeHistory
/// @notice What somebody's stake was worth at a past second, for votes. A part of {ValidatorStaking}.
///
/// @dev Two histories: of a delegator's shares, written when they change for the second time and later (the present ones and since when
/// they are stand in the delegation itself), and of what a share of a pool is worth, which but for rounding changes at a slash
/// only. So a slash takes from the votes of all delegators of a pool without touching any of them, and whoever delegates
/// for the first time pays for no history.
///
/// Between two entries of a pool's worth rounding can make a share worth more, never less: no votes without stake.
abstract contract StakeHistory is StakeStorage {
    /// @notice Most pools in which somebody has stake, or has had it within `KEPT`: as many as a vote looks at.
    uint256 public constant MAXIMUM_POOLS = 24;
    /// @notice Seconds for which the votes of stake that left a pool are remembered at least.
    uint256 public constant KEPT = 90 days;

    /// @dev Shares of a delegator from a second on; `from` is never twice the same.
    struct PastShares {
        uint32 from;
        uint104 shares;
    }

    /// @dev What a pool's shares were worth from a second on: `stake` for `shares`. Before the first entry a unit each.
    struct Worth {
        uint48 from;
        uint96 stake;
        uint104 shares;
    }

    /// @dev By their numbers, which begin with 1.
    mapping(uint256 number => address validator) private _validatorAt;
    uint32 private _validatorCount;
    /// @dev Numbers of the pools of a delegator, eight a slot; zero for no more.
    mapping(address delegator => uint32[MAXIMUM_POOLS] numbers) private _poolsOf;
    mapping(address validator => mapping(address delegator => mapping(uint256 index => PastShares entry)))
        private _pastShares;
    mapping(address validator => Worth[] entries) private _worths;

    /// @inheritdoc IValidatorStaking
    function stakeAt(address delegator, uint256 timepoint) external view override returns (uint256 stake) {
        uint32[MAXIMUM_POOLS] storage numbers = _poolsOf[delegator];
        for (uint256 i = 0; i < MAXIMUM_POOLS; ++i) {
            uint256 number = numbers[i];
            if (number == 0) break;
            address validator = _validatorAt[number];
            uint256 shares = _sharesAt(validator, delegator, timepoint);
            if (shares != 0) stake += _worthAt(validator, shares, timepoint);
        }
    }

    /// @inheritdoc IValidatorStaking
    function poolsOf(address delegator) external view override returns (address[] memory validators) {
        uint32[MAXIMUM_POOLS] storage numbers = _poolsOf[delegator];
        uint256 count = 0;
        while (count < MAXIMUM_POOLS && numbers[count] != 0) ++count;
        validators = new address[](count);
        for (uint256 i = 0; i < count; ++i) validators[i] = _validatorAt[numbers[i]];
    }

    /// @dev Gives a validator its number.
    function _enumerate(address validator, Validator storage content) internal {
        uint32 number = ++_validatorCount;
        content.number = number;
        _validatorAt[number] = validator;
    }

    /// @dev Changes the shares of a delegator, and remembers what they were.
    function _setShares(
        address validator,
        address delegator,
        Delegation storage delegation,
        uint256 shares
    ) internal {
        uint256 since = delegation.since;
        if (since != block.timestamp) {
            if (since == 0) {
                _list(delegator, _validators[validator].number);
            } else {
                if (delegation.shares == 0) _list(delegator, _validators[validator].number);
                uint24 changes = delegation.changes;
                _pastShares[validator][delegator][changes] = PastShares(uint32(since), delegation.shares);
                delegation.changes = changes + 1;
            }
            delegation.since = uint32(block.timestamp);
        }
        delegation.shares = SafeCast.toUint104(shares);
    }

    /// @dev Remembers what a pool's shares are worth from now on: after a slash, and when it has stake again after so little that
    /// rounding could have changed their worth by more than a trace.
    function _noteWorth(address validator, Validator storage content) internal {
        Worth[] storage entries = _worths[validator];
        uint256 count = entries.length;
        if (count != 0 && entries[count - 1].from == block.timestamp) entries.pop();
        entries.push(Worth(uint48(block.timestamp), content.stake, SafeCast.toUint104(content.shares)));
    }

    function _wasSlashed(address validator) internal view returns (bool) {
        return _worths[validator].length != 0;
    }

    /// @dev Puts a pool on a delegator's list, if it is not there; where the list is full, in place of one that they left long ago.
    function _list(address delegator, uint32 number) private {
        uint32[MAXIMUM_POOLS] storage numbers = _poolsOf[delegator];
        for (uint256 i = 0; i < MAXIMUM_POOLS; ++i) {
            uint256 there = numbers[i];
            if (there == number) return;
            if (there == 0) {
                numbers[i] = number;
                return;
            }
        }
        for (uint256 i = 0; i < MAXIMUM_POOLS; ++i) {
            Delegation storage old = _delegations[_validatorAt[numbers[i]]][delegator];
            if (old.shares == 0 && old.since + KEPT < block.timestamp) {
                numbers[i] = number;
                return;
            }
        }
        revert ValidatorStaking_TooManyPools(MAXIMUM_POOLS);
    }

    /// @dev Shares that somebody had at a second, without those that came in it.
    function _sharesAt(
        address validator,
        address delegator,
        uint256 timepoint
    ) private view returns (uint256 shares) {
        Delegation storage delegation = _delegations[validator][delegator];
        uint256 since = delegation.since;
        if (since < timepoint) return delegation.shares;
        mapping(uint256 index => PastShares entry) storage entries = _pastShares[validator][delegator];
        uint256 changes = delegation.changes;
        uint256 low = 0;
        uint256 high = changes;
        // How many entries begin before it.
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (entries[middle].from < timepoint) low = middle + 1;
            else high = middle;
        }
        if (low == 0) return 0;
        shares = entries[low - 1].shares;
        uint256 nextFrom = low == changes ? since : entries[low].from;
        if (nextFrom != timepoint) return shares;
        uint256 next = low == changes ? delegation.shares : entries[low].shares;
        if (next < shares) shares = next;
    }

    function _worthAt(address validator, uint256 shares, uint256 timepoint) private view returns (uint256) {
        Worth[] storage entries = _worths[validator];
        uint256 low = 0;
        uint256 high = entries.length;
        // How many entries begin at it or before.
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (entries[middle].from > timepoint) high = middle;
            else low = middle + 1;
        }
        if (low == 0) return shares;
        Worth memory entry = entries[low - 1];
        return PoolShares.worthOf(shares, entry.stake, entry.shares);
    }
}
