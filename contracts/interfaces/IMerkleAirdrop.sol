// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

import {IOPG} from "./IOPG.sol";

/// @title IMerkleAirdrop
/// @notice Pays the OPG of an allocation to the accounts in a Merkle tree, each once, until a deadline.
///
/// The tree is OpenZeppelin's standard one over `(uint256 index, address account, uint256 amount)`: the leaf is
/// `keccak256(keccak256(abi.encode(index, account, amount)))` and pairs are hashed in ascending order. Indices
/// run from zero; the record of claims is a bitmap over them.
interface IMerkleAirdrop {
    /// @notice A delegation signed by the claimant, as {IVotes-delegateBySig} takes it.
    /// @param expiry unix seconds
    struct Delegation {
        address delegatee;
        uint256 nonce;
        uint256 expiry;
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    event Claimed(uint256 indexed index, address indexed account, uint256 amount);
    event Swept(address indexed receiver, uint256 amount);

    error MerkleAirdrop_RootZero();
    error MerkleAirdrop_DeadlineInvalid(uint256 earliest, uint256 actual);
    error MerkleAirdrop_NotAContract(address account);
    error MerkleAirdrop_AlreadyClaimed(uint256 index);
    error MerkleAirdrop_ProofInvalid(uint256 index, address account, uint256 amount);
    error MerkleAirdrop_Ended(uint256 deadline, uint256 blockTimestamp);
    error MerkleAirdrop_NotEnded(uint256 deadline, uint256 blockTimestamp);
    error MerkleAirdrop_NotDelegated(address expected, address actual);

    /// @notice Pays `account`. Anyone may submit it.
    function claim(uint256 index, address account, uint256 amount, bytes32[] calldata proof) external;

    /// @notice Pays `account` and lets the delegatee of its signed delegation vote with all its tokens.
    /// @dev Still succeeds if somebody else submitted the delegation a moment earlier.
    function claimAndDelegate(
        uint256 index,
        address account,
        uint256 amount,
        bytes32[] calldata proof,
        Delegation calldata delegation
    ) external;

    /// @notice After the deadline, sends everything that is left to `leftoversTo`. Anyone may call it.
    function sweep() external returns (uint256 amount);

    function isClaimed(uint256 index) external view returns (bool);

    /// @notice 256 records at once: bit i is index `256 * wordIndex + i`.
    function claimedBitmap(uint256 wordIndex) external view returns (uint256);

    function root() external view returns (bytes32);

    /// @notice Sum of all amounts in the tree, as its builder declared it.
    function total() external view returns (uint256);

    /// @notice Last second of the airdrop, unix seconds.
    function deadline() external view returns (uint256);

    function leftoversTo() external view returns (address);

    function token() external view returns (IOPG);
}
