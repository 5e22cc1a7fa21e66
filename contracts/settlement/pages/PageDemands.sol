// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IInferenceSettlement} from "../../interfaces/IInferenceSettlement.sol";
import {IPageSettlement} from "../../interfaces/IPageSettlement.sol";
import {PageChallenges} from "./PageChallenges.sol";

/// @title PageDemands
/// @notice Proofs of results in optimistic pages. A part of {PageSettlement}.
///
/// What a model answers is not judged here. Whoever doubts an answer re-runs the model, which is exact to the bit, and demands
/// the proof: of a wrong answer there is none, nor of words that are malformed or out of range, nor where nobody has the
/// proving key. A proof that is given settles the result as any other proof does, and the leaf is no page's any more.
///
/// With so few demands at a time, a proposer could hold all of them on good leaves until nobody has time left for the bad
/// one. So the page's clock stands while there is one: whatever they do, everybody else has all of the road. A leaf is
/// proved once, so that a page is held up for the time that its proposer takes for as many proofs, at most.
abstract contract PageDemands is PageChallenges {
    /// @notice Seconds for the proof of a leaf.
    uint256 public constant PROVE_TIME = 1 days;
    /// @notice Most proofs of a page that are demanded at a time: what a slow prover makes in `PROVE_TIME`.
    uint256 public constant MAXIMUM_DEMANDS = 4;
    /// @dev Multiples of a leaf's deposit: making a proof and settling by it costs as much more than showing a leaf.
    uint8 private constant DEMAND_MULTIPLE = 5;
    /// @notice Deposit for a demand, in smallest units of OPG.
    uint256 public constant DEMAND_DEPOSIT = DEMAND_MULTIPLE * LEAF_DEPOSIT;

    mapping(bytes32 pageId => mapping(uint8 index => LeafRequest demand)) private _demands;

    /// @inheritdoc IPageSettlement
    function admitVersion(IInferenceSettlement.InferenceResult calldata result) external override {
        bytes32 modelVersion = result.modelVersion;
        bytes32 expected = keccak256(abi.encode(IInferenceSettlement.Verification.ZKML, _digestOf(result)));
        if (
            admittedAt[modelVersion] != 0 ||
            SETTLEMENT.openDigestOf(result.requestId, modelVersion) != expected
        ) {
            revert PageSettlement_NotAdmissible(modelVersion);
        }
        admittedAt[modelVersion] = block.timestamp;
        emit VersionAdmitted(modelVersion, result.requestId);
    }

    /// @inheritdoc IPageSettlement
    function demandProof(PageHeader calldata header, uint8 index) external override {
        bytes32 pageId = pageIdOf(header);
        _requireTaken(header, pageId, index);
        PageRecord memory record = _records[pageId];
        _requireState(pageId, record, PageState.Pending);
        if (!_isOptimistic(record)) revert PageSettlement_KindNotOpen(header.kind);
        if ((provedIn[pageId] >> index) & 1 == 1) revert PageSettlement_LeafIsProved(pageId, index);
        if (_demands[pageId][index].requester != address(0)) {
            revert PageSettlement_DemandInvalid(pageId, index);
        }
        PageClock memory clock = _clocks[pageId];
        if (clock.open == MAXIMUM_DEMANDS) revert PageSettlement_TooManyDemands(pageId);

        uint256 amount = _putAside(DEMAND_MULTIPLE);
        if (clock.open == 0) clock.stoppedAt = uint40(block.timestamp);
        ++clock.open;
        _clocks[pageId] = clock;
        uint256 deadline = block.timestamp + PROVE_TIME;
        _demands[pageId][index] = LeafRequest(msg.sender, uint40(deadline), DEMAND_MULTIPLE);
        emit ProofDemanded(pageId, index, msg.sender, deadline, amount);
    }

    /// @inheritdoc IPageSettlement
    function proveLeaf(
        PageHeader calldata header,
        Leaf calldata leaf,
        uint256[] calldata words,
        bytes calldata proof
    ) external override {
        bytes32 pageId = pageIdOf(header);
        // Otherwise whoever demands of themselves could settle what is too old, or another node's.
        (Reason reason, ) = _judge(header, pageId, leaf);
        _requireGood(pageId, leaf.index, reason);
        PageRecord memory record = _records[pageId];
        if (record.outcome == Outcome.Rejected) {
            _requireNotTooLate(record, leaf.result.timestamp);
            emit SettledAgain(pageId, leaf.result.requestId);
        } else {
            _answerDemand(header, pageId, record, leaf);
        }
        // The settlement takes what a writer of its ledger sends however old it is: it was in time for the page. A version's
        // deprecation counts at the result's time there as here.
        SETTLEMENT.settleZkml(leaf.result, words, proof, leaf.signature);
    }

    /// @inheritdoc IPageSettlement
    function rejectUnproved(PageHeader calldata header, uint8 index) external override {
        bytes32 pageId = pageIdOf(header);
        _refuteUnanswered(header, pageId, _takeDemand(pageId, index), Reason.DemandUnanswered);
    }

    /// @inheritdoc IPageSettlement
    function returnDemand(PageHeader calldata header, uint8 index) external override {
        bytes32 pageId = pageIdOf(header);
        _returnDeposit(pageId, _takeDemand(pageId, index));
        emit DemandReturned(pageId, index);
    }

    /// @inheritdoc IPageSettlement
    function demandOf(bytes32 pageId, uint8 index) external view override returns (LeafRequest memory) {
        return _demands[pageId][index];
    }

    /// @dev Takes a leaf out of its page, to be settled. A page with an open demand is pending, or was rejected.
    function _answerDemand(
        PageHeader calldata header,
        bytes32 pageId,
        PageRecord memory record,
        Leaf calldata leaf
    ) private {
        LeafRequest memory demand = _takeDemand(pageId, leaf.index);
        _requireBy(demand.deadline);
        PageClock memory clock = _clocks[pageId];
        --clock.open;
        if (clock.open == 0) clock.stopped += uint40(block.timestamp) - clock.stoppedAt;
        _clocks[pageId] = clock;
        uint256 bit = 1 << leaf.index;
        provedIn[pageId] |= bit;
        // Whoever sends it, so that nobody takes the deposit with a proof out of the mempool.
        _payDeposit(header.proposer, demand);
        (, uint256 end) = _stateOf(pageId, record);
        emit ProofGiven(pageId, leaf.index, leaf.result.requestId, end);
        _release(header, bit);
    }

    function _takeDemand(bytes32 pageId, uint8 index) private returns (LeafRequest memory demand) {
        demand = _demands[pageId][index];
        if (demand.requester == address(0)) revert PageSettlement_DemandInvalid(pageId, index);
        delete _demands[pageId][index];
    }
}
