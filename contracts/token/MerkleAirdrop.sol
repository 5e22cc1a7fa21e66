// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";
import {IMerkleAirdrop} from "../interfaces/IMerkleAirdrop.sol";
import {IOPG} from "../interfaces/IOPG.sol";

/// @title MerkleAirdrop
/// @notice See {IMerkleAirdrop}.
///
/// Access: open to everybody. Tokens leave to the accounts in the tree and, after the deadline, to `leftoversTo`;
/// nobody can change root, deadline or receiver.
contract MerkleAirdrop is IMerkleAirdrop {
    using BitMaps for BitMaps.BitMap;
    using SafeERC20 for IOPG;

    /// @inheritdoc IMerkleAirdrop
    IOPG public immutable override token;
    /// @inheritdoc IMerkleAirdrop
    bytes32 public immutable override root;
    /// @inheritdoc IMerkleAirdrop
    uint256 public immutable override total;
    /// @inheritdoc IMerkleAirdrop
    uint256 public immutable override deadline;
    /// @inheritdoc IMerkleAirdrop
    address public immutable override leftoversTo;

    BitMaps.BitMap private _claimed;

    /// @param treeTotal sum of all amounts in the tree
    /// @param lastSecond unix seconds
    /// @param receiver gets what is left; a contract, normally the vault of the ecosystem allocation
    constructor(
        IOPG airdropToken,
        bytes32 treeRoot,
        uint256 treeTotal,
        uint256 lastSecond,
        address receiver
    ) {
        if (treeRoot == bytes32(0)) revert MerkleAirdrop_RootZero();
        if (lastSecond <= block.timestamp) {
            revert MerkleAirdrop_DeadlineInvalid(block.timestamp + 1, lastSecond);
        }
        if (receiver.code.length == 0) revert MerkleAirdrop_NotAContract(receiver);
        token = airdropToken;
        root = treeRoot;
        total = treeTotal;
        deadline = lastSecond;
        leftoversTo = receiver;
    }

    /// @inheritdoc IMerkleAirdrop
    function claim(
        uint256 index,
        address account,
        uint256 amount,
        bytes32[] calldata proof
    ) external override {
        _claim(index, account, amount, proof);
    }

    /// @inheritdoc IMerkleAirdrop
    function claimAndDelegate(
        uint256 index,
        address account,
        uint256 amount,
        bytes32[] calldata proof,
        Delegation calldata delegation
    ) external override {
        _claim(index, account, amount, proof);

        IVotes votes = IVotes(address(token));
        // Fails if somebody submitted the signature before, which is no harm; what counts is the outcome. It also
        // is what makes sure that the signature is the account's.
        try
            votes.delegateBySig(
                delegation.delegatee,
                delegation.nonce,
                delegation.expiry,
                delegation.v,
                delegation.r,
                delegation.s
            )
        {} catch {} // solhint-disable-line no-empty-blocks
        address delegatee = votes.delegates(account);
        if (delegatee != delegation.delegatee) {
            revert MerkleAirdrop_NotDelegated(delegation.delegatee, delegatee);
        }
    }

    /// @inheritdoc IMerkleAirdrop
    function sweep() external override returns (uint256 amount) {
        if (block.timestamp <= deadline) revert MerkleAirdrop_NotEnded(deadline, block.timestamp);
        amount = token.balanceOf(address(this));
        emit Swept(leftoversTo, amount);
        token.safeTransfer(leftoversTo, amount);
    }

    /// @inheritdoc IMerkleAirdrop
    function isClaimed(uint256 index) external view override returns (bool) {
        return _claimed.get(index);
    }

    /// @inheritdoc IMerkleAirdrop
    function claimedBitmap(uint256 wordIndex) external view override returns (uint256) {
        return _claimed._data[wordIndex];
    }

    function _claim(uint256 index, address account, uint256 amount, bytes32[] calldata proof) private {
        if (block.timestamp > deadline) revert MerkleAirdrop_Ended(deadline, block.timestamp);
        if (_claimed.get(index)) revert MerkleAirdrop_AlreadyClaimed(index);
        // Hashed twice: an inner node of the tree, hashed once from 64 bytes, can never pass for a leaf.
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(index, account, amount))));
        if (!MerkleProof.verifyCalldata(proof, root, leaf)) {
            revert MerkleAirdrop_ProofInvalid(index, account, amount);
        }

        _claimed.set(index);
        emit Claimed(index, account, amount);
        token.safeTransfer(account, amount);
    }
}
