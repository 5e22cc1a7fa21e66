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
    /// @param delegatee who is to vote
    /// @param nonce the claimant's nonce in the token
    /// @param expiry unix seconds
    /// @param v of the signature
    /// @param r of the signature
    /// @param s of the signature
    struct Delegation {
        address delegatee;
        uint256 nonce;
        uint256 expiry;
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    /// @notice An account was paid.
    /// @param index its number in the tree
    /// @param account who was paid
    /// @param amount in the smallest unit
    event Claimed(uint256 indexed index, address indexed account, uint256 amount);
    /// @notice What was left after the deadline was sent on.
    /// @param receiver who got it
    /// @param amount in the smallest unit
    event Swept(address indexed receiver, uint256 amount);

    /// @notice The airdrop was to be created without a tree.
    error MerkleAirdrop_RootZero();
    /// @notice The airdrop was to end in the past.
    /// @param earliest the earliest deadline that is possible in this block, in unix seconds
    /// @param actual the deadline
    error MerkleAirdrop_DeadlineInvalid(uint256 earliest, uint256 actual);
    /// @notice The airdrop was to be created over an address without code.
    /// @param account that address
    error MerkleAirdrop_NotAContract(address account);
    /// @notice The entry was paid before.
    /// @param index its number in the tree
    error MerkleAirdrop_AlreadyClaimed(uint256 index);
    /// @notice The tree has no such entry, or the proof is another's.
    /// @param index number of the entry
    /// @param account its account
    /// @param amount its amount
    error MerkleAirdrop_ProofInvalid(uint256 index, address account, uint256 amount);
    /// @notice A claim came after the deadline.
    /// @param deadline last second of the airdrop
    /// @param blockTimestamp the block's time
    error MerkleAirdrop_Ended(uint256 deadline, uint256 blockTimestamp);
    /// @notice The rest was to be sent on before the airdrop ended.
    /// @param deadline last second of the airdrop
    /// @param blockTimestamp the block's time
    error MerkleAirdrop_NotEnded(uint256 deadline, uint256 blockTimestamp);
    /// @notice The delegation could not be submitted, and the account votes by another delegatee.
    /// @param expected the delegatee of the delegation
    /// @param actual the account's delegatee
    error MerkleAirdrop_NotDelegated(address expected, address actual);

    /// @notice Pays `account`. Anyone may submit it.
    /// @param index number of the entry, from 0
    /// @param account who is paid
    /// @param amount in the smallest unit
    /// @param proof siblings from the leaf up
    function claim(uint256 index, address account, uint256 amount, bytes32[] calldata proof) external;

    /// @notice Pays `account` and lets the delegatee of its signed delegation vote with all its tokens.
    /// @dev Still succeeds if somebody else submitted the delegation a moment earlier.
    /// @param index number of the entry, from 0
    /// @param account who is paid
    /// @param amount in the smallest unit
    /// @param proof siblings from the leaf up
    /// @param delegation signed by the account
    function claimAndDelegate(
        uint256 index,
        address account,
        uint256 amount,
        bytes32[] calldata proof,
        Delegation calldata delegation
    ) external;

    /// @notice After the deadline, sends everything that is left to `leftoversTo`. Anyone may call it.
    /// @return amount what was sent, in the smallest unit
    function sweep() external returns (uint256 amount);

    /// @notice Whether an entry was paid.
    /// @param index its number in the tree
    function isClaimed(uint256 index) external view returns (bool);

    /// @notice 256 records at once: bit i is index `256 * wordIndex + i`.
    /// @param wordIndex number of the word, from 0
    function claimedBitmap(uint256 wordIndex) external view returns (uint256);

    /// @notice Root of the tree.
    function root() external view returns (bytes32);

    /// @notice Sum of all amounts in the tree, as its builder declared it.
    function total() external view returns (uint256);

    /// @notice Last second of the airdrop, unix seconds.
    function deadline() external view returns (uint256);

    /// @notice Who gets what is left after the deadline.
    function leftoversTo() external view returns (address);

    /// @notice What is paid.
    function token() external view returns (IOPG);
}
