// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IInferenceSettlement} from "../interfaces/IInferenceSettlement.sol";
import {IPageSettlement} from "../interfaces/IPageSettlement.sol";
import {PageTimes} from "../settlement/PageTimes.sol";

/// @title PaidKinds
/// @notice Kinds of results that payments wait for, as bits of terms, and how long they have to be able to wait.
library PaidKinds {
    /// @notice Time to settle a result alone, or to propose its page.
    uint256 internal constant SETTLE_TIME = 1 hours;
    /// @notice Time for whoever captures or claims after a page has become final.
    uint256 internal constant CAPTURE_TIME = 1 days;
    /// @notice The longest that a payment waits.
    uint256 internal constant LONGEST_WINDOW = 30 days;

    /// @dev ZKML and TEE alone, TEE and Optimistic in pages.
    uint8 private constant KNOWN = 0xc6;
    uint8 private constant PAGED = 0xf0;
    uint8 private constant PAGE_SHIFT = 4;

    /// @notice Whether the bits let something count, and nothing that is never settled.
    /// @param kinds bits of terms
    function areGood(uint8 kinds) internal pure returns (bool) {
        return kinds != 0 && kinds & ~KNOWN == 0;
    }

    /// @notice The bit of results that are settled alone.
    /// @param kind as which
    function alone(IInferenceSettlement.Verification kind) internal pure returns (uint8) {
        return uint8(1) << uint8(kind);
    }

    /// @notice The bit of results in final pages.
    /// @param kind of the page
    function inPage(IInferenceSettlement.Verification kind) internal pure returns (uint8) {
        return uint8(1) << (PAGE_SHIFT + uint8(kind));
    }

    /// @notice The shortest that a payment has to be able to wait for one of these kinds.
    /// @param kinds bits of terms
    /// @param pages where results settle in pages
    function leastWindow(uint8 kinds, IPageSettlement pages) internal view returns (uint256) {
        return kinds & PAGED == 0 ? SETTLE_TIME : leastWindowOfPages(pages);
    }

    /// @notice Time to propose a page, as long as it is pending by the parameters of now, and time to capture. Whoever asks
    /// for a leaf in the last moment has not won: what its answer adds to the page's time is in it. Demands for proofs are
    /// not, whose deposits the proposer earns.
    /// @param pages where results settle in pages
    function leastWindowOfPages(IPageSettlement pages) internal view returns (uint256) {
        return SETTLE_TIME + pages.parametersNow().longRoad + PageTimes.AFTER_ANSWER + CAPTURE_TIME;
    }
}
