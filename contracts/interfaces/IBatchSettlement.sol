// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

/// @title IBatchSettlement
/// @notice What is called of x402's contract of the scheme `batch-settlement`: channels that payers put tokens into and sign
/// vouchers of, and that one side claims from. Written from the protocol's public ABI.
interface IBatchSettlement {
    /// @notice A channel. Its EIP-712 hash under that contract's domain is its id.
    /// @param payer whose tokens are in it
    /// @param payerAuthorizer who signs vouchers; zero for the payer, also a contract (ERC-1271)
    /// @param receiver who gets what was claimed
    /// @param receiverAuthorizer who may claim and give back, besides the receiver
    /// @param token the token
    /// @param withdrawDelay seconds from when the payer asks for the rest to when they get it; 15 minutes to 30 days
    /// @param salt tells channels apart that are equal otherwise
    struct ChannelConfig {
        address payer;
        address payerAuthorizer;
        address receiver;
        address receiverAuthorizer;
        address token;
        uint40 withdrawDelay;
        bytes32 salt;
    }

    /// @notice What a payer signs.
    /// @param channel the channel, of which the id is signed
    /// @param maxClaimableAmount smallest units that may be claimed of it, all claims together
    struct Voucher {
        ChannelConfig channel;
        uint128 maxClaimableAmount;
    }

    /// @notice A claim.
    /// @param voucher as signed
    /// @param signature the payer's side's
    /// @param totalClaimed smallest units that are claimed, all claims together: one that raises nothing has no effect
    struct VoucherClaim {
        Voucher voucher;
        bytes signature;
        uint128 totalClaimed;
    }

    /// @notice Claims for the receiver. Only receivers and their authorizers.
    /// @param voucherClaims one at least
    function claim(VoucherClaim[] calldata voucherClaims) external;

    /// @notice Sends a receiver what was claimed for them. Anyone; no effect where there is nothing.
    /// @param receiver the receiver
    /// @param token the token
    function settle(address receiver, address token) external;

    /// @notice Gives back to the payer what was not claimed. Only the receiver and its authorizer.
    /// @param config the channel
    /// @param amount smallest units; where that is more than there is, what there is
    function refund(ChannelConfig calldata config, uint128 amount) external;

    /// @notice The id of a channel.
    /// @param config the channel
    /// @return channelId its id
    function getChannelId(ChannelConfig calldata config) external view returns (bytes32 channelId);

    /// @notice What is in a channel.
    /// @param channelId its id
    /// @return balance smallest units that came in, but for those that went back
    /// @return totalClaimed smallest units of them that were claimed
    function channels(bytes32 channelId) external view returns (uint128 balance, uint128 totalClaimed);
}
