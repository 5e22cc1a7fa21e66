// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IBatchSettlement} from "../../contracts/interfaces/IBatchSettlement.sol";

/// @title ApprovedCollector
/// @notice Brings a deposit that the payer has approved. Anyone may have it brought.
contract ApprovedCollector {
    function collect(address payer, address token, uint256 amount, bytes32, bytes calldata) external {
        require(IERC20(token).transferFrom(payer, msg.sender, amount), "transfer");
    }
}

/// @title BatchSettlementStandIn
/// @notice What of x402's contract of the scheme `batch-settlement` a gate and its payers meet, written from the protocol's ABI,
/// its typed data and its documentation: vouchers, claims by the receiver's side or by a signature of the authorizer's,
/// refunds, and withdrawals after a delay. The genuine one is not the project's to keep.
///
/// @dev Without immutables, so that its code can be put at the published address.
contract BatchSettlementStandIn is IBatchSettlement {
    struct Balance {
        uint128 held;
        uint128 claimed;
    }

    struct Withdrawal {
        uint128 amount;
        uint40 initiatedAt;
    }

    struct Due {
        uint128 claimed;
        uint128 settled;
    }

    event ChannelCreated(bytes32 indexed channelId, ChannelConfig config);

    error InvalidChannel();
    error InvalidSignature();
    error NotAuthorizedToClaim();
    error NotAuthorizedToRefund();
    error ClaimExceedsCeiling();
    error ClaimExceedsBalance();
    error WithdrawDelayOutOfRange();
    error WithdrawDelayNotElapsed();
    error DepositCollectionFailed();
    error ZeroRefund();

    bytes32 private constant CHANNEL_TYPE = keccak256(
        "ChannelConfig(address payer,address payerAuthorizer,address receiver,address receiverAuthorizer,address token,uint40 withdrawDelay,bytes32 salt)"
    );
    bytes32 private constant VOUCHER_TYPE = keccak256(
        "Voucher(bytes32 channelId,uint128 maxClaimableAmount)"
    );
    bytes32 private constant ENTRY_TYPE = keccak256(
        "ClaimEntry(bytes32 channelId,uint128 maxClaimableAmount,uint128 totalClaimed)"
    );
    bytes32 private constant CLAIMS_TYPE = keccak256(
        "ClaimBatch(ClaimEntry[] claims)ClaimEntry(bytes32 channelId,uint128 maxClaimableAmount,uint128 totalClaimed)"
    );

    mapping(bytes32 channelId => Balance) private _balances;
    mapping(bytes32 channelId => Withdrawal) public pendingWithdrawals;
    mapping(address receiver => mapping(address token => Due)) public receivers;

    function deposit(
        ChannelConfig calldata config,
        uint128 amount,
        address collector,
        bytes calldata data
    ) external {
        if (config.receiver == address(0) || config.receiverAuthorizer == address(0)) revert InvalidChannel();
        if (config.withdrawDelay < 15 minutes || config.withdrawDelay > 30 days) {
            revert WithdrawDelayOutOfRange();
        }
        bytes32 id = getChannelId(config);
        if (_balances[id].held == 0 && _balances[id].claimed == 0) emit ChannelCreated(id, config);
        _balances[id].held += amount;
        uint256 before = IERC20(config.token).balanceOf(address(this));
        ApprovedCollector(collector).collect(config.payer, config.token, amount, id, data);
        if (IERC20(config.token).balanceOf(address(this)) != before + amount) {
            revert DepositCollectionFailed();
        }
    }

    function claim(VoucherClaim[] calldata voucherClaims) external override {
        for (uint256 i = 0; i < voucherClaims.length; ++i) {
            if (!_isReceiving(msg.sender, voucherClaims[i].voucher.channel)) revert NotAuthorizedToClaim();
            _claim(voucherClaims[i]);
        }
    }

    function claimWithSignature(
        VoucherClaim[] calldata voucherClaims,
        bytes calldata authorizerSignature
    ) external {
        address authorizer = voucherClaims[0].voucher.channel.receiverAuthorizer;
        bytes32 digest = getClaimBatchDigest(voucherClaims);
        if (!SignatureChecker.isValidSignatureNow(authorizer, digest, authorizerSignature)) {
            revert InvalidSignature();
        }
        for (uint256 i = 0; i < voucherClaims.length; ++i) {
            if (voucherClaims[i].voucher.channel.receiverAuthorizer != authorizer) revert InvalidChannel();
            _claim(voucherClaims[i]);
        }
    }

    function settle(address receiver, address token) external override {
        Due storage due = receivers[receiver][token];
        uint256 amount = due.claimed - due.settled;
        if (amount == 0) return;
        due.settled = due.claimed;
        require(IERC20(token).transfer(receiver, amount), "transfer");
    }

    function refund(ChannelConfig calldata config, uint128 amount) external override {
        if (!_isReceiving(msg.sender, config)) revert NotAuthorizedToRefund();
        if (amount == 0) revert ZeroRefund();
        bytes32 id = getChannelId(config);
        uint128 returned = _take(id, amount);
        Withdrawal storage pending = pendingWithdrawals[id];
        if (returned < pending.amount) pending.amount -= returned;
        else delete pendingWithdrawals[id];
        _return(config, returned);
    }

    function initiateWithdraw(ChannelConfig calldata config, uint128 amount) external {
        if (msg.sender != config.payer && msg.sender != config.payerAuthorizer) revert InvalidChannel();
        pendingWithdrawals[getChannelId(config)] = Withdrawal(amount, uint40(block.timestamp));
    }

    function finalizeWithdraw(ChannelConfig calldata config) external {
        if (msg.sender != config.payer && msg.sender != config.payerAuthorizer) revert InvalidChannel();
        bytes32 id = getChannelId(config);
        Withdrawal memory pending = pendingWithdrawals[id];
        if (
            pending.initiatedAt == 0 || block.timestamp < uint256(pending.initiatedAt) + config.withdrawDelay
        ) {
            revert WithdrawDelayNotElapsed();
        }
        delete pendingWithdrawals[id];
        _return(config, _take(id, pending.amount));
    }

    function channels(
        bytes32 channelId
    ) external view override returns (uint128 balance, uint128 totalClaimed) {
        return (_balances[channelId].held, _balances[channelId].claimed);
    }

    function getChannelId(ChannelConfig calldata config) public view override returns (bytes32) {
        return _digest(keccak256(abi.encode(CHANNEL_TYPE, config)));
    }

    function getClaimBatchDigest(VoucherClaim[] calldata claims) public view returns (bytes32) {
        bytes32[] memory entries = new bytes32[](claims.length);
        for (uint256 i = 0; i < claims.length; ++i) {
            Voucher calldata voucher = claims[i].voucher;
            entries[i] = keccak256(
                abi.encode(
                    ENTRY_TYPE,
                    getChannelId(voucher.channel),
                    voucher.maxClaimableAmount,
                    claims[i].totalClaimed
                )
            );
        }
        return _digest(keccak256(abi.encode(CLAIMS_TYPE, keccak256(abi.encodePacked(entries)))));
    }

    function _claim(VoucherClaim calldata entry) private {
        ChannelConfig calldata config = entry.voucher.channel;
        bytes32 id = getChannelId(config);
        Balance storage balance = _balances[id];
        uint128 total = entry.totalClaimed;
        if (total <= balance.claimed) return;
        if (total > entry.voucher.maxClaimableAmount) revert ClaimExceedsCeiling();
        if (total > balance.held) revert ClaimExceedsBalance();
        bytes32 digest = _digest(
            keccak256(abi.encode(VOUCHER_TYPE, id, entry.voucher.maxClaimableAmount))
        );
        bool isSigned =
            config.payerAuthorizer == address(0)
                ? SignatureChecker.isValidSignatureNow(config.payer, digest, entry.signature)
                : ECDSA.recover(digest, entry.signature) == config.payerAuthorizer;
        if (!isSigned) revert InvalidSignature();
        receivers[config.receiver][config.token].claimed += total - balance.claimed;
        balance.claimed = total;
    }

    function _domain() internal view virtual returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    keccak256(
                        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                    ),
                    keccak256("x402 Batch Settlement"),
                    keccak256("1"),
                    block.chainid,
                    address(this)
                )
            );
    }

    function _digest(bytes32 structHash) private view returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(_domain(), structHash);
    }

    /// @dev As much as there is at most.
    function _take(bytes32 id, uint128 amount) private returns (uint128 taken) {
        Balance storage balance = _balances[id];
        uint128 available = balance.held - balance.claimed;
        taken = amount < available ? amount : available;
        balance.held -= taken;
    }

    function _return(ChannelConfig calldata config, uint128 amount) private {
        if (amount != 0) require(IERC20(config.token).transfer(config.payer, amount), "transfer");
    }

    function _isReceiving(address account, ChannelConfig calldata config) private pure returns (bool) {
        return account == config.receiver || account == config.receiverAuthorizer;
    }
}
