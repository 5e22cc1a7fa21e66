// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IInferenceEscrow} from "../../../contracts/interfaces/IInferenceEscrow.sol";
import {IInferenceSettlement} from "../../../contracts/interfaces/IInferenceSettlement.sol";
import {IPageSettlementTypes} from "../../../contracts/interfaces/IPageSettlementTypes.sol";
import {IPayouts} from "../../../contracts/interfaces/IPayouts.sol";
import {vm} from "../utils/Vm.sol";
import {JobsHandler} from "./JobsHandler.sol";

/// @title EscrowHandler
/// @notice See {JobsHandler}: of the escrow's jobs.
contract EscrowHandler is JobsHandler {
    mapping(uint256 job => IInferenceEscrow.Job content) private _content;

    constructor() {
        _fund(address(proxy));
    }

    function debtor() public view override returns (IPayouts) {
        return escrow;
    }

    function isCaptured(bytes32 requestId) external view override returns (bool) {
        return escrow.isCaptured(requestId, PAYEE, address(token));
    }

    function isOpen(uint256 job) public view override returns (bool) {
        return statusOf(job) == IInferenceEscrow.JobStatus.Open;
    }

    function statusOf(uint256 job) public view returns (IInferenceEscrow.JobStatus) {
        return escrow.statusOf(escrow.jobIdOf(_content[job].payer, _content[job].nonce));
    }

    function _open(
        uint256 job,
        address payer,
        uint120 amount,
        bytes32 requestHash,
        uint256 window
    ) internal override returns (bool) {
        IInferenceEscrow.Terms memory terms = IInferenceEscrow.Terms({
            node: NODE,
            payee: PAYEE,
            requestHash: requestHash,
            token: address(token),
            feeBps: FEE_BPS,
            kinds: KINDS,
            captureWindow: uint32(window)
        });
        IInferenceEscrow.Payment memory payment = IInferenceEscrow.Payment({
            payer: payer,
            amount: amount,
            nonce: job,
            validAfter: 0,
            validUntil: type(uint64).max,
            signature: ""
        });
        try escrow.open(terms, payment) {
            uint64 deadline = uint64(clock + window);
            _content[job] = IInferenceEscrow.Job(terms, payer, job, amount, deadline, FEE_RECEIVER);
            return true;
        } catch {
            return false;
        }
    }

    function _capture(
        uint256 job,
        IInferenceSettlement.InferenceResult memory result,
        IInferenceSettlement.Verification kind
    ) internal override returns (bool) {
        try escrow.capture(_content[job], result, kind) {
            return true;
        } catch {
            return false;
        }
    }

    function _captureFromPage(
        uint256 job,
        IPageSettlementTypes.PageHeader memory header,
        IPageSettlementTypes.Leaf memory leaf
    ) internal override returns (bool) {
        try escrow.captureFromPage(_content[job], header, leaf) {
            return true;
        } catch {
            return false;
        }
    }

    function _refund(uint256 job) internal override returns (bool) {
        try escrow.refund(_content[job]) {
            return true;
        } catch {
            return false;
        }
    }

    function _cancel(uint256 job, address sender) internal override returns (bool) {
        vm.prank(sender);
        try escrow.cancel(_content[job]) {
            return true;
        } catch {
            return false;
        }
    }
}
