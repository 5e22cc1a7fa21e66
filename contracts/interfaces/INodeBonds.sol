// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

/// @title INodeBonds
/// @notice Holds what operators leave as a bond for their nodes, in OPG.
///
/// `None -> Locked` when a node is admitted, `-> Gone` when the bond was paid back or forfeited. It is paid back to who
/// left it, by anybody's call: `RELEASE_DELAY` after the node retired, which leaves the guardian time to ban a node that
/// retires to get away; or, if the node is banned besides or its operator denied, `MAXIMUM_HOLD` after it retired or was
/// banned, whichever came later. Until then governance may take it. A banned node can be retired by its operator, so
/// that no bond is held without end, whatever the guardian does; and a node that has retired is never in service again,
/// so that none is there whose bond was paid back. Nothing here can be paused.
interface INodeBonds {
    /// @param owner who gets it back: the operator who left it; stays when the bond has gone
    /// @param amount smallest units of the token; zero when it has gone
    struct Bond {
        address owner;
        uint96 amount;
    }

    event BondAmountChanged(uint96 previous, uint96 current);
    event BondLocked(bytes32 indexed teeId, address indexed owner, uint96 amount);
    event BondReleased(bytes32 indexed teeId, address indexed owner, uint96 amount);
    event BondForfeited(bytes32 indexed teeId, address indexed receiver, uint96 amount);

    error NodeBonds_NotAContract(address account);
    error NodeBonds_NotTheRegistry(address expected, address actual);
    error NodeBonds_NoBond(bytes32 teeId);
    /// @dev As numbers of ITEERegistryTypes.NodeStatus.
    error NodeBonds_StatusInvalid(bytes32 teeId, uint8 expected, uint8 actual);
    error NodeBonds_TooEarly(uint256 earliest, uint256 blockTimestamp);
    error NodeBonds_ReceiverZero();

    /// @notice Takes the bond of a node that is being admitted from its operator, who has approved it. Nothing while
    /// the amount is zero. Only the registry.
    function lock(bytes32 teeId, address operator) external;

    /// @notice Pays the bond of a retired or expelled node back to its owner, once its time has come. Anyone may call it.
    function release(bytes32 teeId) external;

    /// @notice From when on a bond can be paid back as things stand, in unix seconds. Reverts where the node has to
    /// retire first.
    function releasableAt(bytes32 teeId) external view returns (uint256);

    /// @notice Takes the bond of a node away that is banned, or whose operator is denied. Restricted to governance.
    function forfeit(bytes32 teeId, address receiver) external;

    /// @notice What a node that is admitted from now on has to leave, in smallest units. Restricted to governance.
    function setAmount(uint96 amount_) external;

    function amount() external view returns (uint96);

    function bondOf(bytes32 teeId) external view returns (Bond memory);

    /// @notice Whether the node had a bond which was paid back or forfeited.
    function hasLeft(bytes32 teeId) external view returns (bool);
}
