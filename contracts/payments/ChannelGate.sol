// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IBatchSettlement} from "../interfaces/IBatchSettlement.sol";
import {IChannelGate} from "../interfaces/IChannelGate.sol";
import {IInferenceSettlement} from "../interfaces/IInferenceSettlement.sol";
import {IPageSettlement} from "../interfaces/IPageSettlement.sol";
import {IPageSettlementTypes} from "../interfaces/IPageSettlementTypes.sol";
import {InferenceResults} from "../settlement/InferenceResults.sol";
import {RequestIds} from "../settlement/RequestIds.sol";
import {PageOpening} from "./PageOpening.sol";
import {PaidKinds} from "./PaidKinds.sol";

/// @title ChannelGate
/// @notice See {IChannelGate}. {ChannelGates} makes clones of it, whose terms stand in their code.
///
/// Access: everything is open to everybody, but `refund`, which is the node's or the payee's, and gives tokens to payers only.
/// There is no owner, and nothing to set. Several calls go into one transaction by `multicall`.
///
/// @dev x402's contract lets receiver and authorizer claim whatever a voucher allows, so that all of the limit is here: in
/// `claim`, the only place that claims. A gate has no ERC-1271: with it x402's `claimWithSignature` would be a second one.
/// Foreign code runs in tokens, and in payers that are contracts, where vouchers are looked at by static calls.
contract ChannelGate is IChannelGate, Multicall, ReentrancyGuardTransient {
    using PageOpening for PageOpening.Opening;
    using SafeERC20 for IERC20;

    uint256 private constant WHOLE_BPS = 10_000;

    IPageSettlement public immutable override PAGES;
    IBatchSettlement public immutable override BATCH;
    IInferenceSettlement private immutable SETTLEMENT;

    /// @inheritdoc IChannelGate
    mapping(bytes32 channelId => uint256 amount) public override provenOf;
    /// @inheritdoc IChannelGate
    mapping(address token => mapping(address account => uint256 amount)) public override creditOf;
    /// @dev As the ledger's pages.
    mapping(uint256 page => uint256 bitmap) private _counted;
    /// @dev Sum of the credits.
    mapping(address token => uint256 amount) private _credited;

    /// @param pages where results settle in pages; where they settle alone, it knows
    /// @param batch x402's contract of channels
    constructor(IPageSettlement pages, IBatchSettlement batch) {
        (PAGES, SETTLEMENT, BATCH) = (pages, pages.SETTLEMENT(), batch);
    }

    /// @inheritdoc IChannelGate
    function countPage(
        IPageSettlementTypes.PageHeader calldata header,
        Section[] calldata sections,
        bytes32[] calldata siblings
    ) external override {
        _requireGood(PaidKinds.inPage(header.kind), RequestIds.nodeOfPage(header.ledgerPage));
        (IPageSettlementTypes.PageState state, ) = PAGES.stateOfPage(PAGES.pageIdOf(header));
        if (state != IPageSettlementTypes.PageState.Final) revert ChannelGate_PageNotFinal(state);

        PageOpening.Opening memory opening = PageOpening.begin(address(SETTLEMENT), header);
        uint256 counted = _counted[header.ledgerPage];
        uint256 before = counted;
        for (uint256 i = 0; i < sections.length; ++i) {
            counted |= _countSection(opening, header.ledgerPage, sections[i], before);
        }
        if (counted == before) revert ChannelGate_NothingNew(header.ledgerPage);
        uint256 foreign = opening.opened & ~header.bitmap;
        if (foreign != 0) revert ChannelGate_NotTaken(foreign);
        bytes32 root = opening.climb(siblings);
        if (root != header.root) revert ChannelGate_NotIncluded(header.root, root);
        _counted[header.ledgerPage] = counted;
    }

    /// @inheritdoc IChannelGate
    function countResult(
        bytes32 channelId,
        IInferenceSettlement.InferenceResult calldata result,
        IInferenceSettlement.Verification kind
    ) external override {
        bytes32 requestId = result.requestId;
        _requireGood(PaidKinds.alone(kind), RequestIds.nodeOf(requestId));
        address account = accountOf(channelId);
        if (result.requester != account) revert ChannelGate_WrongRequester(account, result.requester);
        bytes32 digest = InferenceResults.toDigest(address(SETTLEMENT), InferenceResults.hashStruct(result));
        if (SETTLEMENT.digestOf(requestId) != keccak256(abi.encode(kind, digest))) {
            revert ChannelGate_NotSettled(requestId);
        }
        uint256 page = RequestIds.pageOf(requestId);
        uint256 bit = RequestIds.bitOf(requestId);
        if (_counted[page] & bit != 0) revert ChannelGate_NothingNew(page);
        _counted[page] |= bit;
        _raise(channelId, page, bit, result.price);
    }

    /// @inheritdoc IChannelGate
    function claim(SignedVoucher[] calldata vouchers) external override nonReentrant {
        IBatchSettlement.VoucherClaim[] memory claims = new IBatchSettlement.VoucherClaim[](vouchers.length);
        bool isAnythingRaised;
        for (uint256 i = 0; i < vouchers.length; ++i) {
            SignedVoucher calldata voucher = vouchers[i];
            bytes32 channelId = BATCH.getChannelId(voucher.channel);
            _requireReceiver(channelId, voucher.channel);
            (uint128 total, uint128 claimed) = BATCH.channels(channelId);
            uint256 proven = provenOf[channelId];
            if (voucher.maxClaimableAmount < total) total = voucher.maxClaimableAmount;
            // Below another number of 128 bits.
            if (proven < total) total = uint128(proven);
            if (total > claimed) isAnythingRaised = true;
            claims[i] = IBatchSettlement.VoucherClaim({
                voucher: IBatchSettlement.Voucher(voucher.channel, voucher.maxClaimableAmount),
                signature: voucher.signature,
                totalClaimed: total
            });
        }
        if (!isAnythingRaised) revert ChannelGate_NothingToClaim();
        BATCH.claim(claims);
    }

    /// @inheritdoc IChannelGate
    function collect(address token) external override nonReentrant {
        BATCH.settle(address(this), token);
        // Somebody else may have fetched it before.
        uint256 amount = IERC20(token).balanceOf(address(this)) - _credited[token];
        Terms memory content = terms();
        uint256 fee = (amount * content.feeBps) / WHOLE_BPS;
        emit Collected(token, amount, fee);
        _pay(token, content.payee, amount - fee);
        _pay(token, content.feeReceiver, fee);
    }

    /// @inheritdoc IChannelGate
    function refund(
        IBatchSettlement.ChannelConfig calldata channel,
        uint128 amount
    ) external override nonReentrant {
        Terms memory content = terms();
        if (msg.sender != content.node && msg.sender != content.payee) {
            revert ChannelGate_NotParty(msg.sender);
        }
        BATCH.refund(channel, amount);
    }

    /// @inheritdoc IChannelGate
    function withdrawCredit(address token, address receiver) external override nonReentrant {
        uint256 amount = creditOf[token][msg.sender];
        if (amount == 0 || receiver == address(0) || receiver == address(this)) {
            revert ChannelGate_CreditInvalid(receiver, amount);
        }
        creditOf[token][msg.sender] = 0;
        _credited[token] -= amount;
        emit CreditWithdrawn(token, msg.sender, receiver, amount);
        IERC20(token).safeTransfer(receiver, amount);
    }

    /// @inheritdoc IChannelGate
    function isCounted(bytes32 requestId) external view override returns (bool) {
        return _counted[RequestIds.pageOf(requestId)] & RequestIds.bitOf(requestId) != 0;
    }

    /// @inheritdoc IChannelGate
    function terms() public view override returns (Terms memory) {
        return abi.decode(Clones.fetchCloneArgs(address(this)), (Terms));
    }

    /// @inheritdoc IChannelGate
    function accountOf(bytes32 channelId) public pure override returns (address) {
        return address(uint160(uint256(channelId)));
    }

    /// @param counted requests of the page that were counted before this call
    /// @return fresh those that were not, of the section
    function _countSection(
        PageOpening.Opening memory opening,
        uint256 page,
        Section calldata section,
        uint256 counted
    ) private returns (uint256 fresh) {
        bytes32 channelId = section.channelId;
        uint256 sum;
        (fresh, sum) = opening.add(
            page,
            accountOf(channelId),
            section.modelVersion,
            section.records,
            counted
        );
        if (fresh != 0) _raise(channelId, page, fresh, sum);
    }

    function _raise(bytes32 channelId, uint256 page, uint256 bitmap, uint256 sum) private {
        uint256 proven = provenOf[channelId] + sum;
        provenOf[channelId] = proven;
        emit ResultsCounted(channelId, page, bitmap, proven);
    }

    /// @dev Whoever calls with little gas cannot make a good transfer fail: it gets 63 of 64 parts of what there is, and the
    /// 64th would have to pay for the credit's slots.
    function _pay(address token, address account, uint256 amount) private {
        if (amount == 0 || IERC20(token).trySafeTransfer(account, amount)) return;
        creditOf[token][account] += amount;
        _credited[token] += amount;
        emit Credited(token, account, amount);
    }

    /// @param kind the bit of the results' kind
    function _requireGood(uint8 kind, address node) private view {
        Terms memory content = terms();
        if (content.kinds & kind == 0) revert ChannelGate_KindNotAccepted(content.kinds, kind);
        if (node != content.node) revert ChannelGate_WrongNode(content.node, node);
    }

    /// @dev With another receiver, what is claimed would go past payee and fee; with another authorizer, that one could claim
    /// without any result.
    function _requireReceiver(
        bytes32 channelId,
        IBatchSettlement.ChannelConfig calldata channel
    ) private view {
        if (channel.receiver != address(this) || channel.receiverAuthorizer != address(this)) {
            revert ChannelGate_NotReceiver(channelId);
        }
    }
}
