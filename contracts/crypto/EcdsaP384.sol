// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IEcdsaP384} from "../interfaces/IEcdsaP384.sol";
import {CodeStore} from "../utils/CodeStore.sol";
import {P384} from "./P384.sol";
import {Sha384} from "./Sha384.sol";

/// @title EcdsaP384
/// @notice `IEcdsaP384`. It has no owner, no storage and no state but the table of base points, which its
/// constructor checks against a hash: every deployment of this code does the same.
contract EcdsaP384 is IEcdsaP384 {
    using CodeStore for bytes;

    /// @dev keccak256 of G, 3 G, ..., 127 G, 2^192 G, 3 * 2^192 G, ..., 127 * 2^192 G: x | y each, 48 bytes per
    /// coordinate, as Montgomery residues (a * 2^256 modulo p).
    bytes32 public constant BASE_TABLE_HASH =
        0x4b3aafa918f2d497988c4a2253000757e6f012f94ad76724105d4eb41df92f52;

    /// @notice Holds the table of base points as its code.
    address public immutable BASE_TABLE;

    /// @notice The table is not the one with the hash `BASE_TABLE_HASH`.
    error EcdsaP384_BaseTableInvalid(bytes32 expected, bytes32 actual);

    /// @param baseTable output of `p384BaseTable` of the TypeScript package
    constructor(bytes memory baseTable) {
        bytes32 hash = keccak256(baseTable);
        if (hash != BASE_TABLE_HASH) revert EcdsaP384_BaseTableInvalid(BASE_TABLE_HASH, hash);
        BASE_TABLE = baseTable.write();
    }

    /// @inheritdoc IEcdsaP384
    function verify(
        bytes calldata message,
        bytes calldata publicKey,
        bytes calldata signature,
        bytes calldata hints
    ) external view {
        (bytes16 high, bytes32 low) = Sha384.hash(message);
        P384.verify(uint128(high), uint256(low), publicKey, signature, hints, BASE_TABLE);
    }
}
