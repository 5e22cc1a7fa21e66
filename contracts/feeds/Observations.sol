// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IDataFeeds} from "../interfaces/IDataFeeds.sol";
import {ITEERegistry} from "../interfaces/ITEERegistry.sol";
import {ITEERegistryTypes} from "../interfaces/ITEERegistryTypes.sol";
import {Medians} from "./Medians.sol";

/// @title Observations
/// @notice What is stored of feeds, and which observations count. A part of {DataFeeds}.
///
/// What is wrong with an observation is a reason to skip it, and never a revert: who gathers from nodes that they do not
/// know cannot be made to send a transaction that fails for one of them. What only somebody's signature can say is asked
/// last, and only an observation with a good signature uses up its operator's place: whoever makes one up in a node's name
/// keeps nobody out.
abstract contract Observations is IDataFeeds, AccessManaged, EIP712 {
    using Medians for int256[];

    /// @dev In two slots, of which a post changes the second.
    struct StoredFeed {
        bytes32 sourceHash;
        // slot
        uint32 heartbeat;
        uint16 maximumDeviation;
        uint8 minimumObservations;
        uint8 decimals;
        bool isClosed;
        uint80 latestRound;
    }

    /// @dev One slot.
    struct Round {
        int192 answer;
        uint64 updatedAt;
    }

    /// @dev What becomes of observations: a reason for each, how many count, and the medians of those.
    struct Judgement {
        Reason[] reasons;
        uint256 count;
        int192 answer;
        uint64 updatedAt;
    }

    /// @notice Most observations of a round.
    uint256 public constant MAXIMUM_OBSERVATIONS = 15;
    /// @notice The registry's type of data nodes.
    uint8 public constant DATA_NODE = 2;
    /// @notice How far an enclave's clock may be ahead of the chain's, in seconds, as with results.
    uint256 public constant MAXIMUM_CLOCK_SKEW = 60;
    /// @dev An observation counts for as many heartbeats.
    uint256 private constant HEARTBEATS = 2;
    /// @dev Deviations are of this.
    uint256 private constant WHOLE = 10_000;

    /// @dev keccak256("Observation(bytes32 feedId,bytes32 sourceHash,int192 value,uint8 decimals,uint64 observedAt,
    /// bytes32 teeId)"), without the line break.
    bytes32 private constant OBSERVATION_TYPEHASH = keccak256(
        "Observation(bytes32 feedId,bytes32 sourceHash,int192 value,uint8 decimals,uint64 observedAt,bytes32 teeId)"
    );

    /// @inheritdoc IDataFeeds
    ITEERegistry public immutable override REGISTRY;

    mapping(bytes32 feedId => StoredFeed feed) internal _feeds;
    mapping(bytes32 feedId => mapping(uint256 roundId => Round round)) internal _rounds;

    constructor(ITEERegistry registry) {
        if (address(registry).code.length == 0) revert DataFeeds_NotAContract(address(registry));
        REGISTRY = registry;
    }

    function _knownFeed(bytes32 feedId) internal view returns (StoredFeed storage feed) {
        feed = _feeds[feedId];
        if (feed.heartbeat == 0) revert DataFeeds_FeedUnknown(feedId);
    }

    function _openFeed(bytes32 feedId) internal view returns (StoredFeed storage feed) {
        feed = _knownFeed(feedId);
        if (feed.isClosed) revert DataFeeds_FeedClosed(feedId);
    }

    function _judge(
        bytes32 feedId,
        StoredFeed storage feed,
        SignedObservation[] calldata observations
    ) internal view returns (Judgement memory judged) {
        uint256 total = observations.length;
        if (total > MAXIMUM_OBSERVATIONS) revert DataFeeds_TooManyObservations(MAXIMUM_OBSERVATIONS, total);
        judged.reasons = new Reason[](total);
        address[] memory operators = new address[](total);
        int256[] memory values = new int256[](total);
        uint256 count;
        uint256 last = _rounds[feedId][feed.latestRound].updatedAt;
        for (uint256 i = 0; i < total; ++i) {
            SignedObservation calldata observation = observations[i];
            Reason reason = _judgeTime(feed, last, observation);
            if (reason == Reason.None) {
                (reason, operators[count]) = _judgeNode(feedId, feed, observation, operators, count);
            }
            judged.reasons[i] = reason;
            if (reason != Reason.None) continue;
            values.insert(count, observation.value);
            ++count;
        }
        if (count != 0) _takeMedians(feed.maximumDeviation, observations, values.lower(count), judged);
    }

    /// @dev Leaves out what is too far from the median of all that is good, and takes the medians of the rest, in which that
    /// median is.
    function _takeMedians(
        uint256 maximumDeviation,
        SignedObservation[] calldata observations,
        int256 center,
        Judgement memory judged
    ) private view {
        uint256 total = observations.length;
        int256[] memory values = new int256[](total);
        int256[] memory times = new int256[](total);
        uint256 count;
        for (uint256 i = 0; i < total; ++i) {
            if (judged.reasons[i] != Reason.None) continue;
            int256 value = observations[i].value;
            if (_magnitude(value - center) * WHOLE > _magnitude(center) * maximumDeviation) {
                judged.reasons[i] = Reason.Deviates;
                continue;
            }
            values.insert(count, value);
            times.insert(count, int256(_timeOf(observations[i])));
            ++count;
        }
        judged.count = count;
        // Each of them fits, because each comes from an observation.
        judged.answer = int192(values.lower(count));
        judged.updatedAt = uint64(uint256(times.lower(count)));
    }

    function _judgeTime(
        StoredFeed storage feed,
        uint256 last,
        SignedObservation calldata observation
    ) private view returns (Reason) {
        if (observation.observedAt > block.timestamp + MAXIMUM_CLOCK_SKEW) return Reason.FromFuture;
        uint256 time = _timeOf(observation);
        if (time + HEARTBEATS * feed.heartbeat < block.timestamp) return Reason.Stale;
        return time > last ? Reason.None : Reason.NotNewer;
    }

    /// @dev Asks for the node only where it is in service: the registry reverts for one that it does not know.
    /// @return reason None, or what is wrong
    /// @return operator the node's; zero if something is wrong
    function _judgeNode(
        bytes32 feedId,
        StoredFeed storage feed,
        SignedObservation calldata observation,
        address[] memory counted,
        uint256 count
    ) private view returns (Reason reason, address operator) {
        bytes32 teeId = observation.teeId;
        uint256 time = _timeOf(observation);
        if (!REGISTRY.wasInService(teeId, time)) return (Reason.NotInService, address(0));
        ITEERegistryTypes.Node memory node = REGISTRY.nodeOf(teeId);
        if (node.teeType != DATA_NODE) return (Reason.NotADataNode, address(0));
        for (uint256 i = 0; i < count; ++i) {
            if (counted[i] == node.operator) return (Reason.OperatorCounted, address(0));
        }
        bytes32 digest = _digestOf(feedId, feed, teeId, observation.value, observation.observedAt);
        if (!_isSigned(teeId, digest, observation.signature, time)) {
            return (Reason.InvalidSignature, address(0));
        }
        return (Reason.None, node.operator);
    }

    /// @dev By a session key for results that was valid then, or by the enclave's own key.
    function _isSigned(
        bytes32 teeId,
        bytes32 digest,
        bytes calldata signature,
        uint256 time
    ) private view returns (bool) {
        (address key, ECDSA.RecoverError problem, ) = ECDSA.tryRecoverCalldata(digest, signature);
        if (problem == ECDSA.RecoverError.NoError) {
            ITEERegistryTypes.SessionKey memory session = REGISTRY.sessionKey(teeId, key);
            if (session.signsResults) return time >= session.from && time < session.until;
        }
        return REGISTRY.isSignedBy(teeId, digest, signature);
    }

    function _digestOf(
        bytes32 feedId,
        StoredFeed storage feed,
        bytes32 teeId,
        int192 value,
        uint64 observedAt
    ) internal view returns (bytes32) {
        return
            _hashTypedDataV4(
                keccak256(
                    abi.encode(
                        OBSERVATION_TYPEHASH,
                        feedId,
                        feed.sourceHash,
                        value,
                        feed.decimals,
                        observedAt,
                        teeId
                    )
                )
            );
    }

    /// @dev Nobody observes the future: a clock that is ahead says now, so that no round is newer than its block.
    function _timeOf(SignedObservation calldata observation) private view returns (uint256) {
        return observation.observedAt < block.timestamp ? observation.observedAt : block.timestamp;
    }

    /// @dev Differences of two values of 192 bits are far from what has no magnitude.
    function _magnitude(int256 value) private pure returns (uint256) {
        return uint256(value < 0 ? -value : value);
    }
}
