// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Histories
/// @notice A number over time: entries in order of time, each valid until the next.
library Histories {
    struct Entry {
        uint48 from;
        uint64 value;
    }

    /// @notice Appends a value that holds from `timestamp` on; a second one at the same time replaces the first.
    /// @dev `timestamp` is not before the last entry's: the caller passes the block's time.
    function push(Entry[] storage history, uint256 timestamp, uint64 value) internal {
        uint256 count = history.length;
        if (count > 0 && history[count - 1].from == timestamp) {
            history[count - 1].value = value;
        } else {
            history.push(Entry(uint48(timestamp), value));
        }
    }

    /// @notice The value at `timestamp`; zero before the first entry. Logarithmic in the number of entries.
    function valueAt(Entry[] storage history, uint256 timestamp) internal view returns (uint64) {
        uint256 low = 0;
        uint256 high = history.length;
        // Entries below `low` are not after `timestamp`, entries from `high` on are.
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (history[middle].from > timestamp) high = middle;
            else low = middle + 1;
        }
        return low == 0 ? 0 : history[low - 1].value;
    }
}
