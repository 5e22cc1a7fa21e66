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

    /// @dev The length tells a vault from everything else, the vaults' implementation included.
    function decode(bytes memory data) internal pure returns (IVestingVault.Terms memory terms) {
        if (data.length != LENGTH && data.length != REVOCABLE_LENGTH) {
            revert IVestingVault.VestingVault_NotAVault();
        }
        uint256 first = _word(data, 0);
        terms.beneficiary = address(uint160(first >> 96));
        terms.total = uint96(first);
        uint256 second = _word(data, 28); // its last 28 bytes are the rest of the fixed part
        terms.tgeAmount = uint96(second >> 128);
        terms.tge = uint40(second >> 88);
        terms.start = uint40(second >> 48);
        terms.end = uint40(second >> 8);
        terms.transferability = IVestingVault.Transferability(uint8(second));
        if (data.length == REVOCABLE_LENGTH) {
            terms.revoker = address(uint160(_word(data, LENGTH - 12)));
            terms.refundTo = address(uint160(_word(data, LENGTH + 8)));
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

    /// @dev The 32 bytes from `offset` on, which the callers keep inside the data.
    function _word(bytes memory data, uint256 offset) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(data, 0x20), offset))
        }
    }
}
