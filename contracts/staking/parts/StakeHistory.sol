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
    /// @notice Most pools of other validators in which somebody has stake, or has had it within `KEPT`: as many as a vote looks at
    /// besides their own.
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

    /// @dev Without their own, which is known anyway.
    mapping(address delegator => address[MAXIMUM_POOLS] validators) private _poolsOf;
    mapping(address validator => mapping(address delegator => mapping(uint256 index => PastShares entry)))
        private _pastShares;
    mapping(address validator => mapping(uint256 index => Worth entry)) private _worths;

    /// @inheritdoc IValidatorStaking
    function stakeAt(address delegator, uint256 timepoint) external view override returns (uint256 stake) {
        stake = _stakeIn(delegator, delegator, timepoint);
        address[MAXIMUM_POOLS] storage validators = _poolsOf[delegator];
        for (uint256 i = 0; i < MAXIMUM_POOLS; ++i) {
            address validator = validators[i];
            if (validator == address(0)) break;
            stake += _stakeIn(validator, delegator, timepoint);
        }
    }

    /// @inheritdoc IValidatorStaking
    function poolsOf(address delegator) external view override returns (address[] memory validators) {
        address[MAXIMUM_POOLS] storage listed = _poolsOf[delegator];
        uint256 count = 0;
        while (count < MAXIMUM_POOLS && listed[count] != address(0)) ++count;
        validators = new address[](count);
        for (uint256 i = 0; i < count; ++i) validators[i] = listed[i];
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
            uint104 old = delegation.shares;
            if (old == 0 && delegator != validator) _list(delegator, validator);
            if (since != 0) {
                uint24 changes = delegation.changes;
                _pastShares[validator][delegator][changes] = PastShares(uint32(since), old);
                delegation.changes = changes + 1;
            }
            delegation.since = uint32(block.timestamp);
        }
        delegation.shares = SafeCast.toUint104(shares);
    }

    /// @dev Remembers what a pool's shares are worth from now on: after a slash, and when it has stake again after so little that
    /// rounding could have changed their worth by more than a trace.
    function _noteWorth(address validator, Validator storage content) internal {
        mapping(uint256 index => Worth entry) storage entries = _worths[validator];
        uint32 count = content.worths;
        if (count == 0 || entries[count - 1].from != block.timestamp) content.worths = ++count;
        entries[count - 1] = Worth(
            uint48(block.timestamp),
            content.stake,
            SafeCast.toUint104(content.shares)
        );
    }

    /// @dev Puts a pool on a delegator's list, if it is not there; where the list is full, in place of one that they left long ago.
    function _list(address delegator, address validator) private {
        address[MAXIMUM_POOLS] storage validators = _poolsOf[delegator];
        for (uint256 i = 0; i < MAXIMUM_POOLS; ++i) {
            address there = validators[i];
            if (there == validator) return;
            if (there == address(0)) {
                validators[i] = validator;
                return;
            }
        }
        for (uint256 i = 0; i < MAXIMUM_POOLS; ++i) {
            Delegation storage old = _delegations[validators[i]][delegator];
            if (old.shares == 0 && old.since + KEPT < block.timestamp) {
                validators[i] = validator;
                return;
            }
        }
        revert ValidatorStaking_TooManyPools(MAXIMUM_POOLS);
    }

    /// @dev What somebody's shares of a pool were worth at a second, without those that came in it.
    function _stakeIn(
        address validator,
        address delegator,
        uint256 timepoint
    ) private view returns (uint256) {
        uint256 shares = _sharesAt(validator, delegator, timepoint);
        return shares == 0 ? 0 : _worthAt(validator, shares, timepoint);
    }

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
        mapping(uint256 index => Worth entry) storage entries = _worths[validator];
        uint256 low = 0;
        uint256 high = _validators[validator].worths;
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
