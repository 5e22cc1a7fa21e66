// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

/// @title ICommerceEscrow
/// @notice What is called of the public escrow of x402's scheme `auth-capture`: an operator that the payer named collects a
/// payment, and captures of it or gives it back. Written from the protocol's public ABI, versions 1.0 and 1.1.
interface ICommerceEscrow {
    /// @notice A payment. Its hash, over chain and escrow too, names it, and is in what the payer signs.
    /// @param operator who alone collects, captures and voids
    /// @param payer whose tokens they are; zero in the hash that is signed
    /// @param receiver who gets what is captured
    /// @param token the token
    /// @param maxAmount smallest units that may be collected
    /// @param preApprovalExpiry first second in which it is not collected any more, in unix seconds
    /// @param authorizationExpiry first second in which it is not captured, and the payer may reclaim it, in unix seconds
    /// @param refundExpiry first second in which captured tokens are not given back, in unix seconds
    /// @param minFeeBps least fee of a capture, hundredths of a percent
    /// @param maxFeeBps highest fee of a capture, hundredths of a percent
    /// @param feeReceiver who gets it; zero for whomever the operator names
    /// @param salt tells payments apart; in the scheme it can commit to two addresses
    struct PaymentInfo {
        address operator;
        address payer;
        address receiver;
        address token;
        uint120 maxAmount;
        uint48 preApprovalExpiry;
        uint48 authorizationExpiry;
        uint48 refundExpiry;
        uint16 minFeeBps;
        uint16 maxFeeBps;
        address feeReceiver;
        uint256 salt;
    }

    /// @notice Somebody called who may not.
    /// @param sender who called
    /// @param expected who may
    error InvalidSender(address sender, address expected);

    /// @notice Takes a payment in. The operator alone.
    /// @param paymentInfo the payment
    /// @param amount smallest units
    /// @param tokenCollector what brings the tokens
    /// @param collectorData for it: the payer's signature
    function authorize(
        PaymentInfo calldata paymentInfo,
        uint256 amount,
        address tokenCollector,
        bytes calldata collectorData
    ) external;

    /// @notice Gives the payer what was not captured. The operator alone, at any time.
    /// @param paymentInfo the payment
    function void(PaymentInfo calldata paymentInfo) external;

    /// @notice How a payment stands.
    /// @param paymentInfoHash its hash
    /// @return hasCollectedPayment whether it was taken in
    /// @return capturableAmount smallest units that are held
    /// @return refundableAmount smallest units that were captured and not given back
    function paymentState(
        bytes32 paymentInfoHash
    ) external view returns (bool hasCollectedPayment, uint120 capturableAmount, uint120 refundableAmount);

    /// @notice The hash of a payment.
    /// @param paymentInfo the payment
    /// @return hash over chain, escrow and payment
    function getHash(PaymentInfo calldata paymentInfo) external view returns (bytes32 hash);
}
