// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CodeStore} from "../../../contracts/utils/CodeStore.sol";
import {RegistryLibrariesHarness} from "../mocks/RegistryLibrariesHarness.sol";
import {bound, vm} from "../utils/Vm.sol";

contract CodeStoreTest {
    uint256 private constant MAXIMUM_DATA_LENGTH = 24_575;

    RegistryLibrariesHarness private harness;

    function setUp() public {
        harness = new RegistryLibrariesHarness();
    }

    function testFuzz_ReadReturnsWhatWasWritten(bytes memory data) public {
        address store = harness.write(data);
        vm.assertEq(store.code, bytes.concat(hex"00", data), "code");
        vm.assertEq(harness.read(store, 0, data.length), data, "everything");
    }

    function testFuzz_ReadRange(bytes memory data, uint256 offset, uint256 length) public {
        offset = bound(offset, 0, data.length);
        length = bound(length, 0, data.length - offset);
        bytes memory expected = new bytes(length);
        for (uint256 i = 0; i < length; ++i) expected[i] = data[offset + i];
        address store = harness.write(data);
        vm.assertEq(harness.read(store, offset, length), expected, "range");
        vm.assertEq(harness.readFrom(store, offset).length, data.length - offset, "rest");
    }

    /// @dev A key that begins with the byte of an instruction must not become a program.
    function test_CallDoesNothing() public {
        address store = harness.write(hex"60006000fd");
        (bool isDone, bytes memory answer) = store.call("");
        vm.assertTrue(isDone, "call reverted");
        vm.assertEq(answer.length, 0, "call answered");
    }

    function test_LargestData() public {
        bytes memory data = new bytes(MAXIMUM_DATA_LENGTH);
        data[MAXIMUM_DATA_LENGTH - 1] = 0x7f;
        vm.assertEq(harness.readFrom(harness.write(data), 0), data, "data");
    }

    /// @dev A creation that runs out of gas leaves the caller a 64th: enough to go on with a store that is not there.
    function test_RevertWhen_CreationRunsOutOfGas() public {
        bytes memory data = new bytes(MAXIMUM_DATA_LENGTH);
        uint256 failures = 0;
        for (uint256 allowed = 4_900_000; allowed < 5_200_000; allowed += 20_000) {
            try harness.write{gas: allowed}(data) returns (address store) {
                vm.assertEq(store.code.length, MAXIMUM_DATA_LENGTH + 1, "store");
            } catch (bytes memory reason) {
                if (reason.length == 0) continue;
                vm.assertEq(
                    reason,
                    abi.encodeWithSelector(
                        CodeStore.CodeStore_CreationFailed.selector,
                        MAXIMUM_DATA_LENGTH + 1
                    ),
                    "reason"
                );
                ++failures;
            }
        }
        vm.assertTrue(failures > 0, "never short of gas in the creation alone");
    }

    function test_RevertWhen_DataTooLong() public {
        vm.expectRevert(
            abi.encodeWithSelector(CodeStore.CodeStore_CreationFailed.selector, MAXIMUM_DATA_LENGTH + 2)
        );
        harness.write(new bytes(MAXIMUM_DATA_LENGTH + 1));
    }
}
