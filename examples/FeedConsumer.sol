// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {AggregatorV3Interface} from "../contracts/interfaces/AggregatorV3Interface.sol";

/// @title FeedConsumer
/// @notice An example: a contract that needs a price, and takes none that is old.
///
/// Access: it has no state, and nothing in it can be changed.
contract FeedConsumer {
    /// @notice The feed's reader.
    AggregatorV3Interface public immutable READER;
    /// @notice Seconds after which an answer is refused; two heartbeats of the feed are a good bound.
    uint256 public immutable MAXIMUM_AGE;

    /// @notice The latest answer is no price.
    error FeedConsumer_NotPositive(int256 answer);
    /// @notice The latest answer is too old.
    error FeedConsumer_Stale(uint256 updatedAt, uint256 maximumAge);

    constructor(AggregatorV3Interface reader, uint256 maximumAge) {
        READER = reader;
        MAXIMUM_AGE = maximumAge;
    }

    /// @notice The price, in units of the reader's decimals.
    function price() external view returns (uint256) {
        (, int256 answer, , uint256 updatedAt, ) = READER.latestRoundData();
        if (answer <= 0) revert FeedConsumer_NotPositive(answer);
        if (block.timestamp - updatedAt > MAXIMUM_AGE) revert FeedConsumer_Stale(updatedAt, MAXIMUM_AGE);
        return uint256(answer);
    }
}
