// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title RsaPss
/// @notice RSASSA-PSS verification (RFC 8017, sections 8.1.2 and 9.1.2) with SHA-256, MGF1 with SHA-256, a salt of
/// 32 bytes and the public exponent 65537.
///
/// Keys are moduli of 2048 to 4096 bits, a multiple of eight. Whether a modulus is a product of two large secret
/// primes cannot be seen; a key is as good as the one who vouches for it.
library RsaPss {
    uint256 internal constant MINIMUM_LENGTH = 256;
    uint256 internal constant MAXIMUM_LENGTH = 512;

    uint256 private constant EXPONENT = 65_537;
    uint256 private constant EXPONENT_LENGTH = 3;
    /// @dev Of the hash and of the salt.
    uint256 private constant HASH_LENGTH = 32;
    uint256 private constant TRAILER = 0xbc;

    /// @notice A precompiled contract failed: it did not get enough gas.
    error RsaPss_PrecompileFailed();

    /// @notice Whether a modulus is of a form that `isValid` works with.
    /// @param modulus big-endian, without leading zeros (of a DER INTEGER, what is behind the sign byte)
    function isSupportedModulus(bytes memory modulus) internal pure returns (bool) {
        uint256 length = modulus.length;
        if (length < MINIMUM_LENGTH || length > MAXIMUM_LENGTH) return false;
        return uint8(modulus[0]) >= 0x80 && uint8(modulus[length - 1]) & 1 == 1;
    }

    /// @notice Whether `signature` is a signature of `digest` under (modulus, 65537). False for a modulus that is
    /// not supported and for a signature of another length.
    /// @param digest SHA-256 of the message
    /// @param signature big-endian, as long as the modulus
    function isValid(
        bytes memory modulus,
        bytes32 digest,
        bytes memory signature
    ) internal view returns (bool) {
        if (!isSupportedModulus(modulus) || signature.length != modulus.length) return false;
        if (!_isBelow(signature, modulus)) return false;
        return _isEncodingOf(_power(signature, modulus), modulus.length, digest);
    }

    /// @dev Whether a < b for big-endian numbers of the same length, at least 32.
    function _isBelow(bytes memory a, bytes memory b) private pure returns (bool isBelow) {
        assembly ("memory-safe") {
            let length := mload(a)
            for {
                let i := 0
            } lt(i, length) {
                i := add(i, 0x20)
            } {
                // the last word overlaps the one before, which is equal in both
                if gt(add(i, 0x20), length) {
                    i := sub(length, 0x20)
                }
                let wordA := mload(add(add(a, 0x20), i))
                let wordB := mload(add(add(b, 0x20), i))
                if xor(wordA, wordB) {
                    isBelow := lt(wordA, wordB)
                    break
                }
            }
        }
    }

    /// @dev base^65537 modulo the modulus, in as many bytes.
    /// @return result address in memory, without a length in front; the allocation goes on for 64 bytes
    function _power(bytes memory base, bytes memory modulus) private view returns (uint256 result) {
        bool isDone;
        assembly ("memory-safe") {
            let length := mload(modulus)
            let input := mload(0x40)
            mstore(input, length)
            mstore(add(input, 0x20), EXPONENT_LENGTH)
            mstore(add(input, 0x40), length)
            let end := add(input, 0x60)
            mcopy(end, add(base, 0x20), length)
            end := add(end, length)
            mstore(end, shl(sub(256, mul(8, EXPONENT_LENGTH)), EXPONENT))
            end := add(end, EXPONENT_LENGTH)
            mcopy(end, add(modulus, 0x20), length)
            end := add(end, length)
            result := input
            isDone := staticcall(gas(), 0x05, input, sub(end, input), result, length)
            isDone := and(isDone, eq(returndatasize(), length))
            mstore(0x40, and(add(end, 0x3f), not(0x1f)))
        }
        if (!isDone) revert RsaPss_PrecompileFailed();
    }

    /// @dev EMSA-PSS-VERIFY with emBits = 8 length - 1:
    /// message = maskedDB (length - 33) | H (32) | trailer, DB = zeros (length - 66) | 1 | salt (32), the first bit
    /// of maskedDB is zero and the first bit of DB is not used.
    /// @param message address in memory; maskedDB is overwritten
    function _isEncodingOf(uint256 message, uint256 length, bytes32 digest) private view returns (bool) {
        uint256 dbLength = length - HASH_LENGTH - 1;
        uint256 hash;
        bool hasFrame;
        assembly ("memory-safe") {
            hash := mload(add(message, dbLength))
            hasFrame := and(
                eq(byte(0, mload(add(message, sub(length, 1)))), TRAILER),
                iszero(shr(255, mload(message)))
            )
        }
        if (!hasFrame) return false;
        _unmask(message, dbLength, hash);

        uint256 padding = dbLength - HASH_LENGTH - 1;
        uint256 salt;
        bool isPadded;
        assembly ("memory-safe") {
            mstore(message, and(mload(message), shr(1, not(0))))
            let bits := 0
            let last := sub(add(message, padding), 0x20)
            for {
                let word := message
            } lt(word, last) {
                word := add(word, 0x20)
            } {
                bits := or(bits, mload(word))
            }
            bits := or(bits, mload(last))
            isPadded := and(iszero(bits), eq(byte(0, mload(add(message, padding))), 1))
            salt := mload(add(message, add(padding, 1)))
        }
        return isPadded && sha256(abi.encodePacked(uint64(0), digest, salt)) == bytes32(hash);
    }

    /// @dev XORs MGF1(seed, length) into memory (RFC 8017, appendix B.2.1).
    function _unmask(uint256 target, uint256 length, uint256 seed) private view {
        bool isDone = true;
        assembly ("memory-safe") {
            let input := mload(0x40)
            mstore(input, seed)
            let end := add(target, length)
            for {
                let counter := 0
            } lt(target, end) {
                target := add(target, 0x20)
                counter := add(counter, 1)
            } {
                mstore(add(input, 0x20), shl(224, counter))
                isDone := and(isDone, staticcall(gas(), 0x02, input, 0x24, 0x00, 0x20))
                isDone := and(isDone, eq(returndatasize(), 0x20))
                // the last word goes on into what is not needed any more
                mstore(target, xor(mload(target), mload(0x00)))
            }
        }
        if (!isDone) revert RsaPss_PrecompileFailed();
    }
}
