// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

interface ISettlement {
    enum Verification {
        Vanilla
    }

    struct InferenceResult {
        bytes32 modelVersion;
        bytes32 inputHash;
        bytes32 outputHash;
        address requester;
        bytes32 requestId;
        uint256 price;
        uint64 timestamp;
        bytes32 teeId;
    }

    function settleZkml(
        InferenceResult calldata result,
        uint256[] calldata words,
        bytes calldata proof,
        bytes calldata nodeSignature
    ) external;

    function isSettled(bytes32 requestId) external view returns (bool);

    function modelRegistry() external view returns (address);
}

interface IRegistry {
    function settlementData(
        bytes32 versionId
    ) external view returns (uint8 status, address keyStore, uint16 inputWords, uint16 outputWords, uint64 deprecatedAt);
}

/// @title BatchDouble
/// @notice Settles batches of proofs in the worker's tests. Its code stands at the settlement's address and hands each
/// item to the settlement's own code, which lies elsewhere: proofs are verified, and requests recorded, as ever.
contract BatchDouble {
    event ZkmlBatchItemSettled(
        bytes32 indexed requestId,
        bytes32 indexed modelVersion,
        address indexed requester,
        bytes32 inputHash,
        bytes32 outputHash,
        uint256 price,
        uint64 timestamp
    );

    error MalformedItems(uint256 length);

    /// @dev Where the settlement's code is: `installBatchDouble` puts it there.
    address private constant CODE = 0x000000000000000000000000000000000000c0DE;
    uint256 private constant HEAD = 12 + 20 + 32 + 8;
    uint256 private constant PROOF = 256;

    function settleZkmlBatch(
        bytes32 modelVersion,
        address node,
        bytes calldata items,
        bytes calldata
    ) external returns (uint256 settled) {
        (uint256 inputWords, uint256 outputWords) = _wordsOf(modelVersion);
        uint256 size = HEAD + PROOF + 32 * (inputWords + outputWords);
        if (items.length == 0 || items.length % size != 0) revert MalformedItems(items.length);
        for (uint256 start = 0; start < items.length; start += size) {
            bytes calldata item = items[start:start + size];
            ISettlement.InferenceResult memory result;
            result.modelVersion = modelVersion;
            result.requestId = bytes32((uint256(uint160(node)) << 96) | uint96(bytes12(item[:12])));
            if (ISettlement(address(this)).isSettled(result.requestId)) continue;
            result.requester = address(bytes20(item[12:32]));
            result.price = uint256(bytes32(item[32:64]));
            result.timestamp = uint64(bytes8(item[64:72]));
            bytes calldata words = item[HEAD + PROOF:];
            result.inputHash = keccak256(words[:32 * inputWords]);
            result.outputHash = keccak256(words[32 * inputWords:]);
            _settle(result, words, item[HEAD:HEAD + PROOF]);
            settled += 1;
        }
    }

    fallback() external payable {
        _return(_delegate(msg.data));
    }

    function _settle(ISettlement.InferenceResult memory result, bytes calldata packed, bytes calldata proof) private {
        uint256[] memory words = new uint256[](packed.length / 32);
        for (uint256 i = 0; i < words.length; i++) words[i] = uint256(bytes32(packed[32 * i:32 * i + 32]));
        _delegate(abi.encodeCall(ISettlement.settleZkml, (result, words, proof, "")));
        emit ZkmlBatchItemSettled(
            result.requestId,
            result.modelVersion,
            result.requester,
            result.inputHash,
            result.outputHash,
            result.price,
            result.timestamp
        );
    }

    function _wordsOf(bytes32 versionId) private view returns (uint256, uint256) {
        IRegistry registry = IRegistry(ISettlement(address(this)).modelRegistry());
        (, , uint16 inputWords, uint16 outputWords, ) = registry.settlementData(versionId);
        return (inputWords, outputWords);
    }

    function _delegate(bytes memory data) private returns (bytes memory answer) {
        bool success;
        (success, answer) = CODE.delegatecall(data);
        if (success) return answer;
        assembly ("memory-safe") {
            revert(add(answer, 0x20), mload(answer))
        }
    }

    function _return(bytes memory answer) private pure {
        assembly ("memory-safe") {
            return(add(answer, 0x20), mload(answer))
        }
    }
}
