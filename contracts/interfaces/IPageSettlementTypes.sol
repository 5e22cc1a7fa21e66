// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

import {IInferenceSettlement} from "./IInferenceSettlement.sol";

/// @title IPageSettlementTypes
/// @notice What pages of results are made of, what happens to them, and why a call is refused; {IPageSettlement} has the
/// functions.
interface IPageSettlementTypes {
    /// @notice What became of a page, or of a request in it.
    /// - None: never proposed; of a request, also one that the page does not take, or that its rejection set free
    /// - Pending: can be challenged, and counts for nothing yet
    /// - Final: nobody showed it to be wrong in time
    /// - Rejected: shown to be wrong in time; only of pages
    /// - Disproved: shown to be wrong after it was final
    enum PageState {
        None,
        Pending,
        Final,
        Rejected,
        Disproved
    }

    /// @notice What is wrong with a leaf, in the order in which it is looked for. Up to InvalidSignature it follows from
    /// header, leaf and keys that never change, so that whoever vouched for the page could have seen it.
    /// - MalformedLeaf: a request that is taken has no result, or a result of another request stands in its place
    /// - WrongNode: a result of another enclave than the page's; in an optimistic page, of any
    /// - OutsideWindow: the result's time is after the proposal, or too long before it; in an optimistic page it is to be
    /// from before the second of the proposal
    /// - InvalidSignature: neither the enclave's key nor a session key that signs results has signed it; in an optimistic
    /// page, not the key of the node's own account
    /// - VersionInvalid: of a model version that is unknown, or was deprecated at the result's time and before the second of
    /// the proposal; in an optimistic page, also of one that was not admitted before that second
    /// - KeyNotInService: enclave not in service, or its session key not valid, at the result's time; of a result from the
    /// second of the proposal or later, in the second before it. Also of an enclave that was banned since
    /// - ConflictingReceipt: the enclave, or the node, signed another result for the same request
    /// - DataWithheld: somebody asked for a leaf, and nobody showed it
    /// - DemandUnanswered: somebody demanded the proof of a leaf, and nobody gave it
    enum Reason {
        None,
        MalformedLeaf,
        WrongNode,
        OutsideWindow,
        InvalidSignature,
        VersionInvalid,
        KeyNotInService,
        ConflictingReceipt,
        DataWithheld,
        DemandUnanswered
    }

    /// @notice How a page ended, if it did.
    /// - Open: it did not, or only by time
    /// - Released: nothing can be shown against it any more, and its bond is free
    /// - Rejected, Disproved: as in `PageState`
    enum Outcome {
        Open,
        Released,
        Rejected,
        Disproved
    }

    /// @notice What is proposed.
    /// @param kind of verification, TEE or Optimistic
    /// @param teeId the enclave whose results these are; zero for an optimistic page
    /// @param ledgerPage number of the ledger page, `requestId >> 8`; the node is in it, of an enclave its address form
    /// @param bitmap the requests that have a result; bit i is leaf i
    /// @param root of the tree of results
    /// @param blobId where the results are stored
    /// @param fee smallest units of OPG for whoever attests the page, out of the proposer's deposit
    /// @param deadline last second in which it counts, in unix seconds: a page that comes late can have results that are
    /// too old. Where the operator calls, zero is no deadline
    struct Proposal {
        IInferenceSettlement.Verification kind;
        bytes32 teeId;
        uint256 ledgerPage;
        uint256 bitmap;
        bytes32 root;
        bytes32 blobId;
        uint96 fee;
        uint64 deadline;
    }

    /// @notice What a page is known by.
    /// @param kind of verification
    /// @param teeId the enclave; zero for an optimistic page
    /// @param ledgerPage number of the ledger page
    /// @param bitmap the requests that the page took, those that were free when it was proposed; it alone is judged
    /// @param root of the tree of results
    /// @param blobId where the results are stored
    /// @param proposer who proposed it, and answers for it with a deposit
    /// @param fee smallest units of OPG for whoever attests the page
    struct PageHeader {
        IInferenceSettlement.Verification kind;
        bytes32 teeId;
        uint256 ledgerPage;
        uint256 bitmap;
        bytes32 root;
        bytes32 blobId;
        address proposer;
        uint96 fee;
    }

    /// @notice What is stored of a page, a slot. Times are unix seconds, lengths seconds.
    /// @param proposedAt when; zero for a page that was never proposed
    /// @param attestedAt when a quorum vouched for it; zero if none did
    /// @param extendedUntil the end that the last request for a leaf brought, on the page's clock, which stands while a proof
    /// is demanded; zero if there was none
    /// @param endedAt when it was rejected or disproved; zero if it was not
    /// @param longRoad from the proposal to the end, as it was at the proposal
    /// @param shortRoad from the attestation to the end, likewise; zero for an optimistic page, which has none
    /// @param resultWindow how old a result may have been, likewise
    /// @param openRequests requests for leaves that wait for an answer
    /// @param attesterNumber which attester said so; zero if none did
    /// @param signers of the quorum, as that attester numbers them
    /// @param reason why it was rejected or disproved
    /// @param outcome how it ended
    struct PageRecord {
        uint32 proposedAt;
        uint32 attestedAt;
        uint32 extendedUntil;
        uint32 endedAt;
        uint24 longRoad;
        uint24 shortRoad;
        uint24 resultWindow;
        uint8 openRequests;
        uint8 attesterNumber;
        uint24 signers;
        Reason reason;
        Outcome outcome;
    }

    /// @notice A result in a page, with its way to the root.
    /// @param index its place in the page
    /// @param result the typed message
    /// @param signature the enclave's, or a session key's; in an optimistic page the node's, r | s | v
    /// @param siblings the eight neighbours, from the leaf's own up to the root's child
    struct Leaf {
        uint8 index;
        IInferenceSettlement.InferenceResult result;
        bytes signature;
        bytes32[8] siblings;
    }

    /// @notice A leaf that somebody asked for.
    /// @param header of its page
    /// @param leaf the leaf
    struct Answer {
        PageHeader header;
        Leaf leaf;
    }

    /// @notice What governance sets, for pages to come.
    /// @param longRoad seconds from the proposal to the end
    /// @param shortRoad seconds from the attestation to the end
    /// @param resultWindow seconds for which a result can be proposed, and settled again after a rejection
    /// @param minimumDeposit smallest units of OPG without which nobody proposes; it answers for `PAGES_PER_DEPOSIT` open
    /// pages, and twice as much for twice as many
    struct Parameters {
        uint24 longRoad;
        uint24 shortRoad;
        uint24 resultWindow;
        uint88 minimumDeposit;
    }

    /// @notice What an account has here. A slot.
    /// @param amount smallest units of OPG
    /// @param openPages pages that it answers for; while there is one, nothing can be withdrawn
    /// @param forfeitedAt when a page of it was last refuted, in unix seconds; zero if none was. The fees of pages that it
    /// had proposed by then do not come back
    struct Account {
        uint128 amount;
        uint64 openPages;
        uint64 forfeitedAt;
    }

    /// @notice A leaf that was asked for, or the proof of one. A slot.
    /// @param requester who asked, and put a deposit down; zero if nobody did
    /// @param deadline last second for an answer, in unix seconds
    /// @param deposit smallest units of OPG, in multiples of the first request's
    struct LeafRequest {
        address requester;
        uint40 deadline;
        uint8 deposit;
    }

    /// @notice The clock of an optimistic page, which stands while a proof is demanded. A slot.
    /// @param open proofs that are demanded and were not given
    /// @param stoppedAt when it stopped last, in unix seconds; it stands while there is an open demand
    /// @param stopped seconds for which it stood before
    struct PageClock {
        uint8 open;
        uint40 stoppedAt;
        uint40 stopped;
    }

    /// @notice A page was proposed, and took requests.
    /// @param pageId hash of the header, of this contract and of the chain
    /// @param ledgerPage number of the ledger page
    /// @param proposer who answers for it
    /// @param kind of verification
    /// @param teeId the enclave
    /// @param bitmap the requests that it took
    /// @param root of the tree of results
    /// @param blobId where the results are stored
    /// @param fee for whoever attests it
    /// @param end last second in which it is pending, unless something happens to it
    event PageProposed(
        bytes32 indexed pageId,
        uint256 indexed ledgerPage,
        address indexed proposer,
        IInferenceSettlement.Verification kind,
        bytes32 teeId,
        uint256 bitmap,
        bytes32 root,
        bytes32 blobId,
        uint96 fee,
        uint256 end
    );
    /// @notice A quorum vouched for a page.
    /// @param pageId the page
    /// @param signers of the quorum, as the attester numbers them
    /// @param end last second in which it is pending from now on, unless something happens to it
    event PageAttested(bytes32 indexed pageId, uint24 signers, uint256 end);
    /// @notice A page was shown to be wrong.
    /// @param pageId the page
    /// @param reason what is wrong
    /// @param state Rejected or Disproved
    /// @param challenger who showed it
    /// @param reward smallest units of OPG for them; as much, or one more, is to be burned
    event PageRefuted(
        bytes32 indexed pageId,
        Reason indexed reason,
        PageState state,
        address indexed challenger,
        uint256 reward
    );
    /// @notice Nothing can be shown against a page any more.
    /// @param pageId the page
    event PageReleased(bytes32 indexed pageId);
    /// @notice A result of a rejected page was settled, alone.
    /// @param pageId the page
    /// @param requestId the request
    event SettledAgain(bytes32 indexed pageId, bytes32 indexed requestId);
    /// @notice Somebody committed to a challenge.
    /// @param commitment see `commitChallenge`
    event ChallengeCommitted(bytes32 indexed commitment);
    /// @notice Somebody asked for a leaf.
    /// @param pageId its page
    /// @param index its place
    /// @param requester who asked
    /// @param deadline last second for an answer, in unix seconds
    /// @param deposit smallest units of OPG that whoever answers gets
    event LeafRequested(
        bytes32 indexed pageId,
        uint8 index,
        address indexed requester,
        uint256 deadline,
        uint256 deposit
    );
    /// @notice A leaf that was asked for was shown. It is in the transaction's calldata.
    /// @param pageId its page
    /// @param index its place
    /// @param answerer who showed it, and got the deposit
    event LeafAnswered(bytes32 indexed pageId, uint8 index, address indexed answerer);
    /// @notice The deposit of a request went back, because the page was rejected before its answer.
    /// @param pageId the page
    /// @param index the leaf's place
    event LeafRequestReturned(bytes32 indexed pageId, uint8 index);
    /// @notice A version is open to optimistic pages: a proof of it was settled.
    /// @param modelVersion the version
    /// @param requestId whose result shows it
    event VersionAdmitted(bytes32 indexed modelVersion, bytes32 indexed requestId);
    /// @notice Somebody demanded the proof of a leaf; the page's clock stands until it is given.
    /// @param pageId its page
    /// @param index its place
    /// @param demander who demanded it
    /// @param deadline last second for it, in unix seconds
    /// @param deposit smallest units of OPG that the proposer gets if it is given
    event ProofDemanded(
        bytes32 indexed pageId,
        uint8 index,
        address indexed demander,
        uint256 deadline,
        uint256 deposit
    );
    /// @notice A proof that was demanded was given: the result is settled as any with a proof, and no page's any more.
    /// @param pageId the page that it was in
    /// @param index its place there
    /// @param requestId the request
    /// @param end last second in which the page is pending from now on, unless something happens to it; the greatest number
    /// while somebody waits for another proof or for a leaf
    event ProofGiven(bytes32 indexed pageId, uint8 index, bytes32 indexed requestId, uint256 end);
    /// @notice The deposit of a demand went back, because the page was rejected before its answer.
    /// @param pageId the page
    /// @param index the leaf's place
    event DemandReturned(bytes32 indexed pageId, uint8 index);
    /// @notice OPG came in for an account.
    /// @param account whose it is
    /// @param amount smallest units
    event Deposited(address indexed account, uint256 amount);
    /// @notice OPG went out of an account.
    /// @param account whose it was
    /// @param receiver who got it
    /// @param amount smallest units
    event Withdrawn(address indexed account, address indexed receiver, uint256 amount);
    /// @notice What was forfeited and is nobody's was burned.
    /// @param amount smallest units
    event ForfeitsBurned(uint256 amount);
    /// @notice Governance set the parameters, or the deployment did.
    /// @param parameters from now on
    event ParametersChanged(Parameters parameters);
    /// @notice Governance named who says that a quorum vouched for a page.
    /// @param attester the contract, or zero
    event AttesterChanged(address indexed attester);
    /// @notice The guardian stopped proposals.
    /// @param until when they go on, in unix seconds
    event ProposalsPaused(uint64 until);

    /// @notice A contract that is needed has no code.
    /// @param account its address
    error PageSettlement_NotAContract(address account);
    /// @notice The settlement hashes results in another way.
    /// @param settlement its address
    error PageSettlement_OtherDomain(address settlement);
    /// @notice The chain cannot check signatures of P-256 (EIP-7951): leaves under such keys would all be wrong.
    error PageSettlement_NoP256();
    /// @notice The delay of forced inclusion is so long that no long road has room for it.
    /// @param maximum most seconds
    /// @param actual the seconds given
    error PageSettlement_InclusionDelayInvalid(uint256 maximum, uint256 actual);
    /// @notice A length of time is out of its bounds.
    /// @param minimum least seconds
    /// @param maximum most seconds
    /// @param actual the seconds given
    error PageSettlement_ParameterInvalid(uint256 minimum, uint256 maximum, uint256 actual);
    /// @notice Proposals cannot be paused so, or not yet.
    /// @param earliest first second for another pause
    /// @param latest last second for it to end
    /// @param actual the end given
    error PageSettlement_PauseInvalid(uint256 earliest, uint256 latest, uint64 actual);
    /// @notice Proposals are paused.
    /// @param until when they go on, in unix seconds
    error PageSettlement_Paused(uint256 until);
    /// @notice Pages of this kind are not proposed, not attested, or have no proofs that could be demanded.
    /// @param kind the kind
    error PageSettlement_KindNotOpen(IInferenceSettlement.Verification kind);
    /// @notice An optimistic page names an enclave.
    /// @param teeId the enclave
    error PageSettlement_TeeIdNotZero(bytes32 teeId);
    /// @notice The ledger page is not of the enclave.
    /// @param expected the enclave's address form
    /// @param actual the node that the ledger page is of
    error PageSettlement_WrongNode(address expected, address actual);
    /// @notice Somebody else than the enclave's operator or the node proposes, without their signature.
    /// @param operator the operator, or the node
    error PageSettlement_NoConsent(address operator);
    /// @notice The time of the proposal is over.
    /// @param deadline last second of it, in unix seconds
    /// @param blockTimestamp the block's time
    error PageSettlement_ProposalExpired(uint256 deadline, uint256 blockTimestamp);
    /// @notice Every request of the proposal is taken, or there is none.
    error PageSettlement_NothingToTake();
    /// @notice The same page was proposed before.
    /// @param pageId the page
    error PageSettlement_PageKnown(bytes32 pageId);
    /// @notice The deposit is too small for one more page.
    /// @param needed smallest units of OPG, with the page's fee
    /// @param actual smallest units of OPG in the account
    error PageSettlement_DepositTooSmall(uint256 needed, uint256 actual);
    /// @notice The page is not in the state that the call needs.
    /// @param pageId the page
    /// @param state its state
    error PageSettlement_StateInvalid(bytes32 pageId, PageState state);
    /// @notice Somebody else than the attester says that a page is vouched for.
    /// @param caller who called
    error PageSettlement_NotAttester(address caller);
    /// @notice The page was attested before.
    /// @param pageId the page
    error PageSettlement_AlreadyAttested(bytes32 pageId);
    /// @notice Somebody waits for a leaf of the page.
    /// @param pageId the page
    error PageSettlement_RequestOpen(bytes32 pageId);
    /// @notice It is too early.
    /// @param earliest first second for it, in unix seconds
    /// @param blockTimestamp the block's time
    error PageSettlement_TooEarly(uint256 earliest, uint256 blockTimestamp);
    /// @notice It is too late.
    /// @param latest last second for it, in unix seconds
    /// @param blockTimestamp the block's time
    error PageSettlement_TooLate(uint256 latest, uint256 blockTimestamp);
    /// @notice The leaf does not lead to the page's root.
    /// @param pageId the page
    /// @param index its place
    error PageSettlement_NotIncluded(bytes32 pageId, uint8 index);
    /// @notice The page does not take this request, so that its leaf counts for nothing.
    /// @param pageId the page
    /// @param index its place
    error PageSettlement_NotTaken(bytes32 pageId, uint8 index);
    /// @notice Nothing is wrong with the leaf.
    /// @param pageId the page
    /// @param index its place
    error PageSettlement_LeafIsGood(bytes32 pageId, uint8 index);
    /// @notice Something is wrong with a leaf that should be good.
    /// @param pageId the page
    /// @param index its place
    /// @param reason what
    error PageSettlement_LeafIsBad(bytes32 pageId, uint8 index, Reason reason);
    /// @notice The two results do not contradict each other: one result, two requests, or the second one is not signed.
    /// @param pageId the page
    /// @param index the leaf's place
    error PageSettlement_NoConflict(bytes32 pageId, uint8 index);
    /// @notice Nobody committed to this challenge, or somebody did before.
    /// @param commitment the commitment
    error PageSettlement_CommitmentInvalid(bytes32 commitment);
    /// @notice A challenge follows its commitment in a later block.
    /// @param commitment the commitment
    error PageSettlement_CommittedInThisBlock(bytes32 commitment);
    /// @notice As many requests wait for answers as a page may have.
    /// @param pageId the page
    error PageSettlement_TooManyRequests(bytes32 pageId);
    /// @notice Somebody asked for this leaf already, or nobody did.
    /// @param pageId the page
    /// @param index the leaf's place
    error PageSettlement_RequestInvalid(bytes32 pageId, uint8 index);
    /// @notice No settled proof of the version was shown, it was admitted before, or its input words are a commitment.
    /// @param modelVersion the version
    error PageSettlement_NotAdmissible(bytes32 modelVersion);
    /// @notice As many proofs of the page are demanded as may be at a time.
    /// @param pageId the page
    error PageSettlement_TooManyDemands(bytes32 pageId);
    /// @notice Somebody demanded the proof of this leaf already, or nobody did.
    /// @param pageId the page
    /// @param index the leaf's place
    error PageSettlement_DemandInvalid(bytes32 pageId, uint8 index);
    /// @notice The proof of this leaf was given.
    /// @param pageId the page
    /// @param index the leaf's place
    error PageSettlement_LeafIsProved(bytes32 pageId, uint8 index);
    /// @notice A call answers 1 to 32 requests.
    /// @param count how many it had
    error PageSettlement_AnswerCountInvalid(uint256 count);
    /// @notice Nothing, or more than there is, was to go in or out of an account.
    /// @param available smallest units of OPG that could
    /// @param actual smallest units of OPG given
    error PageSettlement_AmountInvalid(uint256 available, uint256 actual);
    /// @notice The account answers for pages that are open.
    /// @param account the account
    /// @param openPages how many
    error PageSettlement_PagesOpen(address account, uint256 openPages);
    /// @notice An account or a receiver is the zero address.
    error PageSettlement_AccountZero();
}
