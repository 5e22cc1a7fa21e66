// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Medians} from "../../../contracts/feeds/Medians.sol";
import {bound, vm} from "../utils/Vm.sol";

contract MediansTest {
    using Medians for int256[];

    uint256 private constant MOST = 15;

    /// @dev Against what a median is, and not against another way to sort: as many are below it as may be, and not more.
    function testFuzz_LowerMedian(int192[15] memory values, uint256 count) public pure {
        count = bound(count, 1, MOST);
        _check(values, count);
    }

    /// @dev Equal values are rare among random ones.
    function testFuzz_LowerMedianOfFewValues(uint8[15] memory values, uint256 count) public pure {
        count = bound(count, 1, MOST);
        int192[15] memory few;
        for (uint256 i = 0; i < count; ++i) few[i] = int192(uint192(values[i] % 3)) - 1;
        _check(few, count);
    }

    function test_EvenCountTakesTheLower() public pure {
        int256[] memory sorted = new int256[](4);
        int256[4] memory values = [int256(30), -10, 20, 10];
        for (uint256 i = 0; i < 4; ++i) sorted.insert(i, values[i]);
        vm.assertTrue(sorted.lower(4) == 10, "median");
    }

    function _check(int192[15] memory values, uint256 count) private pure {
        int256[] memory sorted = new int256[](count);
        for (uint256 i = 0; i < count; ++i) sorted.insert(i, values[i]);
        int256 median = sorted.lower(count);
        uint256 below;
        uint256 equal;
        for (uint256 i = 0; i < count; ++i) {
            if (values[i] < median) ++below;
            if (values[i] == median) ++equal;
        }
        uint256 middle = (count - 1) / 2;
        vm.assertTrue(below <= middle, "too many are below it");
        vm.assertTrue(below + equal > middle, "it is above the middle");
    }
}
