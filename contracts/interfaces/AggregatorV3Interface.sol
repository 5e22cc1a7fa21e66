// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

// The name is the published one.
// solhint-disable interface-starts-with-i

/// @title AggregatorV3Interface
/// @notice The interface that consumers of price feeds know, from its published ABI: https://docs.chain.link/data-feeds/api-reference.
/// What a feed of this repository answers to it is in {FeedReader}.
interface AggregatorV3Interface {
    /// @notice How many digits of an answer are behind the decimal point.
    /// @return digits their number
    function decimals() external view returns (uint8 digits);

    /// @notice What is observed.
    /// @return text for people
    function description() external view returns (string memory text);

    /// @notice Version of what answers here.
    /// @return number counts from 1
    function version() external view returns (uint256 number);

    /// @notice A round; reverts for one that does not exist.
    /// @param roundId_ its number
    /// @return roundId its number
    /// @return answer what was observed
    /// @return startedAt when the round began, in unix seconds
    /// @return updatedAt when the answer was true, in unix seconds
    /// @return answeredInRound the number once more
    function getRoundData(
        uint80 roundId_
    )
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound);

    /// @notice The latest round; reverts if there is none. Its age is for the caller to judge, by `updatedAt`.
    /// @return roundId its number
    /// @return answer what was observed
    /// @return startedAt when the round began, in unix seconds
    /// @return updatedAt when the answer was true, in unix seconds
    /// @return answeredInRound the number once more
    function latestRoundData()
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound);
}
