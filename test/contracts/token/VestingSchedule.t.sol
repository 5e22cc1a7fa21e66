// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {VestingSchedule} from "../../../contracts/token/VestingSchedule.sol";
import {vm} from "../utils/Vm.sol";

/// @title VestingScheduleTest
/// @notice The formula in the compiled form that is deployed. `npm run verify:vesting` proves the source's properties.
contract VestingScheduleTest {
    using VestingSchedule for VestingSchedule.Schedule;

    function testFuzz_Bounds(VestingSchedule.Schedule memory schedule, uint40 time) public pure {
        vm.assume(schedule.isValid());
        vm.assertTrue(schedule.vestedAt(time) <= schedule.total, "above total");
    }

    function testFuzz_Monotone(
        VestingSchedule.Schedule memory schedule,
        uint40 time,
        uint40 later
    ) public pure {
        vm.assume(schedule.isValid());
        vm.assume(time <= later);
        vm.assertTrue(schedule.vestedAt(time) <= schedule.vestedAt(later), "less later");
    }

    function testFuzz_Ends(VestingSchedule.Schedule memory schedule, uint40 time) public pure {
        vm.assume(schedule.isValid());
        uint256 vested = schedule.vestedAt(time);
        if (time < schedule.tge) vm.assertEq(vested, 0, "something before the event");
        else if (time <= schedule.start) vm.assertEq(vested, schedule.tgeAmount, "not the part at the event");
        else if (time >= schedule.end) vm.assertEq(vested, schedule.total, "not all at the end");
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
}
