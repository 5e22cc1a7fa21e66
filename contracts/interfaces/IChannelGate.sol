// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

import {IBatchSettlement} from "./IBatchSettlement.sol";
import {IInferenceSettlement} from "./IInferenceSettlement.sol";
import {IPageSettlement} from "./IPageSettlement.sol";
import {IPageSettlementTypes} from "./IPageSettlementTypes.sol";

/// @title IChannelGate
/// @notice The receiving end of a node's payment channels, x402's scheme `batch-settlement`: of a channel no more is claimed
/// than the prices of settled results that were signed for this very channel, however high the voucher is.
///
/// A payer names a gate as `receiver` and as `receiverAuthorizer` of a channel; one that names it as only one of them is not
/// claimed from. A gate's address is made of its terms, so that whatever the payer signs for the channel covers them.
///
/// The results of a channel are those whose `requester` is the account of the channel: the last 20 bytes of its id. The id is
/// a hash of payer, gate, token and chain, so that a result counts for one channel of one payer, in one token, at one gate,
/// and for nothing else: the account is nobody's, and no escrow opens a job of it.
///
/// What a payer relies on: as with {IInferenceEscrow}, a page counts from when it is Final, and one that is disproved later has
/// been paid. What a node relies on: a payer who asks for the rest of a channel gets it after `withdrawDelay`, claimed or not;
/// `ChannelGates.leastWithdrawDelay` is the least in which a result can be settled in a page and claimed. Above the voucher,
/// or above what is left in the channel, nothing is paid.
interface IChannelGate {
    /// @notice What a gate is for. It never changes.
    /// @param node whose results count, as in their request ids; of an enclave its address form
    /// @param payee who is paid
    /// @param feeReceiver who gets the fee
    /// @param feeBps hundredths of a percent of what comes in that are the fee
    /// @param kinds what counts, as in `IInferenceEscrow.Terms`
    struct Terms {
        address node;
        address payee;
        address feeReceiver;
        uint16 feeBps;
        uint8 kinds;
    }

    /// @notice Results of one channel and one model version in a page.
    /// @param channelId the channel
    /// @param modelVersion the version
    /// @param records 118 bytes each: place in the page (1), timestamp (5), price (16), inputHash (32), outputHash (32), keccak256
    /// of the signature (32)
    struct Section {
        bytes32 channelId;
        bytes32 modelVersion;
        bytes records;
    }

    /// @notice A voucher as its payer signed it.
    /// @param channel the channel
    /// @param maxClaimableAmount smallest units
    /// @param signature the payer's side's
    struct SignedVoucher {
        IBatchSettlement.ChannelConfig channel;
        uint128 maxClaimableAmount;
        bytes signature;
    }

    /// @notice Results of a channel were counted, each for the only time.
    /// @param channelId the channel
    /// @param page the ledger page that they are in
    /// @param bitmap the results, by their places in it
    /// @param proven smallest units that may be claimed of the channel from now on, all claims together
    event ResultsCounted(bytes32 indexed channelId, uint256 indexed page, uint256 bitmap, uint256 proven);
    /// @notice What was claimed came in and was shared out.
    /// @param token the token
    /// @param amount smallest units that came in
    /// @param fee smallest units of them for the receiver of the fee
    event Collected(address indexed token, uint256 amount, uint256 fee);
    /// @notice A transfer failed: the account can withdraw the tokens.
    /// @param token the token
    /// @param account whose they are
    /// @param amount smallest units
    event Credited(address indexed token, address indexed account, uint256 amount);
    /// @notice An account withdrew what a transfer had not brought.
    /// @param token the token
    /// @param account whose it was
    /// @param receiver who got it
    /// @param amount smallest units
    event CreditWithdrawn(
        address indexed token,
        address indexed account,
        address indexed receiver,
        uint256 amount
    );

    /// @notice Results of this kind do not count at this gate.
    /// @param kinds the terms' bits
    /// @param kind the result's bit
    error ChannelGate_KindNotAccepted(uint8 kinds, uint8 kind);
    /// @notice The results are another node's.
    /// @param expected the terms' node
    /// @param actual the node that the request or the page names
    error ChannelGate_WrongNode(address expected, address actual);
    /// @notice The result is of another channel, or of none.
    /// @param expected the account of the channel
    /// @param actual the requester
    error ChannelGate_WrongRequester(address expected, address actual);
    /// @notice This result was not settled alone as this kind.
    /// @param requestId its request
    error ChannelGate_NotSettled(bytes32 requestId);
    /// @notice The page is not final.
    /// @param state of the page
    error ChannelGate_PageNotFinal(IPageSettlementTypes.PageState state);
    /// @notice The page does not take these requests.
    /// @param bitmap the requests, by their places
    error ChannelGate_NotTaken(uint256 bitmap);
    /// @notice The results and hashes do not lead to the page's root.
    /// @param expected the page's
    /// @param actual where they lead
    error ChannelGate_NotIncluded(bytes32 expected, bytes32 actual);
    /// @notice All these results were counted before, or there are none.
    /// @param page the ledger page
    error ChannelGate_NothingNew(uint256 page);
    /// @notice The gate is not both receiver and authorizer of the channel.
    /// @param channelId the channel
    error ChannelGate_NotReceiver(bytes32 channelId);
    /// @notice None of the vouchers raises what was claimed: nothing was counted since, the voucher is used up, or the
    /// channel is empty.
    error ChannelGate_NothingToClaim();
    /// @notice Somebody else than the node or the payee was to give tokens back.
    /// @param caller who called
    error ChannelGate_NotParty(address caller);
    /// @notice There is nothing to withdraw, or nobody to receive it.
    /// @param receiver who was to receive it
    /// @param amount smallest units that there are
    error ChannelGate_CreditInvalid(address receiver, uint256 amount);

    /// @notice Counts results in a final page. Anyone; those that were counted before are left out.
    /// @param header of the page
    /// @param sections the results; each place once
    /// @param siblings hashes of the tree that do not follow from the results: level by level from the leaves up, and from
    /// left to right
    function countPage(
        IPageSettlementTypes.PageHeader calldata header,
        Section[] calldata sections,
        bytes32[] calldata siblings
    ) external;

    /// @notice Counts a result that was settled alone. Anyone.
    /// @param channelId the channel
    /// @param result the typed message that was settled
    /// @param kind as which it was settled
    function countResult(
        bytes32 channelId,
        IInferenceSettlement.InferenceResult calldata result,
        IInferenceSettlement.Verification kind
    ) external;

    /// @notice Claims of channels what was proven, as far as the vouchers and what is in the channels go. Anyone.
    /// @param vouchers of channels of this gate
    function claim(SignedVoucher[] calldata vouchers) external;

    /// @notice Fetches what was claimed, and pays payee and fee. Anyone.
    /// @param token the token
    function collect(address token) external;

    /// @notice Gives the payer of a channel back what was not claimed. The node or the payee.
    /// @param channel the channel
    /// @param amount smallest units; where that is more than there is, what there is
    function refund(IBatchSettlement.ChannelConfig calldata channel, uint128 amount) external;

    /// @notice Pays out what a transfer to the caller had not brought.
    /// @param token the token
    /// @param receiver who gets it
    function withdrawCredit(address token, address receiver) external;

    /// @notice What the gate is for.
    /// @return content its terms
    function terms() external view returns (Terms memory content);

    /// @notice The sum of the prices that were counted for a channel.
    /// @param channelId the channel
    /// @return amount smallest units
    function provenOf(bytes32 channelId) external view returns (uint256 amount);

    /// @notice Whether a result of this request was counted.
    /// @param requestId the request
    /// @return isIt whether it was
    function isCounted(bytes32 requestId) external view returns (bool isIt);

    /// @notice What an account can withdraw.
    /// @param token the token
    /// @param account the account
    /// @return amount smallest units
    function creditOf(address token, address account) external view returns (uint256 amount);

    /// @notice The requester of a channel's results: the last 20 bytes of its id.
    /// @param channelId the channel
    /// @return account nobody's
    function accountOf(bytes32 channelId) external pure returns (address account);

    /// @notice x402's contract of channels.
    /// @return batch its address
    function BATCH() external view returns (IBatchSettlement batch);

    /// @notice Where pages are.
    /// @return pages its address
    function PAGES() external view returns (IPageSettlement pages);
}
