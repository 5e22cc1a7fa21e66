// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ICommerceEscrow} from "../../../contracts/interfaces/ICommerceEscrow.sol";
import {ICommerceOperator} from "../../../contracts/interfaces/ICommerceOperator.sol";
import {IInferenceSettlement} from "../../../contracts/interfaces/IInferenceSettlement.sol";
import {IPageSettlementTypes} from "../../../contracts/interfaces/IPageSettlementTypes.sol";
import {IPayouts} from "../../../contracts/interfaces/IPayouts.sol";
import {CommerceOperator} from "../../../contracts/payments/CommerceOperator.sol";
import {CommerceOperators} from "../../../contracts/payments/CommerceOperators.sol";
import {ICommerceCollector} from "../../../testing/upto/CommerceEscrowBase.sol";
import {CommerceEscrowStandIn} from "../../../testing/upto/CommerceEscrowStandIn.sol";
import {HostileToken} from "../mocks/HostileToken.sol";
import {deployArtifact} from "../utils/DeployArtifact.sol";
import {vm} from "../utils/Vm.sol";
import {JobsHandler} from "./JobsHandler.sol";

/// @title ApprovedCommerceCollector
/// @notice Brings what payers have approved, whoever signed.
contract ApprovedCommerceCollector is ICommerceCollector {
    function collectTokens(
        ICommerceEscrow.PaymentInfo calldata payment,
        address tokenStore,
        uint256 amount,
        bytes calldata
    ) external override {
        require(HostileToken(payment.token).transferFrom(payment.payer, tokenStore, amount), "transfer");
    }
}

/// @title OperatorHandler
/// @notice See {JobsHandler}: of jobs whose tokens the public escrow holds, and which their payers may also reclaim there.
contract OperatorHandler is JobsHandler {
    CommerceEscrowStandIn public commerce;
    CommerceOperator public operator;
    address private _collector;
    mapping(uint256 job => ICommerceOperator.Job content) private _content;

    constructor() {
        commerce = new CommerceEscrowStandIn();
        _collector = address(new ApprovedCommerceCollector());
        _fund(_collector);
        bytes memory arguments = abi.encode(escrow, commerce, _collector, _collector);
        CommerceOperators operators = CommerceOperators(deployArtifact("CommerceOperators", arguments));
        operator = CommerceOperator(
            operators.create(
                ICommerceOperator.Terms({
                    node: NODE,
                    payee: PAYEE,
                    token: address(token),
                    feeReceiver: FEE_RECEIVER,
                    feeBps: FEE_BPS,
                    kinds: KINDS
                })
            )
        );
    }

    /// @notice The payer's own way at the public escrow.
    function reclaim(uint256 job) external {
        if (jobCount() == 0) return;
        job %= jobCount();
        bool wasOpen = isOpen(job);
        vm.prank(_content[job].payment.payer);
        try commerce.reclaim(_content[job].payment) {
            if (wasOpen) _noteReclaim(job);
        } catch {}
    }

    function debtor() public view override returns (IPayouts) {
        return operator;
    }

    function isCaptured(bytes32 requestId) external view override returns (bool) {
        return operator.isCaptured(requestId);
    }

    function isOpen(uint256 job) public view override returns (bool) {
        return statusOf(job) == ICommerceOperator.Status.Open;
    }

    function statusOf(uint256 job) public view returns (ICommerceOperator.Status) {
        return operator.statusOf(_content[job].payment);
    }

    /// @notice What the public escrow holds for a job.
    function heldOf(uint256 job) external view returns (uint256 held) {
        (, held, ) = commerce.paymentState(commerce.getHash(_content[job].payment));
    }

    function _open(
        uint256 job,
        address payer,
        uint120 amount,
        bytes32 requestHash,
        uint256 window
    ) internal override returns (bool) {
        uint48 deadline = uint48(clock + window);
        ICommerceOperator.Job storage content = _content[job];
        content.requestHash = requestHash;
        content.saltNonce = job;
        content.payment = ICommerceEscrow.PaymentInfo({
            operator: address(operator),
            payer: payer,
            receiver: address(operator),
            token: address(token),
            maxAmount: amount,
            preApprovalExpiry: deadline,
            authorizationExpiry: deadline,
            refundExpiry: deadline,
            minFeeBps: 0,
            maxFeeBps: 0,
            feeReceiver: address(0),
            salt: operator.saltOf(requestHash, job)
        });
        try operator.open(content, _collector, "") {
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
        try operator.capture(_content[job], result, kind) {
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
        try operator.captureFromPage(_content[job], header, leaf) {
            return true;
        } catch {
            return false;
        }
    }

    function _refund(uint256 job) internal override returns (bool) {
        try operator.refund(_content[job].payment) {
            return true;
        } catch {
            return false;
        }
    }

    function _cancel(uint256 job, address sender) internal override returns (bool) {
        vm.prank(sender);
        try operator.cancel(_content[job].payment) {
            return true;
        } catch {
            return false;
        }
    }
}
