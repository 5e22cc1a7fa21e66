// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

import {IInferenceSettlement} from "./IInferenceSettlement.sol";
import {IPageSettlementTypes} from "./IPageSettlementTypes.sol";
import {ITEERegistry} from "./ITEERegistry.sol";

/// @title IPageSettlement
/// @notice Settles up to 256 results of one node by one root, under a deposit, unless somebody shows within a window that
/// one of them is wrong.
///
/// A page is proposed for one page of the ledger ({IRequestLedger}), 256 nonces of a node in a row, and takes those of its
/// requests that are free. Its results are the leaves of a tree of depth 8 whose leaf `i` stands for nonce
/// `256 * page + i`, so that there is exactly one leaf for a request. Nobody has looked at a leaf when a page becomes final:
/// it is **unchallenged**, and whoever relies on it trusts that one watcher would have spoken up (the long road), or that
/// two thirds of the stake have looked (the short one).
///
/// Callers bring the header of a page, of which only the hash is known here; everything that is stored fits one slot.
///
/// A page is of results of one enclave, or **optimistic**: of results of a node without one, of model versions that can be
/// proved. Nobody vouches for those; whoever doubts one demands its proof, for a deposit, and gets it within a day, or the
/// page is rejected. Optimistic pages have the long road only. One watcher who pays for a demand is trusted.
///
/// A page that is rejected takes nothing: its requests are free again, and its proposer's whole deposit is gone. A page that
/// is shown to be wrong after it was final is *disproved*: what was done in reliance on it stands, its requests stay taken,
/// and the deposit is gone just so.
interface IPageSettlement is IPageSettlementTypes {
    // Deposits

    /// @notice Takes OPG of the caller's, which has to be allowed, into an account: as the deposit of a proposer, or for
    /// requests of leaves.
    /// @param account whose it is from then on
    /// @param amount smallest units, not zero
    function deposit(address account, uint128 amount) external;

    /// @notice Pays out of the caller's account; not while it answers for a page.
    /// @param receiver who gets it
    /// @param amount smallest units, not zero
    function withdraw(address receiver, uint128 amount) external;

    /// @notice Burns what was forfeited and went to nobody.
    function burnForfeits() external;

    // Life of a page

    /// @notice Proposes a page. The caller answers for it with their deposit.
    /// @param proposal what is proposed
    /// @param signature the operator's (ECDSA or ERC-1271), under {IInferenceSettlement}'s domain, over EIP-712
    /// `Proposal(uint8 kind,uint256 page,uint256 bitmap,bytes32 root,bytes32 blobId,uint64 deadline)`; ignored where the
    /// operator of the enclave is the caller. Of an optimistic page the node's (ECDSA only), likewise
    /// @return pageId the page
    /// @return taken the requests that it took; the header has them as its bitmap
    function proposePage(
        Proposal calldata proposal,
        bytes calldata signature
    ) external returns (bytes32 pageId, uint256 taken);

    /// @notice Notes that a quorum vouched for a pending page, which takes the short road from then on, and pays the fee
    /// to the attester's account. Only the attester, and no optimistic page.
    /// @param header of the page
    /// @param signers of the quorum, kept for the attester as it numbers them
    function attest(PageHeader calldata header, uint24 signers) external;

    /// @notice Frees the bonds of pages that nothing can be shown against any more, and gives back fees that nobody
    /// earned, but for those that were put aside before the proposer lost a deposit. Anyone.
    /// @param headers of pages that are final, and whose evidence window is over
    function releaseBonds(PageHeader[] calldata headers) external;

    /// @notice Settles a good result of a rejected page of an enclave, alone and for good. Anyone, until the later one of the result's
    /// window and seven days after the rejection. Reverts for a leaf of another request, enclave or time than the page's.
    /// @param header of the page
    /// @param leaf the result
    function settleAgain(PageHeader calldata header, Leaf calldata leaf) external;

    // Challenges

    /// @notice Notes who challenges first, so that nobody takes a challenge out of the mempool. A challenge follows in a
    /// later block.
    /// @param commitment keccak256(abi.encode(pageId, uint8 index, leafHash, otherLeafHash, challenger, salt)), where
    /// `leafHash` is the leaf in the tree, and `otherLeafHash` what the other result would be as a leaf; zero for a
    /// challenge without another result. `salt` is any number that nobody guesses
    function commitChallenge(bytes32 commitment) external;

    /// @notice Shows that a leaf is wrong, for whatever reason `judgeLeaf` finds. Anyone may send it; the reward, half of
    /// the proposer's deposit, goes to the account of who committed. Reverts if nothing is wrong.
    /// @param header of a page that is pending, or whose evidence window is not over
    /// @param leaf the leaf; for a request without a result, anything with the empty leaf's way to the root
    /// @param challenger who committed
    /// @param salt of the commitment
    function challenge(
        PageHeader calldata header,
        Leaf calldata leaf,
        address challenger,
        bytes32 salt
    ) external;

    /// @notice Shows that the enclave, or the node of an optimistic page, signed two results for one request. The rest is as
    /// with `challenge`.
    /// @param header of the page
    /// @param leaf the result in the page
    /// @param other another result for the same request
    /// @param otherSignature the enclave's, or a session key's that was valid at that result's time; the node's
    /// @param challenger who committed
    /// @param salt of the commitment
    function challengeConflict(
        PageHeader calldata header,
        Leaf calldata leaf,
        IInferenceSettlement.InferenceResult calldata other,
        bytes calldata otherSignature,
        address challenger,
        bytes32 salt
    ) external;

    /// @notice Asks for a leaf that cannot be read where it should be stored. Takes a deposit out of the caller's account,
    /// `LEAF_DEPOSIT` and doubled with each request that is open in the page, seven times at most. Only while an answer would
    /// come before the end of the page's road; the page is pending for a day after the answer is due, then.
    /// @param header of a pending page
    /// @param index the leaf's place
    function requestLeaf(PageHeader calldata header, uint8 index) external;

    /// @notice Shows leaves that were asked for, and takes the deposits into the caller's account. Anyone. Whether a leaf
    /// is good is not looked at: shown, it can be challenged. Leaves that nobody waits for, or not any more, are skipped;
    /// reverts if there is no other.
    /// @param answers 1 to 32, of any pages
    function answerLeaves(Answer[] calldata answers) external;

    /// @notice Rejects a page of which a leaf was not shown in time. Anyone; deposit and reward go to who asked.
    /// @param header of the page
    /// @param index the leaf's place
    function rejectWithheld(PageHeader calldata header, uint8 index) external;

    /// @notice Gives the deposit of a request back whose page was rejected for another reason. Anyone.
    /// @param header of the page
    /// @param index the leaf's place
    function returnRequest(PageHeader calldata header, uint8 index) external;

    // Proofs of optimistic pages

    /// @notice Opens a version to optimistic pages that are proposed from the next second on, by a result of it that was
    /// settled with a proof, alone or in a batch, and has a price, so that the settlement knows which one it was. Anyone,
    /// once a version. Not one whose input words are a commitment: nobody could run the model again, and so nobody doubt it.
    /// @param result the typed message that was settled
    function admitVersion(IInferenceSettlement.InferenceResult calldata result) external;

    /// @notice Demands the proof of a leaf, known or not. Takes `DEMAND_DEPOSIT` out of the caller's account, which the
    /// proposer gets if the proof is given. Whoever re-ran the model knows beforehand whether it will be. The page's clock
    /// stands until it is, at most `PROVE_TIME`, so that it can be demanded up to the page's end; at most `MAXIMUM_DEMANDS`
    /// of a page at a time.
    /// @param header of a pending optimistic page
    /// @param index the leaf's place
    function demandProof(PageHeader calldata header, uint8 index) external;

    /// @notice Gives the proof of a leaf, in time if it was demanded, and settles the result by it, alone and for good;
    /// the deposit goes to the proposer's account, whoever calls. Of a page that was rejected it settles any good result so,
    /// until the later one of the result's window and seven days after the rejection. Reverts for a leaf that something is
    /// wrong with, and as `IInferenceSettlement.settleZkml` does.
    /// @param header of an optimistic page
    /// @param leaf the leaf
    /// @param words packed input words, then packed output words
    /// @param proof as `settleZkml` takes it
    function proveLeaf(
        PageHeader calldata header,
        Leaf calldata leaf,
        uint256[] calldata words,
        bytes calldata proof
    ) external;

    /// @notice Rejects a page of which a proof that was demanded was not given in time. Anyone; deposit and reward go to who
    /// demanded it.
    /// @param header of the page
    /// @param index the leaf's place
    function rejectUnproved(PageHeader calldata header, uint8 index) external;

    /// @notice Gives the deposit of a demand back whose page was rejected for another reason. Anyone.
    /// @param header of the page
    /// @param index the leaf's place
    function returnDemand(PageHeader calldata header, uint8 index) external;

    // Settings

    /// @notice Sets the parameters of pages to come. Restricted to governance.
    /// @param parameters within their bounds
    function setParameters(Parameters calldata parameters) external;

    /// @notice Names who says that a quorum vouched for a page. Restricted to governance.
    /// @param attester the contract; zero for nobody
    function setAttester(address attester) external;

    /// @notice Stops proposals, and nothing else, for a bounded time. Restricted to the guardian.
    /// @param until when they go on, in unix seconds; within seven days, and not again for as long
    function pauseProposals(uint64 until) external;

    // Reads

    /// @notice What is wrong with a leaf, if anything. Of a page that was not proposed yet, what would be if it were now;
    /// what ended in this very second counts then, since the proposal comes later. Whoever proposes a page or vouches for one
    /// asks this. Reverts if the leaf is not in the page or not taken by it.
    /// @param header of the page
    /// @param leaf the leaf
    /// @return reason None for a good leaf
    function judgeLeaf(PageHeader calldata header, Leaf calldata leaf) external view returns (Reason reason);

    /// @notice Whether a result is in a page, and what that is worth now. Never reverts for a leaf that is not.
    /// @param header of the page
    /// @param leaf the result
    /// @return state None where the result is not in the page, or the page does not take its request
    /// @return until last second in which it is pending; the greatest number while somebody waits for a leaf
    /// @return proposerDeposit smallest units of OPG that the proposer would lose
    function verifyInclusion(
        PageHeader calldata header,
        Leaf calldata leaf
    ) external view returns (PageState state, uint256 until, uint256 proposerDeposit);

    /// @notice What became of a request, in a page or alone.
    /// @param requestId the request
    /// @param header of the page that took it; any header for a request that was settled alone
    /// @return state never Rejected: such requests are free
    /// @return until last second in which it is pending; the greatest number while somebody waits for a leaf
    function stateOf(
        bytes32 requestId,
        PageHeader calldata header
    ) external view returns (PageState state, uint256 until);

    /// @notice What became of a page.
    /// @param pageId the page
    /// @return state its state
    /// @return until last second in which it is pending; the greatest number while somebody waits for a leaf
    function stateOfPage(bytes32 pageId) external view returns (PageState state, uint256 until);

    /// @notice What is stored of a page.
    /// @param pageId the page
    /// @return record all zero for a page that was never proposed
    function pageOf(bytes32 pageId) external view returns (PageRecord memory record);

    /// @notice The id of a page: keccak256(abi.encode(chain id, this contract, header)).
    /// @param header of the page
    /// @return pageId the page
    function pageIdOf(PageHeader calldata header) external view returns (bytes32 pageId);

    /// @notice What an account has here.
    /// @param account the account
    /// @return content all zero for an account that nothing came in for
    function accountOf(address account) external view returns (Account memory content);

    /// @notice A leaf that was asked for.
    /// @param pageId its page
    /// @param index its place
    /// @return request all zero if nobody waits for it
    function leafRequestOf(bytes32 pageId, uint8 index) external view returns (LeafRequest memory request);

    /// @notice A proof that was demanded.
    /// @param pageId the leaf's page
    /// @param index its place
    /// @return demand all zero if nobody waits for it
    function demandOf(bytes32 pageId, uint8 index) external view returns (LeafRequest memory demand);

    /// @notice Which leaves of a page were proved, on demand: they are settled alone and not of the page any more.
    /// @param pageId the page
    /// @return bitmap those leaves
    function provedIn(bytes32 pageId) external view returns (uint256 bitmap);

    /// @notice The clock of an optimistic page.
    /// @param pageId the page
    /// @return clock all zero for a page of which no proof was demanded
    function clockOf(bytes32 pageId) external view returns (PageClock memory clock);

    /// @notice When a version was opened to optimistic pages.
    /// @param modelVersion the version
    /// @return time unix seconds; zero if it was not
    function admittedAt(bytes32 modelVersion) external view returns (uint256 time);

    /// @notice In which block somebody committed to a challenge.
    /// @param commitment the commitment
    /// @return number of the block; zero if nobody did, or the challenge was made
    function committedAt(bytes32 commitment) external view returns (uint256 number);

    /// @notice The parameters of pages that are proposed now.
    /// @return current them
    function parametersNow() external view returns (Parameters memory current);

    /// @notice Who says that a quorum vouched for a page.
    /// @return current zero while nobody does
    function attester() external view returns (address current);

    /// @notice Who was the attester under a number; each time that one is named is a number, from 1 on.
    /// @param number of a page's attester
    /// @return account zero where nobody was
    function attesterAt(uint8 number) external view returns (address account);

    /// @notice When proposals go on, or went on.
    /// @return until unix seconds; zero if they were never paused
    function proposalsPausedUntil() external view returns (uint64 until);

    /// @notice What was forfeited, is nobody's, and was not burned yet.
    /// @return amount smallest units of OPG
    function forfeits() external view returns (uint256 amount);

    /// @notice The settlement whose ledger and whose typed message this is about.
    /// @return settlement its address
    function SETTLEMENT() external view returns (IInferenceSettlement settlement);

    /// @notice The registry of enclaves.
    /// @return registry its address
    function REGISTRY() external view returns (ITEERegistry registry);
}
