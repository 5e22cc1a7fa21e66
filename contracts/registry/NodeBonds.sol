// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {INodeBonds} from "../interfaces/INodeBonds.sol";
import {ITEERegistry} from "../interfaces/ITEERegistry.sol";
import {ITEERegistryTypes} from "../interfaces/ITEERegistryTypes.sol";

/// @title NodeBonds
/// @notice See {INodeBonds}. One contract beside the registry, so that tokens and trust do not share a contract.
///
/// Access, through the AccessManager: governance sets the amount for nodes to come and forfeits bonds of banned ones.
/// The registry alone takes bonds.
contract NodeBonds is INodeBonds, AccessManaged {
    using SafeERC20 for IERC20;

    /// @notice Seconds for which a node has to be retired before its bond is released.
    uint64 public constant RELEASE_DELAY = 7 days;

    IERC20 public immutable TOKEN;
    ITEERegistry public immutable REGISTRY;

    /// @inheritdoc INodeBonds
    uint96 public override amount;

    mapping(bytes32 teeId => Bond bond) private _bonds;

    constructor(address authority, IERC20 token, ITEERegistry registry) AccessManaged(authority) {
        if (authority.code.length == 0) revert NodeBonds_NotAContract(authority);
        if (address(token).code.length == 0) revert NodeBonds_NotAContract(address(token));
        if (address(registry).code.length == 0) revert NodeBonds_NotAContract(address(registry));
        TOKEN = token;
        REGISTRY = registry;
    }

    /// @inheritdoc INodeBonds
    function lock(bytes32 teeId, address operator) external override {
        if (msg.sender != address(REGISTRY)) revert NodeBonds_NotTheRegistry(address(REGISTRY), msg.sender);
        uint96 amount_ = amount;
        if (amount_ == 0) return;
        // A node is admitted once, so that no bond can be there.
        _bonds[teeId] = Bond({owner: operator, amount: amount_});
        emit BondLocked(teeId, operator, amount_);
        TOKEN.safeTransferFrom(operator, address(this), amount_);
    }

    /// @inheritdoc INodeBonds
    function release(bytes32 teeId) external override {
        Bond memory bond = _knownBond(teeId);
        _requireStatus(teeId, ITEERegistryTypes.NodeStatus.Retired);
        uint256 earliest = REGISTRY.standingSince(teeId) + RELEASE_DELAY;
        if (block.timestamp < earliest) revert NodeBonds_TooEarly(earliest, block.timestamp);
        delete _bonds[teeId];
        emit BondReleased(teeId, bond.owner, bond.amount);
        TOKEN.safeTransfer(bond.owner, bond.amount);
    }

    /// @inheritdoc INodeBonds
    function forfeit(bytes32 teeId, address receiver) external override restricted {
        if (receiver == address(0)) revert NodeBonds_ReceiverZero();
        Bond memory bond = _knownBond(teeId);
        _requireStatus(teeId, ITEERegistryTypes.NodeStatus.Banned);
        delete _bonds[teeId];
        emit BondForfeited(teeId, receiver, bond.amount);
        TOKEN.safeTransfer(receiver, bond.amount);
    }

    /// @inheritdoc INodeBonds
    function setAmount(uint96 amount_) external override restricted {
        emit BondAmountChanged(amount, amount_);
        amount = amount_;
    }

    /// @inheritdoc INodeBonds
    function bondOf(bytes32 teeId) external view override returns (Bond memory) {
        return _bonds[teeId];
    }

    function _knownBond(bytes32 teeId) private view returns (Bond storage bond) {
        bond = _bonds[teeId];
        if (bond.owner == address(0)) revert NodeBonds_NoBond(teeId);
    }

    function _requireStatus(bytes32 teeId, ITEERegistryTypes.NodeStatus expected) private view {
        ITEERegistryTypes.NodeStatus actual = REGISTRY.getNode(teeId).status;
        if (actual != expected) revert NodeBonds_StatusInvalid(teeId, uint8(expected), uint8(actual));
    }
}
