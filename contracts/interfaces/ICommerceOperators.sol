// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

import {ICommerceOperator} from "./ICommerceOperator.sol";
import {IInferenceEscrow} from "./IInferenceEscrow.sol";

/// @title ICommerceOperators
/// @notice Makes operators of payments by x402's scheme `auth-capture` ({ICommerceOperator}), one for each terms, at an address
/// that the terms make. Their fee is the escrow's of when they are made.
interface ICommerceOperators {
    /// @notice An operator was made.
    /// @param operator its address
    /// @param node whose results capture
    /// @param payee who is paid
    /// @param terms of the operator
    event OperatorCreated(
        address indexed operator,
        address indexed node,
        address indexed payee,
        ICommerceOperator.Terms terms
    );

    /// @notice The terms have no node, no payee or no token.
    error CommerceOperators_AccountZero();
    /// @notice The terms let nothing count, or something that is never settled.
    /// @param kinds the bits given
    error CommerceOperators_KindsInvalid(uint8 kinds);
    /// @notice Fee or receiver are not the escrow's of today.
    /// @param feeBps hundredths of a percent
    /// @param receiver who gets it
    error CommerceOperators_FeeInvalid(uint16 feeBps, address receiver);

    /// @notice Makes an operator. Anyone, once.
    /// @param terms of the operator
    /// @return operator its address
    function create(ICommerceOperator.Terms calldata terms) external returns (address operator);

    /// @notice Where an operator is, or will be.
    /// @param terms of the operator
    /// @return operator its address
    function operatorOf(ICommerceOperator.Terms calldata terms) external view returns (address operator);

    /// @notice The shortest time from opening to deadline that a job may have.
    /// @param kinds what counts for it
    /// @return window seconds; where pages count, an hour, their long road, what a late request adds to it, and a day
    function leastWindow(uint8 kinds) external view returns (uint256 window);

    /// @notice Whose fee and pages the operators have.
    /// @return escrow its address
    function ESCROW() external view returns (IInferenceEscrow escrow);
}
