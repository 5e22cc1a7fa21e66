// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

import {AggregatorV3Interface} from "./AggregatorV3Interface.sol";
import {ITEERegistry} from "./ITEERegistry.sol";

/// @title IDataFeeds
/// @notice Values that data nodes observe: prices, rates, whatever one source answers with a number.
///
/// A data node is an enclave of the registry's type 2. It signs what it observed; anybody posts at most 15 such observations
/// at a time, and the lower median of those that count becomes a round. One that does not count is skipped and reported, so
/// that nobody blocks a round by a bad observation among good ones. Consumers read a feed through a reader of its own, which
/// has {AggregatorV3Interface}.
///
/// Whom a feed trusts: the enclaves' hardware and image, and its **one source**. Many nodes at one source agree on what that
/// source said, and on nothing else.
///
/// An observation is EIP-712 data of the domain ("HACA DataFeeds", "1", chain, this contract):
/// `Observation(bytes32 feedId,bytes32 sourceHash,int192 value,uint8 decimals,uint64 observedAt,bytes32 teeId)`, signed with
/// the enclave's key, or with a session key that it certified for results.
interface IDataFeeds {
    /// @notice Why an observation does not count.
    enum Reason {
        None,
        FromFuture,
        Stale,
        NotNewer,
        NotInService,
        NotADataNode,
        OperatorCounted,
        InvalidSignature,
        Deviates
    }

    /// @notice What governance may change about a feed.
    /// @param heartbeat seconds within which a new round is expected; an observation counts for two of them. A minute to a day
    /// @param maximumDeviation hundredths of a percent of the median by which an observation may differ from it, 1 to 5,000
    /// @param minimumObservations how many have to count for a round, 3 to 15
    struct FeedParameters {
        uint32 heartbeat;
        uint16 maximumDeviation;
        uint8 minimumObservations;
    }

    /// @notice A feed. What is not in the parameters never changes: it is what the feed's id is made of.
    /// @param description what is observed
    /// @param decimals digits of a value behind the decimal point
    /// @param sourceHash names the source, as nodes are told it
    /// @param isClosed whether governance has ended it
    /// @param latestRound number of the latest round; zero before the first
    /// @param parameters what governance may change
    struct Feed {
        string description;
        uint8 decimals;
        bytes32 sourceHash;
        bool isClosed;
        uint80 latestRound;
        FeedParameters parameters;
    }

    /// @notice What a data node observed; feed, source and decimals are those of the feed that it is posted to.
    /// @param teeId the node
    /// @param value what it observed, in units of the feed's decimals
    /// @param observedAt when, in unix seconds; up to 60 seconds ahead of the chain it counts as of now
    /// @param signature of the enclave's key, or of a session key
    struct SignedObservation {
        bytes32 teeId;
        int192 value;
        uint64 observedAt;
        bytes signature;
    }

    /// @notice Governance created a feed.
    /// @param feedId its id
    /// @param reader where consumers read it
    /// @param description what is observed
    /// @param decimals digits behind the decimal point
    /// @param sourceHash names the source
    /// @param parameters the first ones
    event FeedCreated(
        bytes32 indexed feedId,
        AggregatorV3Interface indexed reader,
        string description,
        uint8 decimals,
        bytes32 sourceHash,
        FeedParameters parameters
    );
    /// @notice Governance set a feed's parameters, also at its creation.
    /// @param feedId the feed
    /// @param parameters from now on
    event FeedParametersChanged(bytes32 indexed feedId, FeedParameters parameters);
    /// @notice Governance ended a feed, for good.
    /// @param feedId the feed
    event FeedClosed(bytes32 indexed feedId);
    /// @notice A feed has a new round.
    /// @param feedId the feed
    /// @param roundId one above the round before
    /// @param poster who sent the observations
    /// @param answer lower median of those that counted
    /// @param updatedAt lower median of their times, in unix seconds
    /// @param observations how many counted
    event RoundPosted(
        bytes32 indexed feedId,
        uint80 indexed roundId,
        address indexed poster,
        int256 answer,
        uint256 updatedAt,
        uint256 observations
    );
    /// @notice An observation among those of a round did not count.
    /// @param feedId the feed
    /// @param roundId the round
    /// @param teeId the node that it names, which need not have signed it
    /// @param value that it has
    /// @param observedAt that it has, in unix seconds
    /// @param reason why it did not count
    event ObservationSkipped(
        bytes32 indexed feedId,
        uint80 indexed roundId,
        bytes32 indexed teeId,
        int256 value,
        uint256 observedAt,
        Reason reason
    );

    /// @notice A contract that is needed has no code.
    /// @param account its address
    error DataFeeds_NotAContract(address account);
    /// @notice There is no such feed.
    /// @param feedId its id
    error DataFeeds_FeedUnknown(bytes32 feedId);
    /// @notice There is, or was, such a feed already.
    /// @param feedId its id
    error DataFeeds_FeedExists(bytes32 feedId);
    /// @notice Governance has ended the feed: it has no rounds any more, and no latest one.
    /// @param feedId its id
    error DataFeeds_FeedClosed(bytes32 feedId);
    /// @notice A feed was to be created without a source.
    error DataFeeds_SourceZero();
    /// @notice A parameter of a feed, its decimals or the length of its description is out of bounds.
    /// @param minimum least value
    /// @param maximum most
    /// @param actual the value
    error DataFeeds_ParameterInvalid(uint256 minimum, uint256 maximum, uint256 actual);
    /// @notice More observations were posted than a round takes.
    /// @param maximum most
    /// @param actual how many
    error DataFeeds_TooManyObservations(uint256 maximum, uint256 actual);
    /// @notice Of the observations posted, too few count; `judgeObservations` says why.
    /// @param feedId the feed
    /// @param minimum how many the feed wants
    /// @param actual how many count
    error DataFeeds_TooFewObservations(bytes32 feedId, uint256 minimum, uint256 actual);
    /// @notice The feed has no such round.
    /// @param feedId the feed
    /// @param roundId the round; zero for the latest of a feed without any
    error DataFeeds_NoData(bytes32 feedId, uint80 roundId);

    /// @notice Creates a feed, and its reader. Restricted to governance.
    /// @param description what is observed, 1 to 64 bytes
    /// @param decimals digits of a value behind the decimal point, at most 18
    /// @param sourceHash names the source, as nodes are told it
    /// @param parameters within their bounds
    /// @return feedId its id
    /// @return reader where consumers read it
    function createFeed(
        string calldata description,
        uint8 decimals,
        bytes32 sourceHash,
        FeedParameters calldata parameters
    ) external returns (bytes32 feedId, AggregatorV3Interface reader);

    /// @notice Sets a feed's parameters. Rounds that there are stay. Restricted to governance.
    /// @param feedId the feed
    /// @param parameters within their bounds
    function setFeedParameters(bytes32 feedId, FeedParameters calldata parameters) external;

    /// @notice Ends a feed for good. Its rounds stay readable by their numbers; its latest one is not any more, so that
    /// nobody goes on with a value that nobody renews. Restricted to governance.
    /// @param feedId the feed
    function closeFeed(bytes32 feedId) external;

    /// @notice Makes a round of observations. Open to everybody, and whose call it is changes nothing: observations copied
    /// from the mempool make the same round. Those that do not count are skipped, and reported by an event; with fewer than
    /// the feed's minimum that do, it reverts.
    ///
    /// The first of an operator's observations that is good counts, whatever enclaves they are of. Each that counts is newer
    /// than the round before, so that times of rounds rise. The answer is the lower median: an observed value, the middle one,
    /// of an even number the lower of both in the middle; the time is that of the times, apart from the values.
    /// @param feedId the feed
    /// @param observations at most 15
    /// @return roundId the new round
    function post(
        bytes32 feedId,
        SignedObservation[] calldata observations
    ) external returns (uint80 roundId);

    /// @notice What `post` would make of observations now, without a minimum: who posts asks here which to send.
    /// @param feedId the feed
    /// @param observations at most 15
    /// @return reasons one for each; None for those that count
    /// @return answer lower median of those that count; zero if none does
    /// @return updatedAt lower median of their times; zero if none counts
    function judgeObservations(
        bytes32 feedId,
        SignedObservation[] calldata observations
    ) external view returns (Reason[] memory reasons, int256 answer, uint256 updatedAt);

    /// @notice What a data node signs.
    /// @param feedId the feed; reverts for one that there is not
    /// @param teeId the node
    /// @param value what it observed
    /// @param observedAt when, in unix seconds
    /// @return digest EIP-712
    function hashObservation(
        bytes32 feedId,
        bytes32 teeId,
        int192 value,
        uint64 observedAt
    ) external view returns (bytes32 digest);

    /// @notice The id of a feed, whether there is one or not: `keccak256(abi.encode(description, decimals, sourceHash))`.
    /// @param description what is observed
    /// @param decimals digits of a value behind the decimal point
    /// @param sourceHash names the source
    /// @return feedId that hash
    function feedIdOf(
        string calldata description,
        uint8 decimals,
        bytes32 sourceHash
    ) external pure returns (bytes32 feedId);

    /// @notice Where a feed's reader is, or will be when the feed is created.
    /// @param feedId the feed
    /// @param decimals the feed's
    /// @return reader by CREATE2, with the feed's id as salt
    function readerOf(bytes32 feedId, uint8 decimals) external view returns (AggregatorV3Interface reader);

    /// @notice A feed; reverts for one that there is not.
    /// @param feedId the feed
    /// @return feed as it is now
    function feedOf(bytes32 feedId) external view returns (Feed memory feed);

    /// @notice One of the feeds that ever were created, oldest first; reverts behind the last.
    /// @param index its number, from 0
    /// @return feedId the feed
    function feedAt(uint256 index) external view returns (bytes32 feedId);

    /// @notice How many feeds ever were created.
    /// @return count their number
    function feedCount() external view returns (uint256 count);

    /// @notice A round of a feed, closed or not; reverts for one that there is not. None is ever erased.
    /// @param feedId the feed
    /// @param roundId the round, from 1
    /// @return answer what was observed
    /// @return updatedAt when, in unix seconds
    function roundOf(bytes32 feedId, uint80 roundId) external view returns (int256 answer, uint256 updatedAt);

    /// @notice The latest round of a feed; reverts if there is none, and for a closed feed. It does not revert for an old
    /// one: how old is too old is for the consumer to say.
    /// @param feedId the feed
    /// @return roundId its number
    /// @return answer what was observed
    /// @return updatedAt when, in unix seconds
    function latestRoundOf(
        bytes32 feedId
    ) external view returns (uint80 roundId, int256 answer, uint256 updatedAt);

    /// @notice The registry that says which enclaves are in service, whose they are, and what they signed.
    /// @return registry fixed for good
    function REGISTRY() external view returns (ITEERegistry registry);
}
