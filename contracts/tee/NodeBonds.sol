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
/// Access, through the AccessManager: governance sets the amount for nodes to come and forfeits bonds of banned ones
/// and of denied operators'.
/// The registry alone takes bonds.
contract NodeBonds is INodeBonds, AccessManaged {
    using SafeERC20 for IERC20;

    /// @notice Seconds for which a node has to be retired before its bond is released.
    uint64 public constant RELEASE_DELAY = 21 days;
    /// @notice The same where the node is banned or its operator denied: time for a proposal to take the bond, and no more.
    uint64 public constant MAXIMUM_HOLD = 60 days;

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
        uint256 earliest = releasableAt(teeId);
        if (block.timestamp < earliest) revert NodeBonds_TooEarly(earliest, block.timestamp);
        (address owner, uint96 amount_) = _empty(teeId);
        emit BondReleased(teeId, owner, amount_);
        TOKEN.safeTransfer(owner, amount_);
    }

    /// @inheritdoc INodeBonds
    function forfeit(bytes32 teeId, address receiver) external override restricted {
        if (receiver == address(0)) revert NodeBonds_ReceiverZero();
        Bond storage bond = _knownBond(teeId);
        ITEERegistryTypes.NodeStatus status = REGISTRY.nodeOf(teeId).status;
        if (!_isHeld(bond.owner, status)) {
            revert NodeBonds_StatusInvalid(teeId, uint8(ITEERegistryTypes.NodeStatus.Banned), uint8(status));
        }
        (, uint96 amount_) = _empty(teeId);
        emit BondForfeited(teeId, receiver, amount_);
        TOKEN.safeTransfer(receiver, amount_);
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

    /// @inheritdoc INodeBonds
    function hasLeft(bytes32 teeId) external view override returns (bool) {
        Bond storage bond = _bonds[teeId];
        return bond.owner != address(0) && bond.amount == 0;
    }

    /// @inheritdoc INodeBonds
    function releasableAt(bytes32 teeId) public view override returns (uint256) {
        Bond storage bond = _knownBond(teeId);
        ITEERegistryTypes.NodeStatus status = REGISTRY.nodeOf(teeId).status;
        if (
            status != ITEERegistryTypes.NodeStatus.Retired && status != ITEERegistryTypes.NodeStatus.Expelled
        ) {
            revert NodeBonds_StatusInvalid(teeId, uint8(ITEERegistryTypes.NodeStatus.Retired), uint8(status));
        }
        return REGISTRY.standingSince(teeId) + (_isHeld(bond.owner, status) ? MAXIMUM_HOLD : RELEASE_DELAY);
    }

    /// @dev Whether governance may take the bond: its node is banned, or its owner, who operates the node, denied.
    function _isHeld(address owner, ITEERegistryTypes.NodeStatus status) private view returns (bool) {
        return
            status == ITEERegistryTypes.NodeStatus.Banned ||
            status == ITEERegistryTypes.NodeStatus.Expelled ||
            REGISTRY.isOperatorDenied(owner);
    }

    /// @dev The owner stays, so that it is known that there was a bond.
    function _empty(bytes32 teeId) private returns (address owner, uint96 amount_) {
        Bond storage bond = _bonds[teeId];
        (owner, amount_) = (bond.owner, bond.amount);
        bond.amount = 0;
    }

    function _knownBond(bytes32 teeId) private view returns (Bond storage bond) {
        bond = _bonds[teeId];
        if (bond.amount == 0) revert NodeBonds_NoBond(teeId);
    }
}
