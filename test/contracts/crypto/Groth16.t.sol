// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IGroth16Errors} from "../../../contracts/interfaces/IGroth16Errors.sol";
import {Groth16} from "../../../contracts/crypto/Groth16.sol";
import {Groth16Harness} from "../mocks/Groth16Harness.sol";
import {Groth16Simulator} from "../utils/Groth16Simulator.sol";
import {bound, vm} from "../utils/Vm.sol";

contract Groth16Test {
    uint256 private constant KEY_OFFSET = 1;
    uint256 private constant MAXIMUM_SIGNALS = 8;

    Groth16Harness private harness;

    struct Case {
        address keyStore;
        uint256[] signals;
        bytes proof;
    }

    function setUp() public {
        harness = new Groth16Harness();
    }

    function testFuzz_ValidProofHolds(uint256 seed, uint256 signalCount) public {
        Case memory c = _makeCase(seed, bound(signalCount, 1, MAXIMUM_SIGNALS));
        _verify(c);
    }

    function testFuzz_RevertWhen_SignalChanged(
        uint256 seed,
        uint256 signalCount,
        uint256 index,
        uint256 value
    ) public {
        Case memory c = _makeCase(seed, bound(signalCount, 1, MAXIMUM_SIGNALS));
        index = bound(index, 0, c.signals.length - 1);
        value = bound(value, 0, Groth16.SCALAR_ORDER - 1);
        vm.assume(value != c.signals[index]);
        c.signals[index] = value;
        _expect(IGroth16Errors.Groth16_ProofInvalid.selector);
        _verify(c);
    }

    /// @dev s + r satisfies the same equation; without the range check a signal would have several values.
    function testFuzz_RevertWhen_SignalNotBelowOrder(
        uint256 seed,
        uint256 signalCount,
        uint256 index
    ) public {
        Case memory c = _makeCase(seed, bound(signalCount, 1, MAXIMUM_SIGNALS));
        index = bound(index, 0, c.signals.length - 1);
        c.signals[index] += Groth16.SCALAR_ORDER;
        vm.expectRevert(
            abi.encodeWithSelector(
                IGroth16Errors.Groth16_PublicSignalOutOfRange.selector,
                index,
                c.signals[index]
            )
        );
        _verify(c);
    }

    function testFuzz_RevertWhen_ProofBitFlipped(uint256 seed, uint256 bit) public {
        Case memory c = _makeCase(seed, 3);
        bit = bound(bit, 0, c.proof.length * 8 - 1);
        c.proof[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        (bool isAccepted, bytes memory reason) = _tryVerify(c);
        vm.assertFalse(isAccepted, "a changed proof was accepted");
        // A changed coordinate leaves the curve; nothing else than the proof's points can be to blame.
        vm.assertEq(
            bytes32(reason),
            bytes32(IGroth16Errors.Groth16_ProofPointInvalid.selector),
            "wrong error"
        );
    }

    function testFuzz_RevertWhen_ProofOfOtherKey(uint256 seed, uint256 otherSeed) public {
        vm.assume(seed != otherSeed);
        Case memory c = _makeCase(seed, 2);
        c.keyStore = _makeCase(otherSeed, 2).keyStore;
        _expect(IGroth16Errors.Groth16_ProofInvalid.selector);
        _verify(c);
    }

    function testFuzz_RevertWhen_ProofLengthWrong(uint256 seed, uint256 length) public {
        Case memory c = _makeCase(seed, 1);
        length = bound(length, 0, 2 * Groth16.PROOF_LENGTH);
        vm.assume(length != Groth16.PROOF_LENGTH);
        bytes memory proof = new bytes(length);
        for (uint256 i = 0; i < length && i < c.proof.length; ++i) proof[i] = c.proof[i];
        c.proof = proof;
        vm.expectRevert(
            abi.encodeWithSelector(
                IGroth16Errors.Groth16_ProofLengthInvalid.selector,
                Groth16.PROOF_LENGTH,
                length
            )
        );
        _verify(c);
    }

    /// @dev Proofs are malleable by design: (-A, -B, C) holds as well. The ledger's key is therefore the request.
    function testFuzz_OtherProofOfSameSignalsHolds(uint256 seed, uint256 otherSeed) public {
        Groth16Simulator.Trapdoor memory trapdoor = Groth16Simulator.makeTrapdoor(seed, 2);
        Case memory c = _makeCase(seed, 2);
        c.proof = Groth16Simulator.makeProof(trapdoor, c.signals, otherSeed);
        _verify(c);
    }

    /// @dev Without the check, zeros would be a valid proof against an account without code.
    function testFuzz_RevertWhen_KeyMissing(address keyStore, uint256 signalCount) public {
        vm.assume(keyStore.code.length == 0);
        Case memory c = Case(keyStore, new uint256[](bound(signalCount, 0, 4)), _zeroProof());
        vm.expectRevert(abi.encodeWithSelector(IGroth16Errors.Groth16_KeyMissing.selector, keyStore));
        _verify(c);
    }

    function test_KeyLength() public pure {
        vm.assertEq(Groth16.keyLength(0), 512, "one IC point");
        vm.assertEq(Groth16.keyLength(4), 768, "five IC points");
    }

    /// @dev A and C zero, B the generator: well formed but for the length.
    function _zeroProof() private pure returns (bytes memory) {
        return bytes.concat(new bytes(64), Groth16Simulator.g2(1), new bytes(64));
    }

    function _makeCase(uint256 seed, uint256 signalCount) private returns (Case memory c) {
        Groth16Simulator.Trapdoor memory trapdoor = Groth16Simulator.makeTrapdoor(seed, signalCount);
        c.keyStore = harness.storeKey(Groth16Simulator.makeKey(trapdoor));
        c.signals = new uint256[](signalCount);
        for (uint256 i = 0; i < signalCount; ++i) {
            c.signals[i] = Groth16Simulator.scalar(seed, 100 + i);
        }
        c.proof = Groth16Simulator.makeProof(trapdoor, c.signals, seed);
    }

    function _verify(Case memory c) private view {
        harness.verify(c.keyStore, KEY_OFFSET, c.proof, c.signals);
    }

    function _tryVerify(Case memory c) private view returns (bool, bytes memory) {
        return
            address(harness).staticcall(
                abi.encodeCall(Groth16Harness.verify, (c.keyStore, KEY_OFFSET, c.proof, c.signals))
            );
    }

    function _expect(bytes4 selector) private {
        vm.expectRevert(abi.encodePacked(selector));
    }
}
