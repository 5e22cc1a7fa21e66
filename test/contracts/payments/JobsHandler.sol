// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IInferenceSettlement} from "../../../contracts/interfaces/IInferenceSettlement.sol";
import {IPageSettlementTypes} from "../../../contracts/interfaces/IPageSettlementTypes.sol";
import {IPayouts} from "../../../contracts/interfaces/IPayouts.sol";
import {InferenceEscrow} from "../../../contracts/payments/InferenceEscrow.sol";
import {RequestIds} from "../../../contracts/settlement/RequestIds.sol";
import {ApprovedProxy, OpenAuthority, SettledResults} from "../mocks/EscrowSurroundings.sol";
import {HostileToken} from "../mocks/HostileToken.sol";
import {deployArtifact} from "../utils/DeployArtifact.sol";
import {bound, vm} from "../utils/Vm.sol";

/// @title JobsHandler
/// @notice Opens jobs, and tries to end each in every way at every time, whether it is open or over. Where their tokens are held
/// is each handler's own.
abstract contract JobsHandler {
    /// @notice A job that was opened, and how often it ended: captured, refunded, cancelled, reclaimed.
    struct Opened {
        address payer;
        uint256 amount;
        uint256 deadline;
        uint256[4] ends;
    }

    uint256 private constant PAYERS = 3;
    uint256 private constant REQUESTS = 4;
    address internal constant NODE = address(0xa0de);
    address public constant PAYEE = address(0xbee);
    address public constant FEE_RECEIVER = address(0xfee);
    uint16 internal constant FEE_BPS = 250;
    /// @dev All kinds.
    uint8 internal constant KINDS = 0xc6;

    HostileToken public token;
    InferenceEscrow public escrow;
    SettledResults public settled;
    ApprovedProxy internal proxy;
    Opened[] private _jobs;
    /// @notice How often a request captured.
    mapping(bytes32 requestId => uint256 count) public captures;
    uint256 public clock;

    constructor() {
        token = HostileToken(deployArtifact("HostileToken", ""));
        settled = new SettledResults();
        proxy = new ApprovedProxy();
        bytes memory arguments = abi.encode(new OpenAuthority(), settled, proxy);
        escrow = InferenceEscrow(deployArtifact("InferenceEscrow", arguments));
        escrow.setToken(address(token), true);
        escrow.setFee(FEE_BPS, FEE_RECEIVER);
        clock = block.timestamp;
    }

    /// @notice Who owes what failed transfers left.
    function debtor() public view virtual returns (IPayouts);

    /// @notice Whether a request is on record as one that captured.
    function isCaptured(bytes32 requestId) external view virtual returns (bool);

    function open(uint256 payer, uint256 amount, uint256 request, uint256 window) external {
        address from = payerAt(payer % PAYERS);
        uint256 most = token.balanceOf(from);
        if (most == 0) return;
        amount = bound(amount, 1, most < 10e18 ? most : 10e18);
        window = bound(window, escrow.leastWindow(KINDS), 6 days);
        // Where the token keeps everything from where it is to be held, nothing is opened.
        if (!_open(_jobs.length, from, uint120(amount), _inputOf(request), window)) return;
        _jobs.push();
        Opened storage job = _jobs[_jobs.length - 1];
        (job.payer, job.amount, job.deadline) = (from, amount, clock + window);
    }

    function capture(uint256 job, uint256 request, uint256 nonce, uint256 price, bool isZkml) external {
        if (_jobs.length == 0) return;
        job %= _jobs.length;
        IInferenceSettlement.InferenceResult memory result = _resultOf(job, request, nonce, price);
        IInferenceSettlement.Verification kind =
            isZkml ? IInferenceSettlement.Verification.ZKML : IInferenceSettlement.Verification.TEE;
        settled.settle(result, kind);
        if (_capture(job, result, kind)) _noteCapture(job, result.requestId);
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
        if (!_captureFromPage(job, header, leaf)) return;
        bool isFinal = settled.state() == IPageSettlementTypes.PageState.Final;
        require(isFinal, "paid for a page that is not final");
        _noteCapture(job, leaf.result.requestId);
    }

    function refund(uint256 job) external {
        if (_jobs.length == 0) return;
        job %= _jobs.length;
        bool wasOpen = isOpen(job);
        if (!_refund(job) || !wasOpen) return;
        require(clock >= _jobs[job].deadline, "refunded early");
        ++_jobs[job].ends[1];
    }

    function cancel(uint256 job, uint256 party) external {
        if (_jobs.length == 0) return;
        job %= _jobs.length;
        address[3] memory parties = [NODE, PAYEE, _jobs[job].payer];
        if (!_cancel(job, parties[party % 3])) return;
        require(party % 3 != 2, "cancelled by the payer");
        ++_jobs[job].ends[2];
    }

    function setBlocked(uint256 account, bool isBlocked) external {
        token.setBlocked(accountAt(account % accountCount()), isBlocked);
    }

    function withdraw(uint256 account) external {
        address from = accountAt(account % accountCount());
        IPayouts owing = debtor();
        vm.prank(from);
        try owing.withdrawCredit(address(token), from) {} catch {}
    }

    function wait(uint256 time) external {
        clock += bound(time, 0, 1 days);
        vm.warp(clock);
    }

    function isOpen(uint256 job) public view virtual returns (bool);

    function jobCount() public view returns (uint256) {
        return _jobs.length;
    }

    function jobAt(uint256 job) public view returns (Opened memory) {
        return _jobs[job];
    }

    /// @notice Whoever may have tokens, but for where they are held.
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

    /// @dev All calls of what is tested: whether they went through.
    function _open(
        uint256 job,
        address payer,
        uint120 amount,
        bytes32 requestHash,
        uint256 window
    ) internal virtual returns (bool);

    function _capture(
        uint256 job,
        IInferenceSettlement.InferenceResult memory result,
        IInferenceSettlement.Verification kind
    ) internal virtual returns (bool);

    function _captureFromPage(
        uint256 job,
        IPageSettlementTypes.PageHeader memory header,
        IPageSettlementTypes.Leaf memory leaf
    ) internal virtual returns (bool);

    function _refund(uint256 job) internal virtual returns (bool);

    function _cancel(uint256 job, address sender) internal virtual returns (bool);

    /// @dev Gives payers what they may pay with.
    function _fund(address spender) internal {
        for (uint256 i = 0; i < PAYERS; ++i) {
            token.transfer(payerAt(i), 1_000e18);
            vm.prank(payerAt(i));
            token.approve(spender, type(uint256).max);
        }
    }

    function _noteReclaim(uint256 job) internal {
        require(clock >= _jobs[job].deadline, "reclaimed early");
        ++_jobs[job].ends[3];
    }

    function _noteCapture(uint256 job, bytes32 requestId) private {
        require(clock < _jobs[job].deadline, "captured late");
        ++_jobs[job].ends[0];
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
        result.price = bound(price, 0, _jobs[job].amount + 1);
        result.timestamp = uint64(clock);
    }

    function _inputOf(uint256 request) private pure returns (bytes32) {
        return bytes32(1 + (request % 2));
    }
}
