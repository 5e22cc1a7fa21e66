// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IInferenceEscrow} from "../../../contracts/interfaces/IInferenceEscrow.sol";
import {IInferenceSettlement} from "../../../contracts/interfaces/IInferenceSettlement.sol";
import {IPageSettlement} from "../../../contracts/interfaces/IPageSettlement.sol";
import {IPageSettlementTypes} from "../../../contracts/interfaces/IPageSettlementTypes.sol";
import {InferenceEscrow} from "../../../contracts/payments/InferenceEscrow.sol";
import {RequestIds} from "../../../contracts/settlement/RequestIds.sol";
import {ApprovedProxy, OpenAuthority, SettledResults} from "../mocks/EscrowSurroundings.sol";
import {HostileToken} from "../mocks/HostileToken.sol";
import {bound, vm} from "../utils/Vm.sol";

/// @title EscrowHandler
/// @notice Opens jobs, and tries to end each in every way at every time, whether it is open or over.
contract EscrowHandler {
    uint256 private constant PAYERS = 3;
    uint256 private constant REQUESTS = 4;
    address private constant NODE = address(0xa0de);
    address public constant PAYEE = address(0xbee);
    address public constant FEE_RECEIVER = address(0xfee);

    HostileToken public token;
    InferenceEscrow public escrow;
    SettledResults public settled;
    IInferenceEscrow.Job[] private _jobs;
    /// @notice How often each job ended: captured, refunded, cancelled.
    mapping(uint256 job => uint256[3] count) private _ends;
    /// @notice How often a request captured.
    mapping(bytes32 requestId => uint256 count) public captures;
    uint256 public clock;

    constructor() {
        token = new HostileToken();
        settled = new SettledResults();
        ApprovedProxy proxy = new ApprovedProxy();
        escrow = new InferenceEscrow(address(new OpenAuthority()), IPageSettlement(address(settled)), proxy);
        escrow.setToken(address(token), true);
        escrow.setFee(250, FEE_RECEIVER);
        for (uint256 i = 0; i < PAYERS; ++i) {
            token.transfer(payerAt(i), 1_000e18);
            vm.prank(payerAt(i));
            token.approve(address(proxy), type(uint256).max);
        }
        clock = block.timestamp;
    }

    function open(uint256 payer, uint256 amount, uint256 request, uint256 window) external {
        address from = payerAt(payer % PAYERS);
        uint256 most = token.balanceOf(from);
        if (most == 0) return;
        IInferenceEscrow.Terms memory terms = IInferenceEscrow.Terms({
            node: NODE,
            payee: PAYEE,
            requestHash: _inputOf(request),
            token: address(token),
            feeBps: 250,
            kinds: 0xc6,
            captureWindow: uint32(bound(window, 3 days + 1 hours, 5 days))
        });
        IInferenceEscrow.Payment memory payment = IInferenceEscrow.Payment({
            payer: from,
            amount: uint128(bound(amount, 1, most < 10e18 ? most : 10e18)),
            nonce: _jobs.length,
            validAfter: 0,
            validUntil: type(uint64).max,
            signature: ""
        });
        // Where the token keeps everything from the escrow, nothing is opened.
        try escrow.open(terms, payment) {} catch {
            return;
        }
        (, address receiver) = escrow.fee();
        uint64 deadline = uint64(clock) + terms.captureWindow;
        _jobs.push(IInferenceEscrow.Job(terms, from, payment.nonce, payment.amount, deadline, receiver));
    }

    function capture(uint256 job, uint256 request, uint256 nonce, uint256 price, bool isZkml) external {
        if (_jobs.length == 0) return;
        job %= _jobs.length;
        IInferenceSettlement.InferenceResult memory result = _resultOf(job, request, nonce, price);
        IInferenceSettlement.Verification kind =
            isZkml ? IInferenceSettlement.Verification.ZKML : IInferenceSettlement.Verification.TEE;
        settled.settle(result, kind);
        try escrow.capture(_jobs[job], result, kind) {
            _noteCapture(job, result.requestId);
        } catch {}
    }

    function captureFromPage(
        uint256 job,
        uint256 request,
        uint256 nonce,
        uint256 price,
        uint256 state
    ) external {
        if (_jobs.length == 0) return;
        job %= _jobs.length;
        settled.setState(IPageSettlementTypes.PageState(state % 5));
        IPageSettlementTypes.PageHeader memory header;
        header.kind = IInferenceSettlement.Verification.TEE;
        IPageSettlementTypes.Leaf memory leaf;
        leaf.result = _resultOf(job, request, nonce, price);
        try escrow.captureFromPage(_jobs[job], header, leaf) {
            require(
                settled.state() == IPageSettlementTypes.PageState.Final,
                "paid for a page that is not final"
            );
            _noteCapture(job, leaf.result.requestId);
        } catch {}
    }

    function refund(uint256 job) external {
        if (_jobs.length == 0) return;
        job %= _jobs.length;
        try escrow.refund(_jobs[job]) {
            require(clock >= _jobs[job].deadline, "refunded early");
            ++_ends[job][1];
        } catch {}
    }

    function cancel(uint256 job, uint256 party) external {
        if (_jobs.length == 0) return;
        job %= _jobs.length;
        address[3] memory parties = [NODE, PAYEE, _jobs[job].payer];
        vm.prank(parties[party % 3]);
        try escrow.cancel(_jobs[job]) {
            require(party % 3 != 2, "cancelled by the payer");
            ++_ends[job][2];
        } catch {}
    }

    function setBlocked(uint256 account, bool isBlocked) external {
        token.setBlocked(accountAt(account % accountCount()), isBlocked);
    }

    function withdraw(uint256 account) external {
        address from = accountAt(account % accountCount());
        vm.prank(from);
        try escrow.withdrawCredit(address(token), from) {} catch {}
    }

    function wait(uint256 time) external {
        clock += bound(time, 0, 1 days);
        vm.warp(clock);
    }

    function jobCount() external view returns (uint256) {
        return _jobs.length;
    }

    function jobAt(
        uint256 job
    ) external view returns (bytes32 jobId, uint256 amount, uint256[3] memory ends) {
        IInferenceEscrow.Job storage content = _jobs[job];
        return (escrow.jobIdOf(content.payer, content.nonce), content.amount, _ends[job]);
    }

    /// @notice Whoever may have tokens, but for the escrow.
    function accountAt(uint256 account) public view returns (address) {
        if (account < PAYERS) return payerAt(account);
        return
            account == PAYERS
                ? PAYEE
                : account == PAYERS + 1
                    ? FEE_RECEIVER
                    : address(this);
    }

    function accountCount() public pure returns (uint256) {
        return PAYERS + 3;
    }

    function requestAt(uint256 nonce) public pure returns (bytes32) {
        return RequestIds.encode(NODE, uint96(nonce % REQUESTS));
    }

    function requestCount() external pure returns (uint256) {
        return REQUESTS;
    }

    function payerAt(uint256 payer) public pure returns (address) {
        return address(uint160(0x1000 + payer));
    }

    function _noteCapture(uint256 job, bytes32 requestId) private {
        require(clock < _jobs[job].deadline, "captured late");
        ++_ends[job][0];
        ++captures[requestId];
    }

    /// @dev Few requests and prices up to a little above what is held: many are refused.
    function _resultOf(
        uint256 job,
        uint256 request,
        uint256 nonce,
        uint256 price
    ) private view returns (IInferenceSettlement.InferenceResult memory result) {
        result.inputHash = _inputOf(request);
        result.requester = _jobs[job].payer;
        result.requestId = requestAt(nonce);
        result.price = bound(price, 0, uint256(_jobs[job].amount) + 1);
        result.timestamp = uint64(clock);
    }

    function _inputOf(uint256 request) private pure returns (bytes32) {
        return bytes32(1 + (request % 2));
    }
}
