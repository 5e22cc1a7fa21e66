// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Calendar} from "../../../contracts/attestation/x509/Calendar.sol";
import {DocumentHarness} from "../mocks/DocumentHarness.sol";
import {deployArtifact} from "../utils/DeployArtifact.sol";
import {bound, vm} from "../utils/Vm.sol";

/// @notice Random bytes never do worse than revert with one of the parsers' own errors.
contract ParsersTest {
    bytes4 private constant PANIC = 0x4e487b71;

    DocumentHarness private harness;

    function setUp() public {
        harness = DocumentHarness(deployArtifact("DocumentHarness", ""));
    }

    function testFuzz_RandomCborIsReadOrRefused(bytes calldata data) public view {
        _requireOwnError(abi.encodeCall(harness.skip, (data)));
        _requireOwnError(abi.encodeCall(harness.countEntries, (data)));
        _requireOwnError(abi.encodeCall(harness.readBytesOrNull, (data)));
        _requireOwnError(abi.encodeCall(harness.readUnsigned, (data)));
    }

    function testFuzz_RandomDerIsReadOrRefused(bytes calldata data, uint8 tag) public view {
        _requireOwnError(abi.encodeCall(harness.readDer, (data, tag)));
        _requireOwnError(abi.encodeCall(harness.readDerUnsigned, (data, 32)));
        _requireOwnError(abi.encodeCall(harness.toRawSignature, (data)));
    }

    function testFuzz_RandomDocumentIsRefused(bytes calldata data) public view {
        bytes memory document = bytes.concat(hex"8444a1013822a0", data);
        (bool isRead, bytes memory reason) = address(harness).staticcall(
            abi.encodeCall(harness.parseDocument, (document))
        );
        vm.assertFalse(isRead, "random bytes were read as a document");
        vm.assertTrue(bytes4(reason) != PANIC && reason.length >= 4, "not an error of the parsers");
    }

    function testFuzz_RandomCertificateIsRefused(bytes calldata data) public view {
        (bool isRead, bytes memory reason) = address(harness).staticcall(
            abi.encodeCall(harness.parseCertificate, (data))
        );
        vm.assertFalse(isRead, "random bytes were read as a certificate");
        vm.assertTrue(bytes4(reason) != PANIC && reason.length >= 4, "not an error of the parsers");
    }

    /// @dev What is read lies inside the data: the parser consumed no more than there is.
    function testFuzz_SkipStaysInside(bytes calldata data) public view {
        try harness.skip(data) returns (uint256 consumed) {
            vm.assertTrue(consumed > 0 && consumed <= data.length, "outside of the data");
        } catch {}
    }

    /// @dev Every day from 1970 to 2100 is one day after the day before it.
    function test_CalendarCountsEveryDay() public pure {
        uint256 expected = 0;
        for (uint256 year = 1970; year < 2101; ++year) {
            for (uint256 month = 1; month <= 12; ++month) {
                for (uint256 day = 1; Calendar.isValid(year, month, day, 0, 0, 0); ++day) {
                    vm.assertEq(Calendar.toTimestamp(year, month, day, 0, 0, 0), expected, "day");
                    expected += 1 days;
                }
            }
        }
        vm.assertEq(expected, 4_133_980_800, "1 January 2101");
    }

    function testFuzz_CalendarRefusesWhatDoesNotExist(
        uint256 hour,
        uint256 minute,
        uint256 second
    ) public pure {
        hour = bound(hour, 0, 99);
        minute = bound(minute, 0, 99);
        second = bound(second, 0, 99);
        bool exists = hour < 24 && minute < 60 && second < 60;
        vm.assertTrue(Calendar.isValid(2024, 2, 29, hour, minute, second) == exists, "time");
    }

    function _requireOwnError(bytes memory call) private view {
        (bool isRead, bytes memory reason) = address(harness).staticcall(call);
        vm.assertTrue(
            isRead || (bytes4(reason) != PANIC && reason.length >= 4),
            "not an error of the parsers"
        );
    }
}
