// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice The published interface of price feeds, as a consumer's own repository has it: nothing here is taken from ours.
interface IPublishedAggregator {
    function decimals() external view returns (uint8);

    function description() external view returns (string memory);

    function version() external view returns (uint256);

    function getRoundData(
        uint80 _roundId
    )
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound);

    function latestRoundData()
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound);
}

/// @notice A consumer as their users write them: takes a feed, wants a fresh and positive price, scales it to 18 digits, and
/// looks at the price that was there at a time.
contract PriceConsumer {
    IPublishedAggregator public immutable FEED;
    uint256 public immutable MAXIMUM_AGE;

    error BadPrice(int256 answer);
    error OldPrice(uint256 updatedAt);

    constructor(IPublishedAggregator feed, uint256 maximumAge) {
        FEED = feed;
        MAXIMUM_AGE = maximumAge;
    }

    /// @notice Worth of an amount of 18 digits.
    function worthOf(uint256 amount) external view returns (uint256) {
        (uint80 roundId, int256 answer, , uint256 updatedAt, uint80 answeredInRound) = FEED.latestRoundData();
        if (answer <= 0 || answeredInRound < roundId) revert BadPrice(answer);
        // Underflows, and so reverts, for a feed that says that it comes from the future.
        if (block.timestamp - updatedAt > MAXIMUM_AGE) revert OldPrice(updatedAt);
        return (amount * uint256(answer) * 10 ** (18 - FEED.decimals())) / 1e18;
    }

    /// @notice The answer in force at a time: walks back over rounds, as those who settle options do.
    function answerAt(uint256 timestamp) external view returns (int256 answer, uint80 roundId) {
        uint256 updatedAt;
        (roundId, answer, , updatedAt, ) = FEED.latestRoundData();
        while (updatedAt > timestamp) (roundId, answer, , updatedAt, ) = FEED.getRoundData(roundId - 1);
    }

    /// @notice Whether there is a price, by whether it can be read.
    function hasPrice() external view returns (bool) {
        try FEED.latestRoundData() returns (uint80, int256, uint256, uint256, uint80) {
            return true;
        } catch {
            return false;
        }
    }
}
