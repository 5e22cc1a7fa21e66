// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CommerceEscrowBase} from "./CommerceEscrowBase.sol";

/// @title CommerceEscrowStandIn
/// @notice See {CommerceEscrowBase}: as version 1.1, whose captures take the fee in smallest units.
contract CommerceEscrowStandIn is CommerceEscrowBase {
    error FeeAmountOutOfRange(uint256 feeAmount, uint256 minFee, uint256 maxFee);

    function capture(
        PaymentInfo calldata paymentInfo,
        uint256 amount,
        uint256 feeAmount,
        address feeReceiver
    ) external guarded(paymentInfo.operator) {
        uint256 least = (amount * paymentInfo.minFeeBps) / 10_000;
        uint256 most = (amount * paymentInfo.maxFeeBps) / 10_000;
        if (feeAmount < least || feeAmount > most) revert FeeAmountOutOfRange(feeAmount, least, most);
        _capture(paymentInfo, amount, feeAmount, feeReceiver);
    }
}
