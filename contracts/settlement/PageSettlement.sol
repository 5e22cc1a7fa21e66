// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {IInferenceSettlement} from "../interfaces/IInferenceSettlement.sol";
import {IPageSettlement} from "../interfaces/IPageSettlement.sol";
import {Consent} from "../utils/Consent.sol";
import {InferenceResults} from "./InferenceResults.sol";
import {Proposals} from "./Proposals.sol";
import {RequestIds} from "./RequestIds.sol";
import {PageDemands} from "./pages/PageDemands.sol";
import {PageDeposits} from "./pages/PageDeposits.sol";
import {PageRecords} from "./pages/PageRecords.sol";

/// @title PageSettlement
/// @notice See {IPageSettlement}. This file has the life of a page that nobody challenges; the parts are {PageDeposits} (who
/// has what here), {PageRecords} (what is stored, states, parameters), {PageJudgement} (what is wrong with a leaf),
/// {PageChallenges} (how that is shown, and leaves that are withheld) and {PageDemands} (proofs of optimistic pages).
///
/// Access: `setParameters` and `setAttester` are governance's, `pauseProposals` the guardian's, `attest` the attester's;
/// everything else is open to everybody. It is a writer of the ledger. Nobody can end a page, take a deposit or make a page
/// final before its time but by showing what is wrong with it or, for the short road, as the attester. An attester that
/// vouches for everything shortens windows and nothing more.
///
/// @dev Foreign code runs in one place, an ERC-1271 operator's, by a static call before the first write. OPG runs none.
contract PageSettlement is PageDemands {
    /// @dev What InferenceSettlement would hash if it hashed in another way is found by this.
    bytes32 private constant PROBE = keccak256("PageSettlement.probe");

    /// @dev EIP-7951, and the base point of its curve (SEC 2, secp256r1). With private key 1, nonce 1 and digest 0, a
    /// signature is r = s = x of the base point.
    address private constant P256_VERIFY = address(0x100);
    uint256 private constant BASE_X = 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296;
    uint256 private constant BASE_Y = 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5;

    /// @param authority the AccessManager
    /// @param settlement whose ledger and typed message it is about; its TEE registry has been named
    /// @param token OPG
    /// @param inclusionDelay seconds for which a sequencer of the chain can keep a transaction out
    /// @param parameters the first ones
    constructor(
        address authority,
        IInferenceSettlement settlement,
        ERC20Burnable token,
        uint256 inclusionDelay,
        Parameters memory parameters
    ) AccessManaged(authority) PageDeposits(token) PageRecords(settlement, inclusionDelay) {
        if (authority.code.length == 0) revert PageSettlement_NotAContract(authority);
        IInferenceSettlement.InferenceResult memory probe;
        probe.requestId = PROBE;
        bytes32 digest = InferenceResults.toDigest(address(settlement), InferenceResults.hashCopy(probe));
        if (settlement.hashResult(probe) != digest) revert PageSettlement_OtherDomain(address(settlement));
        if (!_isP256Checked()) revert PageSettlement_NoP256();
        _setParameters(parameters);
    }

    /// @inheritdoc IPageSettlement
    function proposePage(
        Proposal calldata proposal,
        bytes calldata signature
    ) external override returns (bytes32 pageId, uint256 taken) {
        Settings memory settings = _settings;
        if (block.timestamp < settings.pausedUntil) revert PageSettlement_Paused(settings.pausedUntil);
        bool isOptimistic = proposal.kind == IInferenceSettlement.Verification.Optimistic;
        address node = RequestIds.nodeOfPage(proposal.ledgerPage);
        if (isOptimistic) {
            if (proposal.teeId != 0) revert PageSettlement_TeeIdNotZero(proposal.teeId);
        } else {
            if (proposal.kind != IInferenceSettlement.Verification.TEE) {
                revert PageSettlement_KindNotOpen(proposal.kind);
            }
            address expected = RequestIds.nodeOfEnclave(proposal.teeId);
            if (node != expected) revert PageSettlement_WrongNode(expected, node);
        }
        _requireConsent(proposal, signature, isOptimistic ? node : REGISTRY.operatorOf(proposal.teeId));

        _reserve(settings.minimumDeposit, proposal.fee);
        taken = SETTLEMENT.hold(proposal.ledgerPage, proposal.bitmap);
        if (taken == 0) revert PageSettlement_NothingToTake();
        pageId = _idOf(proposal, taken);
        if (_records[pageId].proposedAt != 0) revert PageSettlement_PageKnown(pageId);
        PageRecord memory record;
        record.proposedAt = uint32(block.timestamp);
        record.longRoad = settings.longRoad;
        if (!isOptimistic) record.shortRoad = settings.shortRoad;
        record.resultWindow = settings.resultWindow;
        _records[pageId] = record;
        emit PageProposed(
            pageId,
            proposal.ledgerPage,
            msg.sender,
            proposal.kind,
            proposal.teeId,
            taken,
            proposal.root,
            proposal.blobId,
            proposal.fee,
            _roadEndOf(record)
        );
    }

    /// @inheritdoc IPageSettlement
    function attest(PageHeader calldata header, uint24 signers) external override {
        Attester memory current = _attester;
        if (msg.sender != current.account) revert PageSettlement_NotAttester(msg.sender);
        bytes32 pageId = pageIdOf(header);
        PageRecord memory record = _records[pageId];
        _requireState(pageId, record, PageState.Pending);
        if (_isOptimistic(record)) revert PageSettlement_KindNotOpen(header.kind);
        if (record.openRequests != 0) revert PageSettlement_RequestOpen(pageId);
        if (record.attestedAt != 0) revert PageSettlement_AlreadyAttested(pageId);
        record.attestedAt = uint32(block.timestamp);
        record.attesterNumber = current.number;
        record.signers = signers;
        _records[pageId] = record;
        _credit(msg.sender, header.fee);
        emit PageAttested(pageId, signers, _endOf(pageId, record));
    }

    /// @inheritdoc IPageSettlement
    function releaseBonds(PageHeader[] calldata headers) external override {
        for (uint256 i = 0; i < headers.length; ++i) _releaseBond(headers[i]);
    }

    /// @inheritdoc IPageSettlement
    function settleAgain(PageHeader calldata header, Leaf calldata leaf) external override {
        bytes32 pageId = pageIdOf(header);
        PageRecord memory record = _records[pageId];
        _requireState(pageId, record, PageState.Rejected);
        _requireIncluded(header, pageId, leaf);
        // Otherwise whoever lets a page of theirs be rejected could settle what was too old, from the future or another
        // node's. For the rest the settlement asks itself.
        (Reason reason, , ) = _judgePlace(header, pageId, leaf);
        _requireGood(pageId, leaf.index, reason);
        _requireNotTooLate(record, leaf.result.timestamp);
        SETTLEMENT.settleTeeLate(leaf.result, leaf.signature);
        emit SettledAgain(pageId, leaf.result.requestId);
    }

    function _releaseBond(PageHeader calldata header) private {
        bytes32 pageId = pageIdOf(header);
        PageRecord memory record = _records[pageId];
        (PageState state, ) = _stateOf(pageId, record);
        if (state != PageState.Final || record.outcome != Outcome.Open) {
            revert PageSettlement_StateInvalid(pageId, state);
        }
        _requireAfter(_endOf(pageId, record) + EVIDENCE_WINDOW);
        _records[pageId].outcome = Outcome.Released;
        Account storage account = _accounts[header.proposer];
        --account.openPages;
        if (record.attestedAt == 0) {
            // Fees are part of the deposit: one that was put aside before all of it was lost is lost with it.
            if (record.proposedAt > account.forfeitedAt) account.amount += header.fee;
            else forfeits += header.fee;
        }
        emit PageReleased(pageId);
    }

    /// @dev Where nothing checks P-256, every signature under such a key counts as wrong, and so would every leaf.
    function _isP256Checked() private view returns (bool) {
        (bool isDone, bytes memory output) = P256_VERIFY.staticcall(
            abi.encode(0, BASE_X, BASE_X, BASE_X, BASE_Y)
        );
        return isDone && output.length == 32 && abi.decode(output, (uint256)) == 1;
    }

    /// @dev One more page for the caller's deposit to answer for, and its fee put aside.
    function _reserve(uint256 minimumDeposit, uint96 fee) private {
        Account memory account = _accounts[msg.sender];
        ++account.openPages;
        uint256 needed = minimumDeposit;
        if (account.openPages > PAGES_PER_DEPOSIT) {
            needed = (needed * account.openPages) / PAGES_PER_DEPOSIT;
        }
        if (account.amount < needed + fee) {
            revert PageSettlement_DepositTooSmall(needed + fee, account.amount);
        }
        account.amount -= fee;
        _accounts[msg.sender] = account;
    }

    /// @param operator of the enclave, or the node of an optimistic page
    function _requireConsent(
        Proposal calldata proposal,
        bytes calldata signature,
        address operator
    ) private view {
        bool isOwn = msg.sender == operator;
        // The operator's own call may be held back, too, until its results are too old to be right.
        if (block.timestamp > proposal.deadline && !(isOwn && proposal.deadline == 0)) {
            revert PageSettlement_ProposalExpired(proposal.deadline, block.timestamp);
        }
        if (isOwn) return;
        bytes32 structHash = Proposals.hashStruct(
            uint8(proposal.kind),
            proposal.ledgerPage,
            proposal.bitmap,
            proposal.root,
            proposal.blobId,
            proposal.deadline
        );
        bytes32 digest = InferenceResults.toDigest(address(SETTLEMENT), structHash);
        // As in the leaves, a node's own key is all that counts.
        bool isGiven =
            proposal.kind == IInferenceSettlement.Verification.Optimistic
                ? _isSignedBy(operator, digest, signature)
                : Consent.isGiven(operator, digest, signature);
        if (!isGiven) revert PageSettlement_NoConsent(operator);
    }

    /// @dev As `pageIdOf` would say of the header that the caller has to bring from now on.
    function _idOf(Proposal calldata proposal, uint256 taken) private view returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    block.chainid,
                    address(this),
                    proposal.kind,
                    proposal.teeId,
                    proposal.ledgerPage,
                    taken,
                    proposal.root,
                    proposal.blobId,
                    msg.sender,
                    proposal.fee
                )
            );
    }
}
