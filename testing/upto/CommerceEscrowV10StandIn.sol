// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CommerceEscrowBase} from "./CommerceEscrowBase.sol";

/// @title CommerceEscrowV10StandIn
/// @notice See {CommerceEscrowBase}: as version 1.0, whose captures take the fee in hundredths of a percent.
contract CommerceEscrowV10StandIn is CommerceEscrowBase {
    error FeeBpsOutOfRange(uint16 feeBps, uint16 minFeeBps, uint16 maxFeeBps);

    function capture(
        PaymentInfo calldata paymentInfo,
        uint256 amount,
        uint16 feeBps,
        address feeReceiver
    ) external guarded(paymentInfo.operator) {
        if (feeBps < paymentInfo.minFeeBps || feeBps > paymentInfo.maxFeeBps) {
            revert FeeBpsOutOfRange(feeBps, paymentInfo.minFeeBps, paymentInfo.maxFeeBps);
        }
        _capture(paymentInfo, amount, (amount * feeBps) / 10_000, feeReceiver);
    }
}
