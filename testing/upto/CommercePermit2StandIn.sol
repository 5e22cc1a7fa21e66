// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ICommerceEscrow} from "../../contracts/interfaces/ICommerceEscrow.sol";
import {CommerceCollectorBase} from "./CommerceCollectorBase.sol";
import {Permit2StandIn} from "./Permit2StandIn.sol";

/// @title CommercePermit2StandIn
/// @notice See {CommerceCollectorBase}: by a permit of Permit2, without a witness.
contract CommercePermit2StandIn is CommerceCollectorBase {
    Permit2StandIn private constant PERMIT2 = Permit2StandIn(0x000000000022D473030F116dDEE9F6B43aC78BA3);

    function _collect(
        ICommerceEscrow.PaymentInfo calldata paymentInfo,
        address tokenStore,
        uint256 amount,
        bytes calldata signature
    ) internal override {
        PERMIT2.permitTransferFrom(
            Permit2StandIn.PermitTransferFrom(
                Permit2StandIn.TokenPermissions(paymentInfo.token, paymentInfo.maxAmount),
                uint256(_nonceOf(paymentInfo)),
                paymentInfo.preApprovalExpiry
            ),
            Permit2StandIn.SignatureTransferDetails(tokenStore, amount),
            paymentInfo.payer,
            signature
        );
    }
}
