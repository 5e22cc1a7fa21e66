// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

/// @title DollarToken
/// @notice A token as dollar tokens are: six decimals, EIP-3009 under a domain of version 2, and accounts that its issuer blocks.
contract DollarToken is ERC20, EIP712, ERC3009 {
    mapping(address account => bool) private _isBlocked;

    constructor(address holder) ERC20("Test Dollar", "USDX") EIP712("Test Dollar", "2") {
        _mint(holder, 1_000_000e6);
    }

    /// @notice Refuses all that moves to or from an account from now on, or no more.
    function setBlocked(address account, bool isBlocked) external {
        _isBlocked[account] = isBlocked;
    }

    /// @notice EIP-3009 with a signature in one piece.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external {
        require(to == msg.sender, "receiver");
        bytes32 digest = _hashTypedDataV4(
            keccak256(
                abi.encode(
                    RECEIVE_WITH_AUTHORIZATION_TYPEHASH,
                    from,
                    to,
                    value,
                    validAfter,
                    validBefore,
                    nonce
                )
            )
        );
        require(ECDSA.recoverCalldata(digest, signature) == from, "signature");
        _transferWithAuthorization(from, to, value, validAfter, validBefore, nonce);
    }

    // solhint-disable-next-line func-name-mixedcase
    function DOMAIN_SEPARATOR() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    function version() external pure returns (string memory) {
        return "2";
    }

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    function _update(address from, address to, uint256 value) internal override {
        require(!_isBlocked[from] && !_isBlocked[to], "blocked");
        super._update(from, to, value);
    }
}
