// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {Cursor, Slice, Slices} from "../attestation/cbor/Cursor.sol";
import {Der} from "../attestation/x509/Der.sol";
import {RsaPss} from "./RsaPss.sol";
import {ISigningKeys} from "../interfaces/ISigningKeys.sol";

/// @title SigningKeys
/// @notice See {ISigningKeys}. A contract of its own because the registry has no room for it.
contract SigningKeys is ISigningKeys {
    using Der for Cursor;

    /// @dev SEQUENCE { 1.2.840.113549.1.1.1 (rsaEncryption), NULL }.
    bytes32 private constant RSA_ALGORITHM = bytes32(bytes15(0x30_0d_06_09_2a864886f70d010101_05_00));
    uint256 private constant RSA_ALGORITHM_LENGTH = 15;
    uint256 private constant RSA_EXPONENT = 65_537;
    uint256 private constant RSA_MINIMUM_BYTES = 256;
    uint256 private constant RSA_MAXIMUM_BYTES = 512;
    /// @dev Sizes that are a multiple of 64 bits; the top bit is set, so that a key has the size that it claims.
    uint256 private constant RSA_STEP_BYTES = 8;

    /// @dev SEQUENCE { SEQUENCE { 1.2.840.10045.2.1 (ecPublicKey), 1.2.840.10045.3.1.7 (prime256v1) }, BIT STRING { no
    /// unused bits, uncompressed point } }, up to the point's coordinates.
    bytes32 private constant P256_PREFIX = bytes32(
        bytes27(0x3059_3013_06072a8648ce3d0201_06082a8648ce3d030107_0342_00_04)
    );
    uint256 private constant P256_PREFIX_LENGTH = 27;
    /// @dev The same with 1.3.132.0.10 (secp256k1).
    bytes32 private constant SECP256K1_PREFIX = bytes32(
        bytes24(0x3056_3010_06072a8648ce3d0201_06052b8104000a_0342_00_04)
    );
    uint256 private constant SECP256K1_PREFIX_LENGTH = 24;
    uint256 private constant POINT_LENGTH = 64;

    /// @dev EIP-7951: digest | r | s | x | y; 1 if valid, nothing otherwise.
    address private constant P256_VERIFY = address(0x100);

    /// @inheritdoc ISigningKeys
    function kindOf(bytes calldata encodedKey) external pure override returns (KeyKind) {
        bytes memory key = encodedKey;
        if (_hasPrefix(key, P256_PREFIX, P256_PREFIX_LENGTH)) return KeyKind.P256;
        if (_hasPrefix(key, SECP256K1_PREFIX, SECP256K1_PREFIX_LENGTH)) return KeyKind.Secp256k1;
        _modulusOf(key);
        return KeyKind.Rsa;
    }

    /// @inheritdoc ISigningKeys
    function isSigned(
        KeyKind kind,
        bytes calldata encodedKey,
        bytes32 message,
        bytes calldata signature
    ) external view override returns (bool) {
        if (kind == KeyKind.None) return false;
        bytes memory key = encodedKey;
        if (kind == KeyKind.Rsa) {
            return RsaPss.isValid(_modulusOf(key).toBytes(), _sha256(message), signature);
        }
        if (kind == KeyKind.P256) return _isSignedByP256(key, message, signature);
        address signer = address(uint160(uint256(_slice(key, SECP256K1_PREFIX_LENGTH, POINT_LENGTH).hash())));
        (address recovered, ECDSA.RecoverError problem, ) = ECDSA.tryRecoverCalldata(message, signature);
        return problem == ECDSA.RecoverError.NoError && recovered == signer;
    }

    function _isSignedByP256(
        bytes memory key,
        bytes32 message,
        bytes calldata signature
    ) private view returns (bool) {
        if (signature.length != 2 * 32) return false;
        (bool isDone, bytes memory output) = P256_VERIFY.staticcall(
            bytes.concat(_sha256(message), signature, _slice(key, P256_PREFIX_LENGTH, POINT_LENGTH).toBytes())
        );
        return isDone && output.length == 32 && abi.decode(output, (uint256)) == 1;
    }

    /// @dev The modulus of an RSA key: SEQUENCE { algorithm, BIT STRING { SEQUENCE { modulus, exponent } } }.
    function _modulusOf(bytes memory key) private pure returns (Slice modulus) {
        Cursor memory outer = Slices.fromBytes(key).cursor();
        Cursor memory spki = outer.enter(Der.SEQUENCE);
        outer.requireEnd();
        if (
            spki.remaining() < RSA_ALGORITHM_LENGTH ||
            spki.take(RSA_ALGORITHM_LENGTH).word(0, RSA_ALGORITHM_LENGTH) != RSA_ALGORITHM
        ) revert SigningKeys_KeyUnsupported();
        Cursor memory bits = spki.enter(Der.BIT_STRING);
        spki.requireEnd();
        if (bits.remaining() == 0 || bits.peek() != 0) revert SigningKeys_KeyUnsupported();
        bits.take(1);
        Cursor memory numbers = bits.enter(Der.SEQUENCE);
        bits.requireEnd();
        modulus = numbers.readMagnitude(RSA_MAXIMUM_BYTES);
        uint256 exponent = numbers.readUnsigned(32);
        numbers.requireEnd();
        uint256 length = modulus.length();
        if (
            exponent != RSA_EXPONENT ||
            length < RSA_MINIMUM_BYTES ||
            length % RSA_STEP_BYTES != 0 ||
            uint256(modulus.word(0, 1)) >> 255 == 0
        ) revert SigningKeys_KeyUnsupported();
    }

    function _hasPrefix(bytes memory key, bytes32 prefix, uint256 length) private pure returns (bool) {
        return key.length == length + POINT_LENGTH && _slice(key, 0, length).word(0, length) == prefix;
    }

    /// @dev The caller has looked that the range is inside the key.
    function _slice(bytes memory key, uint256 offset, uint256 length) private pure returns (Slice) {
        uint256 start = Slices.fromBytes(key).position() + offset;
        return Slices.between(start, start + length);
    }

    function _sha256(bytes32 message) private pure returns (bytes32) {
        return sha256(abi.encode(message));
    }
}
