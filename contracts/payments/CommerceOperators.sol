// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {ICommerceEscrow} from "../interfaces/ICommerceEscrow.sol";
import {ICommerceOperator} from "../interfaces/ICommerceOperator.sol";
import {ICommerceOperators} from "../interfaces/ICommerceOperators.sol";
import {IInferenceEscrow} from "../interfaces/IInferenceEscrow.sol";
import {IPageSettlement} from "../interfaces/IPageSettlement.sol";
import {CommerceOperator} from "./CommerceOperator.sol";
import {PaidKinds} from "./PaidKinds.sol";

/// @title CommerceOperators
/// @notice See {ICommerceOperators}. Open to everybody; nothing can be set. {CommerceOperator} is the code of the operators.
contract CommerceOperators is ICommerceOperators {
    IInferenceEscrow public immutable override ESCROW;
    IPageSettlement private immutable PAGES;
    address private immutable OPERATOR;

    /// @param escrow whose fee and pages the operators have
    /// @param commerce the public escrow
    /// @param erc3009Collector what brings tokens to it by EIP-3009
    /// @param permit2Collector what brings tokens to it by Permit2
    constructor(
        IInferenceEscrow escrow,
        ICommerceEscrow commerce,
        address erc3009Collector,
        address permit2Collector
    ) {
        (ESCROW, PAGES) = (escrow, escrow.PAGES());
        OPERATOR = address(
            new CommerceOperator(escrow.PAGES(), commerce, erc3009Collector, permit2Collector)
        );
    }

    /// @inheritdoc ICommerceOperators
    function create(ICommerceOperator.Terms calldata terms) external override returns (address operator) {
        if (terms.node == address(0) || terms.payee == address(0) || terms.token == address(0)) {
            revert CommerceOperators_AccountZero();
        }
        if (!PaidKinds.areGood(terms.kinds)) revert CommerceOperators_KindsInvalid(terms.kinds);
        (uint16 feeBps, address receiver) = ESCROW.fee();
        if (terms.feeBps != feeBps || terms.feeReceiver != receiver) {
            revert CommerceOperators_FeeInvalid(feeBps, receiver);
        }
        operator = Clones.cloneDeterministicWithImmutableArgs(OPERATOR, abi.encode(terms), bytes32(0));
        emit OperatorCreated(operator, terms.node, terms.payee, terms);
    }

    /// @inheritdoc ICommerceOperators
    function operatorOf(ICommerceOperator.Terms calldata terms) external view override returns (address) {
        return Clones.predictDeterministicAddressWithImmutableArgs(OPERATOR, abi.encode(terms), bytes32(0));
    }

    /// @inheritdoc ICommerceOperators
    function leastWindow(uint8 kinds) external view override returns (uint256) {
        return PaidKinds.leastWindow(kinds, PAGES);
    }
}
