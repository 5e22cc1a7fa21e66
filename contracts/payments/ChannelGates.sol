// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {IBatchSettlement} from "../interfaces/IBatchSettlement.sol";
import {IChannelGate} from "../interfaces/IChannelGate.sol";
import {IChannelGates} from "../interfaces/IChannelGates.sol";
import {IInferenceEscrow} from "../interfaces/IInferenceEscrow.sol";
import {IPageSettlement} from "../interfaces/IPageSettlement.sol";
import {ChannelGate} from "./ChannelGate.sol";
import {PaidKinds} from "./PaidKinds.sol";

/// @title ChannelGates
/// @notice See {IChannelGates}. Open to everybody; nothing can be set. {ChannelGate} is the code of the gates.
contract ChannelGates is IChannelGates {
    IInferenceEscrow public immutable override ESCROW;
    IPageSettlement private immutable PAGES;
    address private immutable GATE;

    /// @param escrow whose fee and pages the gates have
    /// @param batch x402's contract of channels
    constructor(IInferenceEscrow escrow, IBatchSettlement batch) {
        _requireContract(address(escrow));
        _requireContract(address(batch));
        (ESCROW, PAGES) = (escrow, escrow.PAGES());
        GATE = address(new ChannelGate(escrow.PAGES(), batch));
    }

    /// @inheritdoc IChannelGates
    function open(IChannelGate.Terms calldata terms) external override returns (address gate) {
        if (terms.node == address(0) || terms.payee == address(0)) revert ChannelGates_AccountZero();
        if (!PaidKinds.areGood(terms.kinds)) revert ChannelGates_KindsInvalid(terms.kinds);
        (uint16 feeBps, address receiver) = ESCROW.fee();
        if (terms.feeBps != feeBps || terms.feeReceiver != receiver) {
            revert ChannelGates_FeeInvalid(feeBps, receiver);
        }
        gate = Clones.cloneDeterministicWithImmutableArgs(GATE, abi.encode(terms), bytes32(0));
        emit GateOpened(gate, terms.node, terms.payee, terms);
    }

    /// @inheritdoc IChannelGates
    function gateOf(IChannelGate.Terms calldata terms) external view override returns (address) {
        return Clones.predictDeterministicAddressWithImmutableArgs(GATE, abi.encode(terms), bytes32(0));
    }

    /// @inheritdoc IChannelGates
    function leastWithdrawDelay() external view override returns (uint256) {
        return PaidKinds.leastWindowOfPages(PAGES);
    }

    function _requireContract(address account) private view {
        if (account.code.length == 0) revert ChannelGates_NotAContract(account);
    }
}
