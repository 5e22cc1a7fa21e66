// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Pages
/// @notice Parts of lists: at most `limit` entries from number `offset`; none behind the end.
library Pages {
    /// @notice A page of a list.
    function read(
        bytes32[] storage list,
        uint256 offset,
        uint256 limit
    ) internal view returns (bytes32[] memory page) {
        page = new bytes32[](lengthOf(list.length, offset, limit));
        for (uint256 i = 0; i < page.length; ++i) {
            page[i] = list[offset + i];
        }
    }

    /// @notice How many entries a page has of a list with `count`.
    function lengthOf(uint256 count, uint256 offset, uint256 limit) internal pure returns (uint256) {
        uint256 available = offset < count ? count - offset : 0;
        return limit < available ? limit : available;
    }
}
