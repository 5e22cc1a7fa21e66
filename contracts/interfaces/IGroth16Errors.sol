// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

/// @title IGroth16Errors
/// @notice Why a Groth16 proof was refused.
interface IGroth16Errors {
    /// @notice A proof is `A (64) | B (128) | C (64)`.
    /// @param expected bytes of a proof
    /// @param actual bytes of this one
    error Groth16_ProofLengthInvalid(uint256 expected, uint256 actual);

    /// @notice A public signal is not below the scalar field's order. Signals are never reduced: `s` and
    /// `s + r` would satisfy the same proof.
    /// @param index its number, from 0
    /// @param value the signal
    error Groth16_PublicSignalOutOfRange(uint256 index, uint256 value);

    /// @notice The key store holds no key at the given offset.
    /// @param keyStore the contract that should hold it
    error Groth16_KeyMissing(address keyStore);

    /// @notice The curve precompiles refused a point of the key, or the gas did not suffice for them.
    error Groth16_KeyPointInvalid();

    /// @notice A or C is not on the curve, B is not in its subgroup, A is the point at infinity, a coordinate is
    /// not below the base field's order, or the gas did not suffice for the pairing.
    error Groth16_ProofPointInvalid();

    /// @notice Every point is well formed, but the equation does not hold for these public signals.
    error Groth16_ProofInvalid();
}
