// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {AggregatorV3Interface} from "../interfaces/AggregatorV3Interface.sol";
import {IDataFeeds} from "../interfaces/IDataFeeds.sol";
import {ITEERegistry} from "../interfaces/ITEERegistry.sol";
import {FeedReader} from "./FeedReader.sol";
import {Observations} from "./Observations.sol";

/// @title DataFeeds
/// @notice See {IDataFeeds}. {Observations} judges what is posted.
///
/// Access: `createFeed`, `setFeedParameters` and `closeFeed` are governance's; nobody can change a round, or make one without
/// observations. `post` is open to everybody.
///
/// @dev The registry, and what it asks, are the only contracts that are called, and only by static calls. The work of a post
/// is bounded by the 15 observations that it takes.
contract DataFeeds is Observations {
    /// @notice Bounds of what governance sets.
    uint256 public constant LEAST_HEARTBEAT = 1 minutes;
    uint256 public constant MOST_HEARTBEAT = 1 days;
    uint256 public constant LEAST_DEVIATION = 1;
    uint256 public constant MOST_DEVIATION = 5_000;
    uint256 public constant LEAST_OBSERVATIONS = 3;
    uint256 public constant MOST_DECIMALS = 18;
    uint256 public constant MOST_DESCRIPTION = 64;

    bytes32[] private _feedIds;
    mapping(bytes32 feedId => string description) private _descriptions;

    /// @param authority the AccessManager
    /// @param registry which knows data nodes
    constructor(
        address authority,
        ITEERegistry registry
    ) AccessManaged(authority) EIP712("HACA DataFeeds", "1") Observations(registry) {
        if (authority.code.length == 0) revert DataFeeds_NotAContract(authority);
    }

    /// @inheritdoc IDataFeeds
    function createFeed(
        string calldata description,
        uint8 decimals,
        bytes32 sourceHash,
        FeedParameters calldata parameters
    ) external override restricted returns (bytes32 feedId, AggregatorV3Interface reader) {
        _requireWithin(1, MOST_DESCRIPTION, bytes(description).length);
        _requireWithin(0, MOST_DECIMALS, decimals);
        if (sourceHash == 0) revert DataFeeds_SourceZero();
        feedId = feedIdOf(description, decimals, sourceHash);
        if (_feeds[feedId].heartbeat != 0) revert DataFeeds_FeedExists(feedId);

        _feedIds.push(feedId);
        _descriptions[feedId] = description;
        _feeds[feedId].sourceHash = sourceHash;
        _feeds[feedId].decimals = decimals;
        reader = new FeedReader{salt: feedId}(feedId, decimals);
        emit FeedCreated(feedId, reader, description, decimals, sourceHash, parameters);
        _setParameters(feedId, parameters);
    }

    /// @inheritdoc IDataFeeds
    function setFeedParameters(
        bytes32 feedId,
        FeedParameters calldata parameters
    ) external override restricted {
        _openFeed(feedId);
        _setParameters(feedId, parameters);
    }

    /// @inheritdoc IDataFeeds
    function closeFeed(bytes32 feedId) external override restricted {
        _openFeed(feedId).isClosed = true;
        emit FeedClosed(feedId);
    }

    /// @inheritdoc IDataFeeds
    function post(
        bytes32 feedId,
        SignedObservation[] calldata observations
    ) external override returns (uint80 roundId) {
        StoredFeed storage feed = _openFeed(feedId);
        Judgement memory judged = _judge(feedId, feed, observations);
        if (judged.count < feed.minimumObservations) {
            revert DataFeeds_TooFewObservations(feedId, feed.minimumObservations, judged.count);
        }
        roundId = feed.latestRound + 1;
        feed.latestRound = roundId;
        _rounds[feedId][roundId] = Round(judged.answer, judged.updatedAt);
        emit RoundPosted(feedId, roundId, msg.sender, judged.answer, judged.updatedAt, judged.count);
        for (uint256 i = 0; i < observations.length; ++i) {
            Reason reason = judged.reasons[i];
            if (reason == Reason.None) continue;
            SignedObservation calldata skipped = observations[i];
            emit ObservationSkipped(
                feedId,
                roundId,
                skipped.teeId,
                skipped.value,
                skipped.observedAt,
                reason
            );
        }
    }

    /// @inheritdoc IDataFeeds
    function judgeObservations(
        bytes32 feedId,
        SignedObservation[] calldata observations
    ) external view override returns (Reason[] memory reasons, int256 answer, uint256 updatedAt) {
        Judgement memory judged = _judge(feedId, _openFeed(feedId), observations);
        return (judged.reasons, judged.answer, judged.updatedAt);
    }

    /// @inheritdoc IDataFeeds
    function hashObservation(
        bytes32 feedId,
        bytes32 teeId,
        int192 value,
        uint64 observedAt
    ) external view override returns (bytes32) {
        return _digestOf(feedId, _knownFeed(feedId), teeId, value, observedAt);
    }

    /// @inheritdoc IDataFeeds
    function readerOf(bytes32 feedId, uint8 decimals) external view override returns (AggregatorV3Interface) {
        bytes memory creation = abi.encodePacked(type(FeedReader).creationCode, abi.encode(feedId, decimals));
        return AggregatorV3Interface(Create2.computeAddress(feedId, keccak256(creation)));
    }

    /// @inheritdoc IDataFeeds
    function feedOf(bytes32 feedId) external view override returns (Feed memory) {
        StoredFeed storage feed = _knownFeed(feedId);
        return
            Feed({
                description: _descriptions[feedId],
                decimals: feed.decimals,
                sourceHash: feed.sourceHash,
                isClosed: feed.isClosed,
                latestRound: feed.latestRound,
                parameters: FeedParameters(feed.heartbeat, feed.maximumDeviation, feed.minimumObservations)
            });
    }

    /// @inheritdoc IDataFeeds
    function feedAt(uint256 index) external view override returns (bytes32) {
        return _feedIds[index];
    }

    /// @inheritdoc IDataFeeds
    function feedCount() external view override returns (uint256) {
        return _feedIds.length;
    }

    /// @inheritdoc IDataFeeds
    function roundOf(
        bytes32 feedId,
        uint80 roundId
    ) public view override returns (int256 answer, uint256 updatedAt) {
        Round storage round = _rounds[feedId][roundId];
        (answer, updatedAt) = (round.answer, round.updatedAt);
        if (updatedAt == 0) revert DataFeeds_NoData(feedId, roundId);
    }

    /// @inheritdoc IDataFeeds
    function latestRoundOf(
        bytes32 feedId
    ) external view override returns (uint80 roundId, int256 answer, uint256 updatedAt) {
        roundId = _openFeed(feedId).latestRound;
        (answer, updatedAt) = roundOf(feedId, roundId);
    }

    /// @inheritdoc IDataFeeds
    function feedIdOf(
        string calldata description,
        uint8 decimals,
        bytes32 sourceHash
    ) public pure override returns (bytes32) {
        return keccak256(abi.encode(description, decimals, sourceHash));
    }

    function _setParameters(bytes32 feedId, FeedParameters calldata parameters) private {
        _requireWithin(LEAST_HEARTBEAT, MOST_HEARTBEAT, parameters.heartbeat);
        _requireWithin(LEAST_DEVIATION, MOST_DEVIATION, parameters.maximumDeviation);
        _requireWithin(LEAST_OBSERVATIONS, MAXIMUM_OBSERVATIONS, parameters.minimumObservations);
        StoredFeed storage feed = _feeds[feedId];
        feed.heartbeat = parameters.heartbeat;
        feed.maximumDeviation = parameters.maximumDeviation;
        feed.minimumObservations = parameters.minimumObservations;
        emit FeedParametersChanged(feedId, parameters);
    }

    function _requireWithin(uint256 minimum, uint256 maximum, uint256 actual) private pure {
        if (actual < minimum || actual > maximum) {
            revert DataFeeds_ParameterInvalid(minimum, maximum, actual);
        }
    }
}
