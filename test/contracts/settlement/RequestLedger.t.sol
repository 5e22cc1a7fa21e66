// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IInferenceSettlement} from "../../../contracts/interfaces/IInferenceSettlement.sol";
import {IRequestLedger} from "../../../contracts/interfaces/IRequestLedger.sol";
import {RequestIds} from "../../../contracts/settlement/RequestIds.sol";
import {RequestLedgerHarness} from "../mocks/RequestLedgerHarness.sol";
import {deployArtifact} from "../utils/DeployArtifact.sol";
import {vm} from "../utils/Vm.sol";

contract RequestLedgerTest {
    RequestLedgerHarness private ledger;
    address private constant OTHER_WRITER = address(0xb0b);

    function setUp() public {
        // The test is the ledger's administrator and a writer of it.
        address manager = deployArtifact("AccessManager", abi.encode(address(this)));
        ledger = RequestLedgerHarness(deployArtifact("RequestLedgerHarness", abi.encode(manager)));
        vm.etch(OTHER_WRITER, hex"00");
        ledger.setLedgerWriter(address(this), true);
        ledger.setLedgerWriter(OTHER_WRITER, true);
    }

    function testFuzz_RecordSetsExactlyOneBit(address node, uint96 nonce, bytes32 other) public {
        bytes32 requestId = RequestIds.encode(node, nonce);
        vm.assume(other != requestId);
        vm.assertFalse(ledger.isSettled(requestId), "recorded before");
        ledger.record(requestId);
        vm.assertTrue(ledger.isSettled(requestId), "not recorded");
        vm.assertFalse(ledger.isSettled(other), "another request recorded");
        uint256 page = (uint256(uint160(node)) << 88) | (nonce / 256);
        vm.assertEq(ledger.occupied(page), 1 << (nonce % 256), "bitmap");
        vm.assertEq(RequestIds.pageOf(requestId), page, "page");
        vm.assertEq(RequestIds.bitOf(requestId), 1 << (nonce % 256), "bit");
    }

    function testFuzz_RevertWhen_RecordedTwice(bytes32 requestId) public {
        ledger.record(requestId);
        vm.expectRevert(_alreadySettled(requestId));
        ledger.record(requestId);
    }

    /// @dev Neighbours in a page, at a page's edge, and in the next node's first page.
    function testFuzz_NeighboursAreIndependent(address node, uint96 nonce) public {
        vm.assume(nonce != type(uint96).max);
        ledger.record(RequestIds.encode(node, nonce));
        vm.assertFalse(ledger.isSettled(RequestIds.encode(node, nonce + 1)), "next nonce");
        ledger.record(RequestIds.encode(node, nonce + 1));
        vm.assertTrue(ledger.isSettled(RequestIds.encode(node, nonce)), "previous record lost");
    }

    function testFuzz_PartsOfARequestId(address node, uint96 nonce) public pure {
        bytes32 requestId = RequestIds.encode(node, nonce);
        vm.assertEq(RequestIds.nodeOf(requestId), node, "node");
        vm.assertEq(RequestIds.nodeOfPage(RequestIds.pageOf(requestId)), node, "node of the page");
    }

    /// @dev What is held is taken and not settled; what is given back is free; what is settled stays so.
    function testFuzz_WritersHoldWhatIsFreeAndGiveBackWhatTheyHold(
        uint256 page,
        uint256 settled,
        uint256 wanted,
        uint256 back,
        uint8 index
    ) public {
        page >>= 8;
        bytes32 requestId = bytes32((page << 8) | index);
        uint256 bit = 1 << index;
        ledger.recordAll(page, settled);
        uint256 taken = ledger.hold(page, wanted);
        vm.assertEq(taken, wanted & ~settled, "taken");
        vm.assertEq(ledger.occupied(page), settled | wanted, "occupied");
        vm.assertEq(ledger.heldBy(address(this), page), taken, "held");
        vm.assertTrue(ledger.isSettled(requestId) == (settled & bit != 0), "settled while held");

        back &= taken;
        ledger.release(page, back);
        vm.assertEq(ledger.occupied(page), settled | (taken & ~back), "occupied after");
        vm.assertEq(ledger.heldBy(address(this), page), taken & ~back, "held after");
        vm.assertTrue(ledger.isSettled(requestId) == (settled & bit != 0), "settled after");
    }

    /// @dev Neither what is settled nor what another writer holds.
    function testFuzz_RevertWhen_OthersAreGivenBack(uint256 page, uint256 settled, uint256 others) public {
        page >>= 8;
        ledger.recordAll(page, settled);
        vm.prank(OTHER_WRITER);
        ledger.hold(page, others);
        uint256 given = settled | others;
        if (given == 0) return;
        vm.expectRevert(
            abi.encodeWithSelector(IRequestLedger.RequestLedger_NotHeld.selector, page, 0, given)
        );
        ledger.release(page, given);
    }

    function testFuzz_RevertWhen_HeldIsRecorded(address node, uint96 nonce) public {
        bytes32 requestId = RequestIds.encode(node, nonce);
        ledger.hold(RequestIds.pageOf(requestId), RequestIds.bitOf(requestId));
        vm.expectRevert(_alreadySettled(requestId));
        ledger.record(requestId);
    }

    /// @dev A page that is held whole is written down elsewhere.
    function testFuzz_WritersHoldWholePagesAndGiveBackParts(uint256 page, uint256 back, uint8 index) public {
        page >>= 8;
        uint256 bit = 1 << index;
        vm.assertEq(ledger.hold(page, type(uint256).max), type(uint256).max, "taken");
        vm.assertEq(ledger.heldBy(address(this), page), type(uint256).max, "held");
        vm.assertEq(ledger.heldBy(address(this), page ^ 1), 0, "held of its neighbour");
        vm.assertFalse(ledger.isSettled(bytes32((page << 8) | index)), "settled while held");

        ledger.release(page, back);
        vm.assertEq(ledger.occupied(page), ~back, "occupied after");
        vm.assertEq(ledger.heldBy(address(this), page), ~back, "held after");
        vm.assertFalse(ledger.isSettled(bytes32((page << 8) | index)), "settled after");
        vm.assertEq(ledger.hold(page, bit), back & bit, "taken again");
        vm.assertEq(ledger.heldBy(address(this), page), ~back | bit, "held again");
        if (back == 0) return;
        ledger.release(page, ~back | bit);
        vm.assertEq(ledger.occupied(page), 0, "occupied in the end");
        vm.assertEq(ledger.heldBy(address(this), page), 0, "held in the end");
    }

    /// @dev A page that a writer holds all of, but took in two parts, and gives back in one: nothing of it stays behind, or
    /// the writer could clear what is settled there later.
    function testFuzz_WritersGiveBackAtOnceWhatTheyTookInParts(
        uint256 page,
        uint256 first,
        uint8 index
    ) public {
        page >>= 8;
        ledger.hold(page, first);
        ledger.hold(page, ~first);
        vm.assertEq(ledger.heldBy(address(this), page), type(uint256).max, "held");
        ledger.release(page, type(uint256).max);
        vm.assertEq(ledger.occupied(page), 0, "occupied after");
        vm.assertEq(ledger.heldBy(address(this), page), 0, "held after");
        bytes32 requestId = bytes32((page << 8) | index);
        ledger.record(requestId);
        vm.assertTrue(ledger.isSettled(requestId), "not settled");
        vm.expectRevert(
            abi.encodeWithSelector(IRequestLedger.RequestLedger_NotHeld.selector, page, 0, 1 << index)
        );
        ledger.release(page, 1 << index);
    }

    /// @dev A number behind the last ledger page is nobody's.
    function testFuzz_PagesBehindTheLastHaveNoNode(uint256 page) public pure {
        vm.assertEq(RequestIds.nodeOfPage(page | (1 << 248)), address(0), "node");
        vm.assertEq(RequestIds.nodeOfPage(page | (1 << 255)), address(0), "node");
    }

    /// @dev What a former writer holds is not taken for settled, and is not free before it gives it back: a page that turns
    /// out to be wrong after its contract was removed must not stand for good.
    function test_FormerWriterGivesBackWhatItHolds_AndHoldsNoMore() public {
        bytes32 requestId = RequestIds.encode(address(1), 7);
        uint256 page = RequestIds.pageOf(requestId);
        uint256 bit = RequestIds.bitOf(requestId);
        ledger.hold(page, bit);
        ledger.setLedgerWriter(address(this), false);
        vm.assertFalse(ledger.isSettled(requestId), "settled");
        vm.assertEq(ledger.occupied(page), bit, "occupied");
        vm.expectRevert(
            abi.encodeWithSelector(IRequestLedger.RequestLedger_NotWriter.selector, address(this))
        );
        ledger.hold(page, bit);
        ledger.release(page, bit);
        vm.assertEq(ledger.occupied(page), 0, "occupied after");
    }

    /// @dev An account with delegated code (EIP-7702) can get rid of it; that must not keep it from being removed.
    function test_WriterWithoutCodeCanBeRemoved() public {
        vm.etch(OTHER_WRITER, "");
        ledger.setLedgerWriter(OTHER_WRITER, false);
        vm.assertFalse(ledger.isLedgerWriter(OTHER_WRITER), "a writer still");
        _expectInvalidWriter(OTHER_WRITER, true);
    }

    function testFuzz_RevertWhen_CallerIsNoWriter(address caller, uint256 page, uint256 bitmap) public {
        vm.assume(caller != address(this) && caller != OTHER_WRITER);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IRequestLedger.RequestLedger_NotWriter.selector, caller));
        ledger.hold(page, bitmap);
        if (bitmap == 0) return;
        vm.prank(caller);
        vm.expectRevert(
            abi.encodeWithSelector(IRequestLedger.RequestLedger_NotHeld.selector, page, 0, bitmap)
        );
        ledger.release(page, bitmap);
    }

    function test_RevertWhen_WriterChangesNothing_OrHasNoCode_OrIsOneTooMany() public {
        _expectInvalidWriter(address(this), true);
        _expectInvalidWriter(address(0xdead), true);
        _expectInvalidWriter(address(ledger), false);
        uint256 maximum = ledger.MAXIMUM_WRITERS();
        for (uint256 i = 2; i < maximum; ++i) {
            address writer = address(uint160(0x1000 + i));
            vm.etch(writer, hex"00");
            ledger.setLedgerWriter(writer, true);
        }
        _expectInvalidWriter(address(ledger), true);
        // One that was a writer before takes no new place.
        ledger.setLedgerWriter(OTHER_WRITER, false);
        ledger.setLedgerWriter(OTHER_WRITER, true);
    }

    function _expectInvalidWriter(address writer, bool allowed) private {
        vm.expectRevert(abi.encodeWithSelector(IRequestLedger.RequestLedger_WriterInvalid.selector, writer));
        ledger.setLedgerWriter(writer, allowed);
    }

    function _alreadySettled(bytes32 requestId) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(
                IInferenceSettlement.InferenceSettlement_AlreadySettled.selector,
                requestId
            );
    }
}
