// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IInferenceSettlement} from "../../interfaces/IInferenceSettlement.sol";
import {IPageSettlement} from "../../interfaces/IPageSettlement.sol";
import {InferenceResults} from "../InferenceResults.sol";
import {PageTimes} from "../PageTimes.sol";
import {PageTree} from "../PageTree.sol";
import {PageJudgement} from "./PageJudgement.sol";

/// @title PageChallenges
/// @notice How a page is shown to be wrong. A part of {PageSettlement}.
///
/// A challenge is one transaction that shows everything; wrong evidence reverts, so that it needs no deposit. It follows a
/// commitment from an earlier block, which binds whom it is for and what it shows: whoever copies it out of the mempool
/// sends it for its author.
abstract contract PageChallenges is PageJudgement {
    /// @notice Deposit for the first open request of a page, in smallest units of OPG; each further one doubles it, seven times
    /// at most.
    uint256 public constant LEAF_DEPOSIT = 10e18;
    uint256 private constant MAXIMUM_DOUBLINGS = 7;
    /// @notice Most requests of a page that are open at a time: all but one of its leaves. With few of them, whoever holds all
    /// and answers them in the last moment keeps everybody else from asking.
    uint256 public constant MAXIMUM_REQUESTS = 255;
    /// @notice Most requests that one call answers.
    uint256 public constant MAXIMUM_ANSWERS = 32;
    /// @notice What a request leaves of a page's time after its answer is due, in seconds.
    /// For a leaf of an optimistic page that was shown and is wrong it is the time to demand the proof.
    uint256 public constant TIME_AFTER_ANSWER = PageTimes.AFTER_ANSWER;

    /// @inheritdoc IPageSettlement
    mapping(bytes32 commitment => uint256 number) public override committedAt;
    mapping(bytes32 pageId => mapping(uint8 index => LeafRequest request)) private _requests;

    /// @inheritdoc IPageSettlement
    function commitChallenge(bytes32 commitment) external override {
        if (committedAt[commitment] != 0) revert PageSettlement_CommitmentInvalid(commitment);
        committedAt[commitment] = block.number;
        emit ChallengeCommitted(commitment);
    }

    /// @inheritdoc IPageSettlement
    function challenge(
        PageHeader calldata header,
        Leaf calldata leaf,
        address challenger,
        bytes32 salt
    ) external override {
        bytes32 pageId = pageIdOf(header);
        (Reason reason, bytes32 leafHash) = _judge(header, pageId, leaf);
        if (reason == Reason.None) revert PageSettlement_LeafIsGood(pageId, leaf.index);
        _useCommitment(pageId, leaf.index, leafHash, 0, challenger, salt);
        _refute(header, pageId, reason, challenger);
    }

    /// @inheritdoc IPageSettlement
    function challengeConflict(
        PageHeader calldata header,
        Leaf calldata leaf,
        IInferenceSettlement.InferenceResult calldata other,
        bytes calldata otherSignature,
        address challenger,
        bytes32 salt
    ) external override {
        bytes32 pageId = pageIdOf(header);
        (Reason reason, bytes32 leafHash) = _judge(header, pageId, leaf);
        // What is wrong by itself is challenged as that, for which whoever vouched for the page answers.
        _requireGood(pageId, leaf.index, reason);
        bytes32 otherHash = _requireConflict(header, pageId, leaf, other, otherSignature);
        _useCommitment(pageId, leaf.index, leafHash, otherHash, challenger, salt);
        _refute(header, pageId, Reason.ConflictingReceipt, challenger);
    }

    /// @inheritdoc IPageSettlement
    function requestLeaf(PageHeader calldata header, uint8 index) external override {
        bytes32 pageId = pageIdOf(header);
        _requireTaken(header, pageId, index);
        PageRecord memory record = _records[pageId];
        _requireState(pageId, record, PageState.Pending);
        uint256 deadline = block.timestamp + ANSWER_TIME;
        // The end without what other requests brought: each has its full time, and together they move it a day at most.
        uint256 stopped = _stoppedTimeOf(pageId, record);
        uint256 end = _roadEndOf(record) + stopped;
        _requireBy(end - ANSWER_TIME);
        if (record.openRequests == MAXIMUM_REQUESTS) revert PageSettlement_TooManyRequests(pageId);
        LeafRequest storage request = _requests[pageId][index];
        if (request.requester != address(0)) revert PageSettlement_RequestInvalid(pageId, index);

        uint256 doublings = record.openRequests < MAXIMUM_DOUBLINGS ? record.openRequests : MAXIMUM_DOUBLINGS;
        uint8 multiple = uint8(1 << doublings);
        uint256 amount = _putAside(multiple);
        _requests[pageId][index] = LeafRequest(msg.sender, uint40(deadline), multiple);
        ++record.openRequests;
        record.extendedUntil = uint32(deadline + TIME_AFTER_ANSWER - stopped);
        _records[pageId] = record;
        emit LeafRequested(pageId, index, msg.sender, deadline, amount);
    }

    /// @inheritdoc IPageSettlement
    function answerLeaves(Answer[] calldata answers) external override {
        if (answers.length == 0 || answers.length > MAXIMUM_ANSWERS) {
            revert PageSettlement_AnswerCountInvalid(answers.length);
        }
        uint256 earned;
        for (uint256 i = 0; i < answers.length; ++i) {
            earned += _answer(answers[i].header, answers[i].leaf);
        }
        // Whoever asked could otherwise stop the answers of many by showing one of them first.
        if (earned == 0) {
            revert PageSettlement_RequestInvalid(pageIdOf(answers[0].header), answers[0].leaf.index);
        }
        _credit(msg.sender, earned);
    }

    /// @inheritdoc IPageSettlement
    function rejectWithheld(PageHeader calldata header, uint8 index) external override {
        bytes32 pageId = pageIdOf(header);
        _refuteUnanswered(header, pageId, _takeRequest(pageId, index), Reason.DataWithheld);
    }

    /// @inheritdoc IPageSettlement
    function returnRequest(PageHeader calldata header, uint8 index) external override {
        bytes32 pageId = pageIdOf(header);
        _returnDeposit(pageId, _takeRequest(pageId, index));
        emit LeafRequestReturned(pageId, index);
    }

    /// @inheritdoc IPageSettlement
    function leafRequestOf(bytes32 pageId, uint8 index) external view override returns (LeafRequest memory) {
        return _requests[pageId][index];
    }

    /// @dev Takes the deposit of a request or a demand out of the caller's account.
    function _putAside(uint8 multiple) internal returns (uint256 amount) {
        amount = multiple * LEAF_DEPOSIT;
        Account storage account = _accounts[msg.sender];
        // What a proposer's pages answer for is not to be put aside here.
        if (account.openPages != 0) revert PageSettlement_PagesOpen(msg.sender, account.openPages);
        if (account.amount < amount) revert PageSettlement_DepositTooSmall(amount, account.amount);
        account.amount -= uint128(amount);
    }

    /// @dev Ends a page in which somebody waited for something in vain; they get their deposit back, and the reward.
    function _refuteUnanswered(
        PageHeader calldata header,
        bytes32 pageId,
        LeafRequest memory request,
        Reason reason
    ) internal {
        _requireAfter(request.deadline);
        _payDeposit(request.requester, request);
        // A page in which somebody waits is not final, so that this is in time whenever it comes.
        _refute(header, pageId, reason, request.requester);
    }

    /// @dev Gives a deposit back that nothing was done for before the page was rejected.
    function _returnDeposit(bytes32 pageId, LeafRequest memory request) internal {
        _requireState(pageId, _records[pageId], PageState.Rejected);
        _payDeposit(request.requester, request);
    }

    /// @dev Ends a page that is wrong, and gives its requests back if it was not final.
    function _refute(PageHeader calldata header, bytes32 pageId, Reason reason, address challenger) private {
        PageRecord memory record = _records[pageId];
        (PageState state, ) = _stateOf(pageId, record);
        if (state == PageState.Pending) {
            state = PageState.Rejected;
            record.outcome = Outcome.Rejected;
            uint256 proved = _isOptimistic(record) ? provedIn[pageId] : 0;
            _release(header, header.bitmap & ~proved);
        } else if (state == PageState.Final && record.outcome == Outcome.Open) {
            _requireBy(_endOf(pageId, record) + EVIDENCE_WINDOW);
            state = PageState.Disproved;
            record.outcome = Outcome.Disproved;
        } else {
            revert PageSettlement_StateInvalid(pageId, state);
        }
        record.reason = reason;
        record.endedAt = uint32(block.timestamp);
        _records[pageId] = record;
        uint256 unearned = record.attestedAt == 0 ? header.fee : 0;
        uint256 reward = _forfeit(header.proposer, unearned, challenger);
        emit PageRefuted(pageId, reason, state, challenger, reward);
    }

    function _useCommitment(
        bytes32 pageId,
        uint8 index,
        bytes32 leafHash,
        bytes32 otherHash,
        address challenger,
        bytes32 salt
    ) private {
        bytes32 commitment = keccak256(abi.encode(pageId, index, leafHash, otherHash, challenger, salt));
        uint256 number = committedAt[commitment];
        if (number == 0) revert PageSettlement_CommitmentInvalid(commitment);
        if (number == block.number) revert PageSettlement_CommittedInThisBlock(commitment);
        delete committedAt[commitment];
    }

    function _requireConflict(
        PageHeader calldata header,
        bytes32 pageId,
        Leaf calldata leaf,
        IInferenceSettlement.InferenceResult calldata other,
        bytes calldata otherSignature
    ) private view returns (bytes32 otherHash) {
        IInferenceSettlement.InferenceResult calldata result = leaf.result;
        bytes32 digest = _digestOf(other);
        uint256 time = other.timestamp < block.timestamp ? other.timestamp : block.timestamp;
        bool isConflict =
            other.requestId == result.requestId &&
                other.teeId == result.teeId &&
                digest != _digestOf(result) &&
                _judgeSignature(header, other.teeId, digest, otherSignature, time) == Reason.None;
        if (!isConflict) revert PageSettlement_NoConflict(pageId, leaf.index);
        return PageTree.hashLeaf(digest, InferenceResults.hashCalldata(otherSignature));
    }

    /// @return earned smallest units of OPG for whoever answers; zero if nobody waits for the leaf
    function _answer(PageHeader calldata header, Leaf calldata leaf) private returns (uint256 earned) {
        bytes32 pageId = pageIdOf(header);
        if (_requests[pageId][leaf.index].requester == address(0)) return 0;
        PageRecord storage record = _records[pageId];
        _requireState(pageId, record, PageState.Pending);
        LeafRequest memory request = _takeRequest(pageId, leaf.index);
        _requireBy(request.deadline);
        _requireIncluded(header, pageId, leaf);
        --record.openRequests;
        earned = request.deposit * LEAF_DEPOSIT;
        emit LeafAnswered(pageId, leaf.index, msg.sender);
    }

    function _payDeposit(address receiver, LeafRequest memory request) internal {
        _credit(receiver, request.deposit * LEAF_DEPOSIT);
    }

    function _release(PageHeader calldata header, uint256 bitmap) internal {
        SETTLEMENT.release(header.ledgerPage, bitmap);
    }

    function _takeRequest(bytes32 pageId, uint8 index) private returns (LeafRequest memory request) {
        request = _requests[pageId][index];
        if (request.requester == address(0)) revert PageSettlement_RequestInvalid(pageId, index);
        delete _requests[pageId][index];
    }
}
