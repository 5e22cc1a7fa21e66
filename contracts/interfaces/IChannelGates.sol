// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

import {IChannelGate} from "./IChannelGate.sol";
import {IInferenceEscrow} from "./IInferenceEscrow.sol";

/// @title IChannelGates
/// @notice Makes gates of payment channels ({IChannelGate}), one for each terms, at an address that the terms make. Their fee is
/// the escrow's of when they are made.
interface IChannelGates {
    /// @notice A gate was made.
    /// @param gate its address
    /// @param node whose results count
    /// @param payee who is paid
    /// @param terms of the gate
    event GateOpened(
        address indexed gate,
        address indexed node,
        address indexed payee,
        IChannelGate.Terms terms
    );

    /// @notice A contract that is needed has no code.
    /// @param account its address
    error ChannelGates_NotAContract(address account);
    /// @notice The terms have no node or no payee.
    error ChannelGates_AccountZero();
    /// @notice The terms let nothing count, or something that is never settled.
    /// @param kinds the bits given
    error ChannelGates_KindsInvalid(uint8 kinds);
    /// @notice Fee or receiver are not the escrow's of today.
    /// @param feeBps hundredths of a percent
    /// @param receiver who gets it
    error ChannelGates_FeeInvalid(uint16 feeBps, address receiver);

    /// @notice Makes a gate. Anyone, once.
    /// @param terms of the gate
    /// @return gate its address
    function open(IChannelGate.Terms calldata terms) external returns (address gate);

    /// @notice Where a gate is, or will be.
    /// @param terms of the gate
    /// @return gate its address
    function gateOf(IChannelGate.Terms calldata terms) external view returns (address gate);

    /// @notice The least delay of withdrawals that leaves a node time to settle in pages and to claim: an hour, the long road of
    /// pages that are proposed now, and a day.
    /// @return delay seconds
    function leastWithdrawDelay() external view returns (uint256 delay);

    /// @notice Whose fee and pages the gates have.
    /// @return escrow its address
    function ESCROW() external view returns (IInferenceEscrow escrow);
}
