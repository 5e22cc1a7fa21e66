// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAttestationVerifier} from "../../../contracts/interfaces/IAttestationVerifier.sol";

/// @notice Believes what it is told: evidence is `abi.encode(Claims)`. For tests of what a registry does with claims.
/// A signer's certificate is its whole path, and known to all.
contract OpenVerifier is IAttestationVerifier {
    mapping(bytes32 signerCertificate => bool) public isWithdrawn;

    function withdraw(bytes32 signerCertificate) external {
        isWithdrawn[signerCertificate] = true;
    }

    function verify(
        bytes calldata evidence,
        bytes[] calldata
    ) external virtual returns (Claims memory claims) {
        claims = abi.decode(evidence, (Claims));
        if (isWithdrawn[claims.signerCertificate])
            revert AttestationVerifier_SignerRefused(claims.signerCertificate);
    }

    function evidenceType() external pure returns (bytes32) {
        return keccak256("test.open");
    }

    function carriedBinding(bytes32 binding) external pure returns (bytes32) {
        return binding;
    }

    function isTrusted(bytes32 signerCertificate) external view returns (bool) {
        return !isWithdrawn[signerCertificate];
    }

    function revocationKeys(bytes32 signerCertificate) external pure returns (bytes32[] memory keys) {
        keys = new bytes32[](1);
        keys[0] = signerCertificate;
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
