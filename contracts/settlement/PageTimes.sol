// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title PageTimes
/// @notice Times of pages that nobody sets, for {PageSettlement} and for payments that wait for pages.
library PageTimes {
    /// @notice What a request for a leaf leaves of a page's time after its answer is due, in seconds: together, requests move a
    /// page's end by as much at most. For a leaf of an optimistic page that was shown and is wrong it is the time to demand
    /// the proof.
    uint256 internal constant AFTER_ANSWER = 1 days;
}
