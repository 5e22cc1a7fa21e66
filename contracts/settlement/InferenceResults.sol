// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {IInferenceSettlement} from "../interfaces/IInferenceSettlement.sol";

/// @title InferenceResults
/// @notice Hashes of the typed message and of packed words. `protocol/src/inferenceResult.ts` is the second
/// implementation.
library InferenceResults {
    /// @dev keccak256("InferenceResult(bytes32 modelVersion,bytes32 inputHash,bytes32 outputHash,address requester,
    /// bytes32 requestId,uint256 price,uint64 timestamp,bytes32 teeId)"), without the line break.
    bytes32 internal constant TYPE_HASH = keccak256(
        "InferenceResult(bytes32 modelVersion,bytes32 inputHash,bytes32 outputHash,address requester,bytes32 requestId,uint256 price,uint64 timestamp,bytes32 teeId)"
    );

    /// @notice Name and version of the EIP-712 domain, which is {InferenceSettlement}'s.
    string internal constant DOMAIN_NAME = "HACA InferenceSettlement";
    string internal constant DOMAIN_VERSION = "1";

    /// @notice How far a node's clock may be ahead of the chain's, and bounds of how old its results may be, in seconds: of
    /// every contract that settles them.
    uint64 internal constant MAXIMUM_CLOCK_SKEW = 60;
    uint64 internal constant MINIMUM_WINDOW = 1 hours;
    uint64 internal constant MAXIMUM_WINDOW = 90 days;

    /// @notice A result as EIP-712 hashes it: the hash of its type, then a word for each field.
    struct Encoded {
        bytes32 typeHash;
        bytes32 modelVersion;
        bytes32 inputHash;
        bytes32 outputHash;
        address requester;
        bytes32 requestId;
        uint256 price;
        uint64 timestamp;
        bytes32 teeId;
    }

    bytes32 private constant DOMAIN_TYPE_HASH = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );

    /// @dev Bits that a digest loses to become a public signal: 248 bits are below the scalar field's order.
    uint256 private constant CONTEXT_SHIFT = 8;

    /// @notice EIP-712 struct hash.
    function hashStruct(
        IInferenceSettlement.InferenceResult calldata result
    ) internal pure returns (bytes32 structHash) {
        bytes32 typeHash = TYPE_HASH;
        // Reading them makes the compiler refuse addresses and times with bits that their types do not have; the
        // copy below would hash such bits.
        result.requester;
        result.timestamp;
        assembly ("memory-safe") {
            let pointer := mload(0x40)
            mstore(pointer, typeHash)
            calldatacopy(add(pointer, 0x20), result, 0x100)
            structHash := keccak256(pointer, 0x120)
        }
    }

    /// @notice EIP-712 struct hash of a result in memory.
    function hashCopy(
        IInferenceSettlement.InferenceResult memory result
    ) internal pure returns (bytes32 structHash) {
        bytes32 typeHash = TYPE_HASH;
        assembly ("memory-safe") {
            let pointer := mload(0x40)
            mstore(pointer, typeHash)
            mcopy(add(pointer, 0x20), result, 0x100)
            structHash := keccak256(pointer, 0x120)
        }
    }

    /// @notice EIP-712 struct hash of a result that is encoded, `typeHash` included.
    function hashEncoded(Encoded memory encoded) internal pure returns (bytes32 structHash) {
        assembly ("memory-safe") {
            structHash := keccak256(encoded, 0x120)
        }
    }

    /// @notice EIP-712 digest under the domain of a settlement, for another contract than it. It follows the chain's id.
    function toDigest(address settlement, bytes32 structHash) internal view returns (bytes32) {
        bytes32 separator = keccak256(
            abi.encode(
                DOMAIN_TYPE_HASH,
                keccak256(bytes(DOMAIN_NAME)),
                keccak256(bytes(DOMAIN_VERSION)),
                block.chainid,
                settlement
            )
        );
        return MessageHashUtils.toTypedDataHash(separator, structHash);
    }

    /// @notice The last public signal of a proof for the result with this EIP-712 digest.
    function toContext(bytes32 digest) internal pure returns (uint256) {
        return uint256(digest) >> CONTEXT_SHIFT;
    }

    /// @notice keccak256 of `count` words, starting with number `first`.
    /// @dev The caller makes sure that the range is inside `words`.
    function hashWords(
        uint256[] memory words,
        uint256 first,
        uint256 count
    ) internal pure returns (bytes32 wordsHash) {
        assembly ("memory-safe") {
            wordsHash := keccak256(add(add(words, 0x20), shl(5, first)), shl(5, count))
        }
    }

    /// @notice keccak256 of `length` bytes of the memory from `pointer`.
    function hashMemory(uint256 pointer, uint256 length) internal pure returns (bytes32 dataHash) {
        assembly ("memory-safe") {
            dataHash := keccak256(pointer, length)
        }
    }

    /// @notice keccak256 of `length` bytes of the calldata from `position`.
    /// @dev The caller makes sure that the range is inside the calldata.
    function hashCalldata(uint256 position, uint256 length) internal pure returns (bytes32 dataHash) {
        assembly ("memory-safe") {
            let pointer := mload(0x40)
            calldatacopy(pointer, position, length)
            dataHash := keccak256(pointer, length)
        }
    }

    /// @notice keccak256 of bytes in the calldata, without keeping a copy.
    function hashCalldata(bytes calldata data) internal pure returns (bytes32) {
        uint256 position;
        assembly ("memory-safe") {
            position := data.offset
        }
        return hashCalldata(position, data.length);
    }
}
