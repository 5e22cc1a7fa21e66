// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVestingVault} from "../interfaces/IVestingVault.sol";
import {VestingSchedule} from "./VestingSchedule.sol";

/// @title GrantTerms
/// @notice The terms of a grant as bytes behind the code of its vault.
///
/// `beneficiary (20) | total (12) | tgeAmount (12) | tge (5) | start (5) | end (5) | transferability (1)`, and for a
/// revocable grant `revoker (20) | refundTo (20)`. Every byte of code costs 200 gas for ever, hence the packing.
library GrantTerms {
    /// @dev Of the code of a clone, before its arguments.
    uint256 internal constant CLONE_LENGTH = 45;
    uint256 private constant LENGTH = 60;
    uint256 private constant REVOCABLE_LENGTH = 100;

    function encode(IVestingVault.Terms memory terms) internal pure returns (bytes memory) {
        bytes memory fixedPart = abi.encodePacked(
            terms.beneficiary,
            terms.total,
            terms.tgeAmount,
            terms.tge,
            terms.start,
            terms.end,
            terms.transferability
        );
        if (terms.revoker == address(0)) return fixedPart;
        return bytes.concat(fixedPart, abi.encodePacked(terms.revoker, terms.refundTo));
    }

    /// @notice The terms of the vault that runs this code. Reverts where the code is no vault's.
    /// @dev Every release comes here, hence the assembly. The length tells a vault from everything else, the vaults'
    /// implementation included.
    function load() internal view returns (IVestingVault.Terms memory terms) {
        uint256 length = address(this).code.length;
        bool isRevocable = length == CLONE_LENGTH + REVOCABLE_LENGTH;
        if (length != CLONE_LENGTH + LENGTH && !isRevocable) revert IVestingVault.VestingVault_NotAVault();

        uint256 first;
        uint256 second; // its last 28 bytes are the rest of the fixed part
        uint256 third;
        uint256 fourth;
        assembly ("memory-safe") {
            let free := mload(0x40)
            extcodecopy(address(), free, CLONE_LENGTH, REVOCABLE_LENGTH) // zeros behind the end of the code
            first := mload(free)
            second := mload(add(free, 28))
            third := mload(add(free, 60))
            fourth := mload(add(free, 80))
        }
        terms.beneficiary = address(uint160(first >> 96));
        terms.total = uint96(first);
        terms.tgeAmount = uint96(second >> 128);
        terms.tge = uint40(second >> 88);
        terms.start = uint40(second >> 48);
        terms.end = uint40(second >> 8);
        terms.transferability = IVestingVault.Transferability(uint8(second));
        if (isRevocable) {
            terms.revoker = address(uint160(third >> 96));
            terms.refundTo = address(uint160(fourth >> 96));
        }
    }

    function scheduleOf(
        IVestingVault.Terms memory terms
    ) internal pure returns (VestingSchedule.Schedule memory) {
        return
            VestingSchedule.Schedule({
                total: terms.total,
                tgeAmount: terms.tgeAmount,
                tge: terms.tge,
                start: terms.start,
                end: terms.end
            });
    }
}
