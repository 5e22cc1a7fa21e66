// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ICommerceEscrow} from "../../contracts/interfaces/ICommerceEscrow.sol";
import {ICommerceCollector} from "./CommerceEscrowBase.sol";

/// @title CommerceCollectorBase
/// @notice What collectors of the public escrow of commerce payments have in common: they bring tokens to it alone, by what the
/// payer signed with the payment's hash, without the payer, as its nonce. Written from the protocol's documentation.
///
/// @dev Of both versions of the escrow, at their published addresses, so that nothing is to be set.
abstract contract CommerceCollectorBase is ICommerceCollector {
    address private constant V1_0 = 0xBdEA0D1bcC5966192B070Fdf62aB4EF5b4420cff;
    address private constant V1_1 = 0xf96815976523E00e65Be8f34cA5e64b4f41EB19c;

    error OnlyAuthCaptureEscrow();

    function collectTokens(
        ICommerceEscrow.PaymentInfo calldata paymentInfo,
        address tokenStore,
        uint256 amount,
        bytes calldata collectorData
    ) external override {
        if (msg.sender != V1_0 && msg.sender != V1_1) revert OnlyAuthCaptureEscrow();
        _collect(paymentInfo, tokenStore, amount, collectorData);
    }

    function _collect(
        ICommerceEscrow.PaymentInfo calldata paymentInfo,
        address tokenStore,
        uint256 amount,
        bytes calldata signature
    ) internal virtual;

    function _nonceOf(ICommerceEscrow.PaymentInfo memory paymentInfo) internal view returns (bytes32) {
        paymentInfo.payer = address(0);
        return ICommerceEscrow(msg.sender).getHash(paymentInfo);
    }
}
