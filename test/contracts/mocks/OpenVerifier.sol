// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAttestationVerifier} from "../../../contracts/interfaces/IAttestationVerifier.sol";

/// @notice Believes what it is told: evidence is `abi.encode(Claims)`. For tests of what a registry does with claims.
/// An endorsement is its own and only certificate, known to all.
contract OpenVerifier is IAttestationVerifier {
    mapping(bytes32 endorsement => bool) public isWithdrawn;

    function withdraw(bytes32 endorsement) external {
        isWithdrawn[endorsement] = true;
    }

    function verify(
        bytes calldata evidence,
        bytes[] calldata
    ) external virtual returns (Claims memory claims) {
        claims = abi.decode(evidence, (Claims));
        if (isWithdrawn[claims.endorsement]) revert AttestationVerifier_SignerRefused(claims.endorsement);
    }

    function isEndorsed(bytes32 endorsement) external view returns (bool) {
        return !isWithdrawn[endorsement];
    }

    function revocationKeys(bytes32 endorsement) external pure returns (bytes32[] memory keys) {
        keys = new bytes32[](1);
        keys[0] = endorsement;
    }

    function isAnyRevoked(bytes32[] calldata keys) external view returns (bool) {
        for (uint256 i = 0; i < keys.length; ++i) {
            if (isWithdrawn[keys[i]]) return true;
        }
        return false;
    }

    function isVerified(bytes calldata) external pure returns (bool) {
        return true;
    }
}
