// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {P384Field} from "../../../contracts/attestation/P384Field.sol";
import {P384Scalars} from "../../../contracts/attestation/P384Scalars.sol";
import {Sha384} from "../../../contracts/attestation/Sha384.sol";

/// @notice The attestation libraries' internal functions, for tests.
contract AttestationHarness {
    function hash(bytes calldata data) external pure returns (bytes memory) {
        (bytes16 high, bytes32 low) = Sha384.hash(data);
        return abi.encodePacked(high, low);
    }

    function multiply(uint256 a1, uint256 a0, uint256 b1, uint256 b0) external pure returns (uint256, uint256) {
        return P384Field.multiply(a1, a0, b1, b0);
    }

    function square(uint256 a1, uint256 a0) external pure returns (uint256, uint256) {
        return P384Field.square(a1, a0);
    }

    function add(uint256 a1, uint256 a0, uint256 b1, uint256 b0) external pure returns (uint256, uint256) {
        return P384Field.add(a1, a0, b1, b0);
    }

    function subtract(uint256 a1, uint256 a0, uint256 b1, uint256 b0) external pure returns (uint256, uint256) {
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
}
