// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {P384Field} from "../../../contracts/crypto/P384Field.sol";
import {P384Scalars} from "../../../contracts/crypto/P384Scalars.sol";
import {RsaPss} from "../../../contracts/crypto/RsaPss.sol";
import {Sha384} from "../../../contracts/crypto/Sha384.sol";

/// @notice The attestation libraries' internal functions, for tests.
contract AttestationHarness {
    function hash(bytes calldata data) external pure returns (bytes memory) {
        (bytes16 high, bytes32 low) = Sha384.hash(data);
        return abi.encodePacked(high, low);
    }

    function hashTwice(
        bytes calldata first,
        bytes calldata second
    ) external pure returns (bytes memory, bytes memory) {
        // marks memory that the hash is going to use
        assembly ("memory-safe") {
            let free := mload(0x40)
            for {
                let i := 0
            } lt(i, 0x4000) {
                i := add(i, 0x20)
            } {
                mstore(add(free, i), not(0))
            }
        }
        (bytes16 high, bytes32 low) = Sha384.hash(first);
        (bytes16 otherHigh, bytes32 otherLow) = Sha384.hash(second);
        return (abi.encodePacked(high, low), abi.encodePacked(otherHigh, otherLow));
    }

    function multiply(
        uint256 a1,
        uint256 a0,
        uint256 b1,
        uint256 b0
    ) external pure returns (uint256, uint256) {
        return P384Field.multiply(a1, a0, b1, b0);
    }

    function square(uint256 a1, uint256 a0) external pure returns (uint256, uint256) {
        return P384Field.square(a1, a0);
    }

    function add(uint256 a1, uint256 a0, uint256 b1, uint256 b0) external pure returns (uint256, uint256) {
        return P384Field.add(a1, a0, b1, b0);
    }

    function subtract(
        uint256 a1,
        uint256 a0,
        uint256 b1,
        uint256 b0
    ) external pure returns (uint256, uint256) {
        return P384Field.subtract(a1, a0, b1, b0);
    }

    function subtractTwo(
        uint256 a1,
        uint256 a0,
        uint256 b1,
        uint256 b0,
        uint256 c1,
        uint256 c0
    ) external pure returns (uint256, uint256) {
        return P384Field.subtractTwo(a1, a0, b1, b0, c1, c0);
    }

    function isMultiple(uint256 v1, uint256 v0) external pure returns (bool) {
        return P384Field.isMultiple(v1, v0);
    }

    function isZero(uint256 a1, uint256 a0) external pure returns (bool) {
        return P384Field.isZero(a1, a0);
    }

    function holds(P384Scalars.Equation calldata equation) external pure returns (bool) {
        return P384Scalars.holds(equation);
    }

    function isSupportedModulus(bytes calldata modulus) external pure returns (bool) {
        return RsaPss.isSupportedModulus(modulus);
    }

    function isValidPss(
        bytes calldata modulus,
        bytes32 digest,
        bytes calldata signature
    ) external view returns (bool) {
        return RsaPss.isValid(modulus, digest, signature);
    }
}
