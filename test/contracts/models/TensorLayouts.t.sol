// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IModelRegistry} from "../../../contracts/interfaces/IModelRegistry.sol";
import {RegistryLibrariesHarness} from "../mocks/RegistryLibrariesHarness.sol";
import {bound, vm} from "../utils/Vm.sol";

contract TensorLayoutsTest {
    uint256 private constant WORD_BITS = 248;
    uint256 private constant MAXIMUM_TENSORS = 16;

    RegistryLibrariesHarness private harness;

    function setUp() public {
        harness = new RegistryLibrariesHarness();
    }

    /// @dev Against the definition: one element after the other.
    function testFuzz_WordCountFollowsTheElements(uint256 seed, uint256 tensorCount) public view {
        IModelRegistry.TensorLayout[] memory tensors = _tensors(
            seed,
            bound(tensorCount, 1, MAXIMUM_TENSORS),
            300
        );
        vm.assertEq(harness.wordCount(tensors), _countElementByElement(tensors), "word count");
    }

    function test_WordCountAtTheEdges() public view {
        vm.assertEq(harness.wordCount(_single(1, 1)), 1, "one bit");
        vm.assertEq(harness.wordCount(_single(1, 248)), 1, "one whole word");
        vm.assertEq(harness.wordCount(_single(2, 248)), 2, "two whole words");
        vm.assertEq(harness.wordCount(_single(2, 124)), 1, "a full word opens no other");
        vm.assertEq(harness.wordCount(_single(2, 125)), 2, "no element crosses a word's end");
        vm.assertEq(harness.wordCount(_single(type(uint32).max, 248)), type(uint32).max, "largest");
    }

    function test_RevertWhen_Empty() public {
        vm.expectRevert(abi.encodePacked(IModelRegistry.ModelRegistry_LayoutEmpty.selector));
        harness.wordCount(new IModelRegistry.TensorLayout[](0));
    }

    function test_RevertWhen_TooManyTensors() public {
        IModelRegistry.TensorLayout[] memory tensors = _tensors(1, MAXIMUM_TENSORS + 1, 10);
        vm.expectRevert(
            abi.encodeWithSelector(
                IModelRegistry.ModelRegistry_TooManyTensors.selector,
                MAXIMUM_TENSORS,
                MAXIMUM_TENSORS + 1
            )
        );
        harness.wordCount(tensors);
    }

    function testFuzz_RevertWhen_CountZero(uint256 seed, uint256 index) public {
        IModelRegistry.TensorLayout[] memory tensors = _tensors(seed, 5, 10);
        index = bound(index, 0, 4);
        tensors[index].count = 0;
        _expectInvalid(index, 0, tensors[index].bits);
        harness.wordCount(tensors);
    }

    function testFuzz_RevertWhen_BitsOutOfRange(uint256 seed, uint256 index, uint8 bits) public {
        vm.assume(bits == 0 || bits > WORD_BITS);
        IModelRegistry.TensorLayout[] memory tensors = _tensors(seed, 5, 10);
        index = bound(index, 0, 4);
        tensors[index].bits = bits;
        _expectInvalid(index, tensors[index].count, bits);
        harness.wordCount(tensors);
    }

    function _expectInvalid(uint256 index, uint32 count, uint8 bits) private {
        vm.expectRevert(
            abi.encodeWithSelector(IModelRegistry.ModelRegistry_LayoutInvalid.selector, index, count, bits)
        );
    }

    function _single(
        uint32 count,
        uint8 bits
    ) private pure returns (IModelRegistry.TensorLayout[] memory tensors) {
        tensors = new IModelRegistry.TensorLayout[](1);
        tensors[0] = IModelRegistry.TensorLayout(count, bits, false, 0);
    }

    function _tensors(
        uint256 seed,
        uint256 count,
        uint256 maximumElements
    ) private pure returns (IModelRegistry.TensorLayout[] memory tensors) {
        tensors = new IModelRegistry.TensorLayout[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 draw = uint256(keccak256(abi.encode(seed, i)));
            tensors[i] = IModelRegistry.TensorLayout(
                uint32(1 + (draw % maximumElements)),
                uint8(1 + ((draw >> 64) % WORD_BITS)),
                draw >> 255 == 1,
                0
            );
        }
    }

    function _countElementByElement(
        IModelRegistry.TensorLayout[] memory tensors
    ) private pure returns (uint256 words) {
        uint256 shift = 0;
        words = 1;
        for (uint256 i = 0; i < tensors.length; ++i) {
            for (uint256 j = 0; j < tensors[i].count; ++j) {
                if (shift + tensors[i].bits > WORD_BITS) {
                    ++words;
                    shift = 0;
                }
                shift += tensors[i].bits;
            }
        }
    }
}
