// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IInferenceSettlement} from "../../interfaces/IInferenceSettlement.sol";
import {IPageSettlement} from "../../interfaces/IPageSettlement.sol";
import {InferenceResults} from "../InferenceResults.sol";
import {RequestIds} from "../RequestIds.sol";
import {PageDeposits} from "./PageDeposits.sol";

/// @title PageRecords
/// @notice What is stored of pages, what time makes of it, and the parameters that are frozen into it. A part of
/// {PageSettlement}.
///
/// @dev Nothing has to be sent for a page to become final. A page for whose leaf somebody waits does not, however late it
/// is: the leaf is shown in time, or the page can be rejected.
abstract contract PageRecords is PageDeposits, AccessManaged {
    /// @notice Seconds after the end in which a page can still be disproved.
    uint256 public constant EVIDENCE_WINDOW = 7 days;
    /// @notice Seconds for an answer to a request for a leaf.
    uint256 public constant ANSWER_TIME = 1 days;

    /// @notice Bounds of the roads, in seconds; the least of the long one depends on the chain.
    uint256 public constant MAXIMUM_LONG_ROAD = 7 days;
    uint256 public constant MINIMUM_SHORT_ROAD = 1 hours;
    /// @notice Bounds of how old a result may be, in seconds: those of the settlement's window.
    uint256 public constant MINIMUM_RESULT_WINDOW = InferenceResults.MINIMUM_WINDOW;
    uint256 public constant MAXIMUM_RESULT_WINDOW = InferenceResults.MAXIMUM_WINDOW;
    /// @notice Open pages that the least deposit answers for.
    uint256 public constant PAGES_PER_DEPOSIT = 100;
    /// @notice Longest pause of proposals, and shortest time between two, in seconds.
    uint256 public constant MAXIMUM_PAUSE = 7 days;

    /// @notice Least seconds of the long road: room for two transactions that a sequencer keeps out until they are forced
    /// in, a request for a leaf or a commitment and then a challenge; and for an answer besides.
    uint256 public immutable MINIMUM_LONG_ROAD;
    /// @inheritdoc IPageSettlement
    IInferenceSettlement public immutable override SETTLEMENT;

    /// @dev What a proposal has to know, in one slot.
    struct Settings {
        uint24 longRoad;
        uint24 shortRoad;
        uint24 resultWindow;
        uint88 minimumDeposit;
        uint64 pausedUntil;
    }
    Settings internal _settings;

    /// @dev Who says that a quorum vouched for a page, and how many were named until then.
    struct Attester {
        address account;
        uint8 number;
    }
    Attester internal _attester;
    /// @inheritdoc IPageSettlement
    mapping(uint8 number => address account) public override attesterAt;
    mapping(bytes32 pageId => PageRecord record) internal _records;
    mapping(bytes32 pageId => PageClock clock) internal _clocks;
    /// @inheritdoc IPageSettlement
    mapping(bytes32 pageId => uint256 bitmap) public override provedIn;

    constructor(IInferenceSettlement settlement, uint256 inclusionDelay) {
        uint256 longest = MAXIMUM_LONG_ROAD / 2;
        if (inclusionDelay > longest) revert PageSettlement_InclusionDelayInvalid(longest, inclusionDelay);
        // A leaf can be asked for up to ANSWER_TIME before the end: some time has to be left for that.
        uint256 shortest = ANSWER_TIME + MINIMUM_SHORT_ROAD;
        MINIMUM_LONG_ROAD = 2 * inclusionDelay > shortest ? 2 * inclusionDelay : shortest;
        SETTLEMENT = settlement;
    }

    /// @inheritdoc IPageSettlement
    function setParameters(Parameters calldata parameters) external override restricted {
        _setParameters(parameters);
    }

    /// @inheritdoc IPageSettlement
    function setAttester(address attester_) external override restricted {
        if (attester_ != address(0) && attester_.code.length == 0) {
            revert PageSettlement_NotAContract(attester_);
        }
        uint8 number = _attester.number + 1;
        _attester = Attester(attester_, number);
        attesterAt[number] = attester_;
        emit AttesterChanged(attester_);
    }

    /// @inheritdoc IPageSettlement
    function pauseProposals(uint64 until) external override restricted {
        uint256 paused = _settings.pausedUntil;
        // Not while a pause lasts, and not for as long again: a guardian cannot stop proposals for ever.
        uint256 earliest = paused == 0 ? 0 : paused + MAXIMUM_PAUSE;
        uint256 latest = block.timestamp + MAXIMUM_PAUSE;
        if (block.timestamp < earliest || until <= block.timestamp || until > latest) {
            revert PageSettlement_PauseInvalid(earliest, latest, until);
        }
        _settings.pausedUntil = until;
        emit ProposalsPaused(until);
    }

    /// @inheritdoc IPageSettlement
    function parametersNow() external view override returns (Parameters memory) {
        Settings memory settings = _settings;
        return
            Parameters({
                longRoad: settings.longRoad,
                shortRoad: settings.shortRoad,
                resultWindow: settings.resultWindow,
                minimumDeposit: settings.minimumDeposit
            });
    }

    /// @inheritdoc IPageSettlement
    function proposalsPausedUntil() external view override returns (uint64) {
        return _settings.pausedUntil;
    }

    /// @inheritdoc IPageSettlement
    function attester() external view override returns (address) {
        return _attester.account;
    }

    /// @inheritdoc IPageSettlement
    function clockOf(bytes32 pageId) external view override returns (PageClock memory) {
        return _clocks[pageId];
    }

    /// @inheritdoc IPageSettlement
    function pageOf(bytes32 pageId) external view override returns (PageRecord memory) {
        return _records[pageId];
    }

    /// @inheritdoc IPageSettlement
    function stateOf(
        bytes32 requestId,
        PageHeader calldata header
    ) external view override returns (PageState state, uint256 until) {
        if (SETTLEMENT.isSettled(requestId)) return (PageState.Final, 0);
        bool isTaken =
            RequestIds.pageOf(requestId) == header.ledgerPage &&
                header.bitmap & RequestIds.bitOf(requestId) != 0;
        return isTaken ? _stateInPage(pageIdOf(header)) : (PageState.None, 0);
    }

    /// @inheritdoc IPageSettlement
    function stateOfPage(bytes32 pageId) public view override returns (PageState state, uint256 until) {
        return _stateOf(pageId, _records[pageId]);
    }

    /// @inheritdoc IPageSettlement
    function pageIdOf(PageHeader calldata header) public view override returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), header));
    }

    /// @dev What a page makes of a request that it took: a rejection set it free.
    function _stateInPage(bytes32 pageId) internal view returns (PageState state, uint256 until) {
        (state, until) = stateOfPage(pageId);
        if (state == PageState.Rejected) state = PageState.None;
    }

    function _stateOf(
        bytes32 pageId,
        PageRecord memory record
    ) internal view returns (PageState state, uint256 until) {
        if (record.proposedAt == 0) return (PageState.None, 0);
        if (record.outcome == Outcome.Rejected) return (PageState.Rejected, 0);
        if (record.outcome == Outcome.Disproved) return (PageState.Disproved, 0);
        bool isWaitedFor = record.openRequests != 0 || (_isOptimistic(record) && _clocks[pageId].open != 0);
        if (isWaitedFor) return (PageState.Pending, type(uint256).max);
        until = _endOf(pageId, record);
        return block.timestamp > until ? (PageState.Final, 0) : (PageState.Pending, until);
    }

    /// @dev Last second in which a page is pending, open requests apart. The shorter one of the roads, but never before the
    /// end that a request for a leaf brought; and as much later as its clock stood.
    function _endOf(bytes32 pageId, PageRecord memory record) internal view returns (uint256 end) {
        end = _roadEndOf(record);
        if (record.extendedUntil > end) end = record.extendedUntil;
        end += _stoppedTimeOf(pageId, record);
    }

    /// @dev Seconds for which the clock of a page stood until now.
    function _stoppedTimeOf(
        bytes32 pageId,
        PageRecord memory record
    ) internal view returns (uint256 stopped) {
        if (!_isOptimistic(record)) return 0;
        PageClock memory clock = _clocks[pageId];
        stopped = clock.stopped;
        if (clock.open != 0) stopped += block.timestamp - clock.stoppedAt;
    }

    /// @dev The end of the shorter one of the roads, on the page's clock.
    function _roadEndOf(PageRecord memory record) internal pure returns (uint256 end) {
        end = uint256(record.proposedAt) + record.longRoad;
        if (record.attestedAt != 0) {
            uint256 short = uint256(record.attestedAt) + record.shortRoad;
            if (short < end) end = short;
        }
    }

    function _requireState(bytes32 pageId, PageRecord memory record, PageState expected) internal view {
        (PageState state, ) = _stateOf(pageId, record);
        if (state != expected) revert PageSettlement_StateInvalid(pageId, state);
    }

    /// @dev They have no short road, and all others do.
    function _isOptimistic(PageRecord memory record) internal pure returns (bool) {
        return record.shortRoad == 0;
    }

    function _requireBy(uint256 latest) internal view {
        if (block.timestamp > latest) revert PageSettlement_TooLate(latest, block.timestamp);
    }

    function _requireAfter(uint256 time) internal view {
        if (block.timestamp <= time) revert PageSettlement_TooEarly(time + 1, block.timestamp);
    }

    /// @dev Until when results of a rejected page settle again.
    function _requireNotTooLate(PageRecord memory record, uint256 timestamp) internal view {
        uint256 latest = timestamp + record.resultWindow;
        uint256 afterEnd = uint256(record.endedAt) + EVIDENCE_WINDOW;
        if (afterEnd > latest) latest = afterEnd;
        _requireBy(latest);
    }

    function _setParameters(Parameters memory parameters) internal {
        _requireWithin(MINIMUM_LONG_ROAD, MAXIMUM_LONG_ROAD, parameters.longRoad);
        _requireWithin(MINIMUM_SHORT_ROAD, parameters.longRoad, parameters.shortRoad);
        _requireWithin(MINIMUM_RESULT_WINDOW, MAXIMUM_RESULT_WINDOW, parameters.resultWindow);
        // Without a deposit nothing answers for a page.
        _requireWithin(1, type(uint88).max, parameters.minimumDeposit);
        _settings = Settings({
            longRoad: parameters.longRoad,
            shortRoad: parameters.shortRoad,
            resultWindow: parameters.resultWindow,
            minimumDeposit: parameters.minimumDeposit,
            pausedUntil: _settings.pausedUntil
        });
        emit ParametersChanged(parameters);
    }

    function _requireWithin(uint256 minimum, uint256 maximum, uint256 actual) private pure {
        if (actual < minimum || actual > maximum) {
            revert PageSettlement_ParameterInvalid(minimum, maximum, actual);
        }
    }
}
