// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBatchSettlement} from "../../../contracts/interfaces/IBatchSettlement.sol";
import {IChannelGate} from "../../../contracts/interfaces/IChannelGate.sol";
import {IInferenceSettlement} from "../../../contracts/interfaces/IInferenceSettlement.sol";
import {IPageSettlementTypes} from "../../../contracts/interfaces/IPageSettlementTypes.sol";
import {ChannelGate} from "../../../contracts/payments/ChannelGate.sol";
import {ChannelGates} from "../../../contracts/payments/ChannelGates.sol";
import {InferenceResults} from "../../../contracts/settlement/InferenceResults.sol";
import {PageTree} from "../../../contracts/settlement/PageTree.sol";
import {RequestIds} from "../../../contracts/settlement/RequestIds.sol";
import {ApprovedCollector, BatchSettlementStandIn} from "../mocks/BatchSettlementStandIn.sol";
import {SettledResults} from "../mocks/EscrowSurroundings.sol";
import {HostileToken} from "../mocks/HostileToken.sol";
import {deployArtifact} from "../utils/DeployArtifact.sol";
import {bound, vm} from "../utils/Vm.sol";

/// @title FeeOfGates
/// @notice What gates ask of the escrow when they are made.
contract FeeOfGates {
    address public immutable PAGES;

    constructor(address pages) {
        PAGES = pages;
    }

    function fee() external pure returns (uint16 feeBps, address receiver) {
        return (250, address(0xfee));
    }
}

/// @title ChannelHandler
/// @notice Puts tokens into channels of two payers to one gate, shows it results in every way and order, claims by vouchers of
/// any height, and takes tokens out again.
contract ChannelHandler {
    uint256 private constant CHANNELS = 3;
    uint256 private constant REQUESTS = 6;
    uint40 private constant DELAY = 1 days;
    address private constant NODE = address(0xa0de);
    /// @dev By its source: another of this name is in `testing/upto`.
    string private constant STAND_IN =
        "test/contracts/mocks/BatchSettlementStandIn.sol:BatchSettlementStandIn";
    address public constant PAYEE = address(0xbee);
    address public constant FEE_RECEIVER = address(0xfee);

    HostileToken public token;
    ChannelGate public gate;
    BatchSettlementStandIn public batch;
    SettledResults private settled;
    address private collector;
    /// @notice Sum of the prices of the results that were counted for a channel, as they were settled.
    mapping(uint256 channel => uint256 sum) public honest;
    /// @notice The highest voucher of a channel that was signed.
    mapping(uint256 channel => uint256 most) public signed;
    /// @notice How often a request was counted.
    mapping(bytes32 requestId => uint256 count) public counts;
    uint256 private clock;

    constructor() {
        token = HostileToken(deployArtifact("HostileToken", ""));
        settled = new SettledResults();
        batch = BatchSettlementStandIn(deployArtifact(STAND_IN, ""));
        collector = address(new ApprovedCollector());
        address escrow = address(new FeeOfGates(address(settled)));
        ChannelGates gates = ChannelGates(deployArtifact("ChannelGates", abi.encode(escrow, batch)));
        gate = ChannelGate(gates.open(IChannelGate.Terms(NODE, PAYEE, FEE_RECEIVER, 250, 0xc6)));
        for (uint256 i = 0; i < 2; ++i) {
            token.transfer(vm.addr(keyOf(i)), 1_000e18);
            vm.prank(vm.addr(keyOf(i)));
            token.approve(collector, type(uint256).max);
        }
        clock = block.timestamp;
    }

    function deposit(uint256 channel, uint256 amount) external {
        IBatchSettlement.ChannelConfig memory config = configOf(channel % CHANNELS);
        uint256 most = token.balanceOf(config.payer);
        if (most == 0) return;
        batch.deposit(config, uint128(bound(amount, 1, most < 10e18 ? most : 10e18)), collector, "");
    }

    /// @param ofChannel whose the result is, which may be another than it is shown for
    function countResult(
        uint256 channel,
        uint256 ofChannel,
        uint256 request,
        uint256 price,
        uint256 kind
    ) external {
        channel %= CHANNELS;
        IInferenceSettlement.InferenceResult memory result = _resultOf(ofChannel % CHANNELS, request, price);
        IInferenceSettlement.Verification as_ = IInferenceSettlement.Verification(kind % 4);
        settled.settle(result, as_);
        try gate.countResult(idOf(channel), result, as_) {
            require(channel == ofChannel % CHANNELS, "counted for another channel");
            require(kind % 4 == 1 || kind % 4 == 2, "counted what is never settled alone");
            _note(channel, result);
        } catch {}
    }

    function countPage(
        uint256 channel,
        uint256 ofChannel,
        uint256 request,
        uint256 price,
        uint256 state
    ) external {
        channel %= CHANNELS;
        settled.setState(IPageSettlementTypes.PageState(state % 5));
        IInferenceSettlement.InferenceResult memory result = _resultOf(ofChannel % CHANNELS, request, price);
        (IPageSettlementTypes.PageHeader memory header, bytes32[] memory siblings) = _pageOf(result);
        IChannelGate.Section[] memory sections = new IChannelGate.Section[](1);
        bytes memory head = abi.encodePacked(
            uint8(uint256(result.requestId)),
            uint40(result.timestamp),
            uint128(result.price)
        );
        sections[0] = IChannelGate.Section({
            channelId: idOf(channel),
            modelVersion: 0,
            records: abi.encodePacked(head, result.inputHash, result.outputHash, bytes32(0))
        });
        try gate.countPage(header, sections, siblings) {
            require(channel == ofChannel % CHANNELS, "counted for another channel");
            require(
                settled.state() == IPageSettlementTypes.PageState.Final,
                "counted in a page that is not final"
            );
            _note(channel, result);
        } catch {}
    }

    function claim(uint256 channel, uint256 most) external {
        channel %= CHANNELS;
        IBatchSettlement.ChannelConfig memory config = configOf(channel);
        uint128 maximum = uint128(bound(most, 1, 20e18));
        bytes32 digest = keccak256(
            abi.encode(
                keccak256("Voucher(bytes32 channelId,uint128 maxClaimableAmount)"),
                idOf(channel),
                maximum
            )
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(
            keyOf(channel / 2),
            keccak256(abi.encodePacked("\x19\x01", _separator(), digest))
        );
        if (maximum > signed[channel]) signed[channel] = maximum;
        IChannelGate.SignedVoucher[] memory vouchers = new IChannelGate.SignedVoucher[](1);
        vouchers[0] = IChannelGate.SignedVoucher(config, maximum, abi.encodePacked(r, s, v));
        try gate.claim(vouchers) {} catch {}
    }

    function collect() external {
        gate.collect(address(token));
    }

    function settle() external {
        batch.settle(address(gate), address(token));
    }

    function refund(uint256 channel, uint256 amount, uint256 party) external {
        IBatchSettlement.ChannelConfig memory config = configOf(channel % CHANNELS);
        address[3] memory parties = [NODE, PAYEE, config.payer];
        vm.prank(parties[party % 3]);
        try gate.refund(config, uint128(bound(amount, 1, 10e18))) {
            require(party % 3 != 2, "refunded by the payer");
        } catch {}
    }

    function withdraw(uint256 channel, uint256 amount, bool isBegun) external {
        IBatchSettlement.ChannelConfig memory config = configOf(channel % CHANNELS);
        vm.prank(config.payer);
        if (isBegun) batch.initiateWithdraw(config, uint128(bound(amount, 1, 10e18)));
        else try batch.finalizeWithdraw(config) {} catch {}
    }

    function setBlocked(bool isPayee, bool isBlocked) external {
        token.setBlocked(isPayee ? PAYEE : FEE_RECEIVER, isBlocked);
    }

    function withdrawCredit(bool isPayee) external {
        address account = isPayee ? PAYEE : FEE_RECEIVER;
        vm.prank(account);
        try gate.withdrawCredit(address(token), account) {} catch {}
    }

    function wait(uint256 time) external {
        clock += bound(time, 0, 1 days);
        vm.warp(clock);
    }

    function idOf(uint256 channel) public view returns (bytes32) {
        return batch.getChannelId(configOf(channel));
    }

    /// @notice Two channels of one payer, and one of another.
    function configOf(uint256 channel) public view returns (IBatchSettlement.ChannelConfig memory) {
        address payer = vm.addr(keyOf(channel / 2));
        return
            IBatchSettlement.ChannelConfig(
                payer,
                payer,
                address(gate),
                address(gate),
                address(token),
                DELAY,
                bytes32(channel)
            );
    }

    function channelCount() external pure returns (uint256) {
        return CHANNELS;
    }

    function requestCount() external pure returns (uint256) {
        return REQUESTS;
    }

    function requestAt(uint256 request) public pure returns (bytes32) {
        return RequestIds.encode(NODE, uint96(request % REQUESTS));
    }

    function keyOf(uint256 payer) public pure returns (uint256) {
        return 0xbeef + payer;
    }

    function _note(uint256 channel, IInferenceSettlement.InferenceResult memory result) private {
        honest[channel] += result.price;
        ++counts[result.requestId];
    }

    function _resultOf(
        uint256 channel,
        uint256 request,
        uint256 price
    ) private view returns (IInferenceSettlement.InferenceResult memory result) {
        result.requester = address(uint160(uint256(idOf(channel))));
        result.requestId = requestAt(request);
        result.price = bound(price, 0, 6e18);
        result.timestamp = uint64(clock);
    }

    /// @dev A page in which the result stands beside hashes of nothing.
    function _pageOf(
        IInferenceSettlement.InferenceResult memory result
    ) private view returns (IPageSettlementTypes.PageHeader memory header, bytes32[] memory siblings) {
        header.kind = IInferenceSettlement.Verification.TEE;
        header.ledgerPage = RequestIds.pageOf(result.requestId);
        header.bitmap = RequestIds.bitOf(result.requestId);
        bytes32 digest = InferenceResults.toDigest(address(settled), InferenceResults.hashCopy(result));
        bytes32 node = PageTree.hashLeaf(digest, 0);
        siblings = new bytes32[](8);
        for (uint256 depth = 0; depth < 8; ++depth) {
            bytes32 sibling = bytes32(depth + 1);
            siblings[depth] = sibling;
            bool isRight = (uint256(result.requestId) >> depth) & 1 == 1;
            node = keccak256(
                isRight
                    ? abi.encodePacked(bytes1(0x01), sibling, node)
                    : abi.encodePacked(bytes1(0x01), node, sibling)
            );
        }
        header.root = node;
    }

    function _separator() private view returns (bytes32) {
        bytes32 domainType = keccak256(
            "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
        );
        return
            keccak256(
                abi.encode(
                    domainType,
                    keccak256("x402 Batch Settlement"),
                    keccak256("1"),
                    block.chainid,
                    address(batch)
                )
            );
    }
}
