// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AggregatorV3Interface} from "../interfaces/AggregatorV3Interface.sol";
import {IDataFeeds} from "../interfaces/IDataFeeds.sol";

/// @title FeedReader
/// @notice One feed of {DataFeeds} as consumers of price feeds know it. It keeps nothing and nobody has a power over it.
///
/// An old answer is answered, with its `updatedAt`, and never refused for its age: consumers of this interface judge that
/// themselves. A round begins when it is observed, so that `startedAt` is `updatedAt`. Reads of a round that does not exist
/// revert, and so does the latest round of a feed that governance has closed.
contract FeedReader is AggregatorV3Interface {
    /// @notice Where the rounds are.
    IDataFeeds public immutable FEEDS;
    /// @notice The feed.
    bytes32 public immutable FEED_ID;

    /// @inheritdoc AggregatorV3Interface
    uint8 public immutable override decimals;

    /// @dev {DataFeeds} creates it.
    constructor(bytes32 feedId, uint8 decimals_) {
        FEEDS = IDataFeeds(msg.sender);
        FEED_ID = feedId;
        decimals = decimals_;
    }

    /// @inheritdoc AggregatorV3Interface
    function description() external view override returns (string memory) {
        return FEEDS.feedOf(FEED_ID).description;
    }

    /// @inheritdoc AggregatorV3Interface
    function version() external pure override returns (uint256) {
        return 1;
    }

    /// @inheritdoc AggregatorV3Interface
    function getRoundData(
        uint80 roundId_
    )
        external
        view
        override
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        (answer, updatedAt) = FEEDS.roundOf(FEED_ID, roundId_);
        return (roundId_, answer, updatedAt, updatedAt, roundId_);
    }

    /// @inheritdoc AggregatorV3Interface
    function latestRoundData()
        external
        view
        override
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        (roundId, answer, updatedAt) = FEEDS.latestRoundOf(FEED_ID);
        return (roundId, answer, updatedAt, updatedAt, roundId);
    }
}
