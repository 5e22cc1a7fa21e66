// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ICommerceEscrow} from "../../contracts/interfaces/ICommerceEscrow.sol";
import {CommerceCollectorBase} from "./CommerceCollectorBase.sol";
import {IAuthorizedToken} from "./Erc3009CollectorStandIn.sol";

/// @title CommerceErc3009StandIn
/// @notice See {CommerceCollectorBase}: by EIP-3009, all that was authorised, of which the payer gets back what is not wanted.
contract CommerceErc3009StandIn is CommerceCollectorBase {
    function _collect(
        ICommerceEscrow.PaymentInfo calldata paymentInfo,
        address tokenStore,
        uint256 amount,
        bytes calldata signature
    ) internal override {
        IAuthorizedToken token = IAuthorizedToken(paymentInfo.token);
        token.receiveWithAuthorization(
            paymentInfo.payer,
            address(this),
            paymentInfo.maxAmount,
            0,
            paymentInfo.preApprovalExpiry,
            _nonceOf(paymentInfo),
            signature
        );
        uint256 excess = paymentInfo.maxAmount - amount;
        if (excess != 0) require(token.transfer(paymentInfo.payer, excess), "transfer");
        require(token.transfer(tokenStore, amount), "transfer");
    }
}
