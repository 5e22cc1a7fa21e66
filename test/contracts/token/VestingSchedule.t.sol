// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {VestingSchedule} from "../../../contracts/token/VestingSchedule.sol";
import {vm} from "../utils/Vm.sol";

/// @title VestingScheduleTest
/// @notice Properties of the formula for all schedules and times. `testFuzz_` functions are fuzzed by Hardhat;
/// `check_` ones say the same to Halmos, which proves them (scripts/prove/vesting.sh).
contract VestingScheduleTest {
    using VestingSchedule for VestingSchedule.Schedule;

    function testFuzz_Bounds(VestingSchedule.Schedule memory schedule, uint40 time) public pure {
        vm.assume(schedule.isValid());
        check_Bounds(schedule, time);
    }

    function testFuzz_Monotone(VestingSchedule.Schedule memory schedule, uint40 time, uint40 later) public pure {
        vm.assume(schedule.isValid());
        vm.assume(time <= later);
        check_Monotone(schedule, time, later);
    }

    function testFuzz_Ends(VestingSchedule.Schedule memory schedule, uint40 time) public pure {
        vm.assume(schedule.isValid());
        check_Ends(schedule, time);
    }

    function testFuzz_NextUnlockIsTheNext(VestingSchedule.Schedule memory schedule, uint40 time) public pure {
        vm.assume(schedule.isValid());
        uint256 vested = schedule.vestedAt(time);
        uint256 next = schedule.nextUnlockAfter(time);
        if (next == 0) {
            vm.assertEq(vested, schedule.total, "nothing comes, although not all is vested");
            return;
        }
        vm.assertTrue(next > time, "not in the future");
        vm.assertTrue(schedule.vestedAt(next) > vested, "nothing more at the next unlock");
        vm.assertEq(schedule.vestedAt(next - 1), vested, "more already before the next unlock");
    }

    /// @notice Never above the total.
    function check_Bounds(VestingSchedule.Schedule memory schedule, uint40 time) public pure {
        if (!schedule.isValid()) return;
        assert(schedule.vestedAt(time) <= schedule.total);
    }

    /// @notice Never less at a later time.
    function check_Monotone(VestingSchedule.Schedule memory schedule, uint40 time, uint40 later) public pure {
        if (!schedule.isValid() || time > later) return;
        assert(schedule.vestedAt(time) <= schedule.vestedAt(later));
    }

    /// @notice Nothing before `tge`, exactly the part at `tge` until `start`, exactly everything from `end` on.
    function check_Ends(VestingSchedule.Schedule memory schedule, uint40 time) public pure {
        if (!schedule.isValid()) return;
        uint256 vested = schedule.vestedAt(time);
        if (time < schedule.tge) assert(vested == 0);
        if (time >= schedule.tge && time <= schedule.start) assert(vested == schedule.tgeAmount);
        if (time >= schedule.end) assert(vested == schedule.total);
    }
}
