// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAttestationVerifier} from "../../../contracts/interfaces/IAttestationVerifier.sol";

/// @notice Believes what it is told: evidence is `abi.encode(Claims)`. For tests of what a registry does with claims.
contract OpenVerifier is IAttestationVerifier {
    mapping(bytes32 endorsement => bool) public isWithdrawn;

    function withdraw(bytes32 endorsement) external {
        isWithdrawn[endorsement] = true;
    }

    function verify(bytes calldata evidence, bytes[] calldata) external pure returns (Claims memory) {
        return abi.decode(evidence, (Claims));
    }

    function isEndorsed(bytes32 endorsement) external view returns (bool) {
        return !isWithdrawn[endorsement];
    }

    function isVerified(bytes calldata) external pure returns (bool) {
        return true;
    }
}
