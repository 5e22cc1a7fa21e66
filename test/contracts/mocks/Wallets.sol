// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title OwnedWallet
/// @notice A node that is a contract: valid are its owner's signatures, while there is an owner.
contract OwnedWallet is IERC1271 {
    address public owner;

    constructor(address owner_) {
        owner = owner_;
    }

    function setOwner(address owner_) external {
        owner = owner_;
    }

    function isValidSignature(
        bytes32 hash,
        bytes calldata signature
    ) external view override returns (bytes4) {
        (address signer, ECDSA.RecoverError problem, ) = ECDSA.tryRecoverCalldata(hash, signature);
        bool isValid = problem == ECDSA.RecoverError.NoError && signer == owner;
        return isValid ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}

/// @title TaggedWallet
/// @notice A wallet whose signatures name the rule to check them by, as many accounts do: one byte, then the owner's.
contract TaggedWallet is IERC1271 {
    bytes1 public constant OWNER_RULE = 0x01;
    address public immutable OWNER;

    constructor(address owner) {
        OWNER = owner;
    }

    function isValidSignature(
        bytes32 hash,
        bytes calldata signature
    ) external view override returns (bytes4) {
        if (signature.length == 0 || signature[0] != OWNER_RULE) return 0xffffffff;
        (address signer, ECDSA.RecoverError problem, ) = ECDSA.tryRecoverCalldata(hash, signature[1:]);
        bool isValid = problem == ECDSA.RecoverError.NoError && signer == OWNER;
        return isValid ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}

/// @title ReentrantWallet
/// @notice When asked about a signature, calls whatever it was told to call, and answers yes only if that worked.
contract ReentrantWallet {
    error CallFailed();

    address private _target;
    bytes private _data;

    function prepare(address target, bytes calldata data) external {
        _target = target;
        _data = data;
    }

    function isValidSignature(bytes32, bytes calldata) external returns (bytes4) {
        (bool isDone, ) = _target.call(_data);
        if (!isDone) revert CallFailed();
        return IERC1271.isValidSignature.selector;
    }
}

/// @title StubbornWallet
/// @notice When asked about a signature, tries whatever it was told to call, and answers yes whatever came of it.
contract StubbornWallet {
    /// @dev Enough for a settlement. A write in a static call burns what it is given; the asker needs the rest.
    uint256 private constant CALL_GAS = 1_000_000;

    error CallFailed();

    address private _target;
    bytes private _data;

    function prepare(address target, bytes calldata data) external {
        _target = target;
        _data = data;
    }

    function isValidSignature(bytes32, bytes calldata) external returns (bytes4) {
        try this.perform() {} catch {}
        return IERC1271.isValidSignature.selector;
    }

    function perform() external {
        (bool isDone, ) = _target.call{gas: CALL_GAS}(_data);
        if (!isDone) revert CallFailed();
    }
}

/// @title AnsweringWallet
/// @notice Answers every call with the bytes that it was given.
contract AnsweringWallet {
    bytes private _answer;

    constructor(bytes memory answer) {
        _answer = answer;
    }

    fallback(bytes calldata) external returns (bytes memory) {
        return _answer;
    }
}
