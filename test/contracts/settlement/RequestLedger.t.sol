// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IInferenceSettlement} from "../../../contracts/interfaces/IInferenceSettlement.sol";
import {RequestLedger} from "../../../contracts/settlement/RequestLedger.sol";
import {RequestLedgerHarness} from "../mocks/RequestLedgerHarness.sol";
import {vm} from "../utils/Vm.sol";

contract RequestLedgerTest {
    RequestLedgerHarness private ledger;

    function setUp() public {
        ledger = new RequestLedgerHarness();
    }

    function testFuzz_RecordSetsExactlyOneBit(address node, uint96 nonce, bytes32 other) public {
        bytes32 requestId = _requestId(node, nonce);
        vm.assume(other != requestId);
        vm.assertFalse(ledger.isRecorded(requestId), "recorded before");
        ledger.record(requestId);
        vm.assertTrue(ledger.isRecorded(requestId), "not recorded");
        vm.assertFalse(ledger.isRecorded(other), "another request recorded");
        vm.assertEq(ledger.bitmapOf(node, nonce / 256), 1 << (nonce % 256), "bitmap");
    }

    function testFuzz_RevertWhen_RecordedTwice(bytes32 requestId) public {
        ledger.record(requestId);
        vm.expectRevert(
            abi.encodeWithSelector(
                IInferenceSettlement.InferenceSettlement_AlreadySettled.selector,
                requestId
            )
        );
        ledger.record(requestId);
    }

    /// @dev Neighbours in a page, at a page's edge, and in the next node's first page.
    function testFuzz_NeighboursAreIndependent(address node, uint96 nonce) public {
        vm.assume(nonce != type(uint96).max);
        ledger.record(_requestId(node, nonce));
        vm.assertFalse(ledger.isRecorded(_requestId(node, nonce + 1)), "next nonce");
        ledger.record(_requestId(node, nonce + 1));
        vm.assertTrue(ledger.isRecorded(_requestId(node, nonce)), "previous record lost");
    }

    /// @dev A word index beyond the nonces must not read into another node's records: bit 88 of a word index would
    /// be bit 0 of the node.
    function testFuzz_BitmapBeyondLastNonceIsEmpty(address node, uint88 wordIndex) public {
        node = address(uint160(node) & ~uint160(1));
        address next = address(uint160(node) | 1);
        ledger.record(_requestId(next, uint96(wordIndex) * 256));
        vm.assertEq(ledger.bitmapOf(node, (1 << 88) | wordIndex), 0, "bitmap");
    }

    function testFuzz_NodeOf(address node, uint96 nonce) public pure {
        vm.assertEq(RequestLedger.nodeOf(_requestId(node, nonce)), node, "node");
    }

    function _requestId(address node, uint96 nonce) private pure returns (bytes32) {
        return bytes32((uint256(uint160(node)) << 96) | nonce);
    }
}
