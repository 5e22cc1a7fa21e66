// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @title Consent
/// @notice Whether an account agrees to something.
library Consent {
    /// @notice The account is the caller or has signed, by its own key or by ERC-1271.
    /// @dev ECDSA comes first: only the holder of the account's own key can pass it, whether or not the account has code
    /// (EIP-7702), and an ordinary account need not be touched.
    function isGiven(address account, bytes32 digest, bytes calldata signature) internal view returns (bool) {
        if (msg.sender == account) return true;
        (address signer, ECDSA.RecoverError problem, ) = ECDSA.tryRecoverCalldata(digest, signature);
        if (problem == ECDSA.RecoverError.NoError && signer == account) return true;
        return SignatureChecker.isValidERC1271SignatureNowCalldata(account, digest, signature);
    }
}
