// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {VestingSchedule} from "../../../contracts/token/VestingSchedule.sol";

/// @title VestingScheduleProof
/// @notice Properties of the vesting formula, for the compiler's SMTChecker: `npm run verify:vesting` has a solver prove each
/// `assert` for all schedules and all times.
contract VestingScheduleProof {
    using VestingSchedule for VestingSchedule.Schedule;

    function neverAboveTotal(VestingSchedule.Schedule memory schedule, uint256 time) public pure {
        require(schedule.isValid());
        assert(schedule.vestedAt(time) <= schedule.total);
    }

    function neverLessLater(
        VestingSchedule.Schedule memory schedule,
        uint256 time,
        uint256 later
    ) public pure {
        require(schedule.isValid() && time <= later);
        assert(schedule.vestedAt(time) <= schedule.vestedAt(later));
    }

    function exactAtItsEnds(VestingSchedule.Schedule memory schedule, uint256 time) public pure {
        require(schedule.isValid());
        uint256 vested = schedule.vestedAt(time);
        if (time < schedule.tge) assert(vested == 0);
        if (time >= schedule.tge && time <= schedule.start) assert(vested == schedule.tgeAmount);
        if (time >= schedule.end) assert(vested == schedule.total);
    }

    /// @notice Before its end, a schedule keeps back less than one unit more than its share of the time left.
    function neverEarly(VestingSchedule.Schedule memory schedule, uint256 time) public pure {
        require(schedule.isValid() && time > schedule.start && time < schedule.end);
        uint256 linear = uint256(schedule.total) - schedule.tgeAmount;
        uint256 accrued = schedule.vestedAt(time) - schedule.tgeAmount;
        uint256 duration = uint256(schedule.end) - schedule.start;
        assert(accrued * duration <= linear * (time - schedule.start));
        assert((accrued + 1) * duration > linear * (time - schedule.start));
    }
}

/// @title VestingScheduleCounterproof
/// @notice False on purpose: a solver that proves this proves nothing.
contract VestingScheduleCounterproof {
    using VestingSchedule for VestingSchedule.Schedule;

    function isFalse(VestingSchedule.Schedule memory schedule, uint256 time) public pure {
        require(schedule.isValid());
        assert(schedule.vestedAt(time) < schedule.total);
    }
}
