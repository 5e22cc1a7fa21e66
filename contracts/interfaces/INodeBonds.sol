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
    /// @notice What is held for a node.
    /// @param owner who gets it back: the operator who left it; stays when the bond has gone
    /// @param amount smallest units of the token; zero when it has gone
    struct Bond {
        address owner;
        uint96 amount;
    }

    /// @notice Governance set what a new node has to leave.
    /// @param previous smallest units before
    /// @param current smallest units from now on
    event BondAmountChanged(uint96 previous, uint96 current);
    /// @notice A node was admitted, and its bond taken.
    /// @param teeId the node
    /// @param owner who left it
    /// @param amount in smallest units
    event BondLocked(bytes32 indexed teeId, address indexed owner, uint96 amount);
    /// @notice A bond was paid back.
    /// @param teeId the node
    /// @param owner who got it back
    /// @param amount in smallest units
    event BondReleased(bytes32 indexed teeId, address indexed owner, uint96 amount);
    /// @notice Governance took a bond.
    /// @param teeId the node
    /// @param receiver who got it
    /// @param amount in smallest units
    event BondForfeited(bytes32 indexed teeId, address indexed receiver, uint96 amount);

    /// @notice It was to be created over an address without code.
    /// @param account that address
    error NodeBonds_NotAContract(address account);
    /// @notice Somebody else than the registry was to take a bond.
    /// @param expected the registry
    /// @param actual the caller
    error NodeBonds_NotTheRegistry(address expected, address actual);
    /// @notice No bond of the node is held.
    /// @param teeId the node
    error NodeBonds_NoBond(bytes32 teeId);
    /// @notice The node has to retire first, or be banned. Statuses are numbers of ITEERegistryTypes.NodeStatus.
    /// @param teeId the node
    /// @param expected what its status has to be
    /// @param actual its status
    error NodeBonds_StatusInvalid(bytes32 teeId, uint8 expected, uint8 actual);
    /// @notice The bond is still held.
    /// @param earliest when it can be paid back, in unix seconds
    /// @param blockTimestamp the block's time
    error NodeBonds_TooEarly(uint256 earliest, uint256 blockTimestamp);
    /// @notice A bond was to be taken for nobody.
    error NodeBonds_ReceiverZero();

    /// @notice Takes the bond of a node that is being admitted from its operator, who has approved it. Nothing while
    /// the amount is zero. Only the registry.
    /// @param teeId the node
    /// @param operator who leaves the bond
    function lock(bytes32 teeId, address operator) external;

    /// @notice Pays the bond of a retired or expelled node back to its owner, once its time has come. Anyone may call
    /// it.
    /// @param teeId the node
    function release(bytes32 teeId) external;

    /// @notice From when on a bond can be paid back as things stand, in unix seconds. Reverts where the node has to
    /// retire first.
    /// @param teeId the node
    function releasableAt(bytes32 teeId) external view returns (uint256);

    /// @notice Takes the bond of a node away that is banned, or whose operator is denied. Restricted to governance.
    /// @param teeId the node
    /// @param receiver who gets it
    function forfeit(bytes32 teeId, address receiver) external;

    /// @notice What a node that is admitted from now on has to leave, in smallest units. Restricted to governance.
    /// @param amount_ smallest units
    function setAmount(uint96 amount_) external;

    /// @notice What a node that is admitted now has to leave, in smallest units.
    function amount() external view returns (uint96);

    /// @notice The bond that was left for a node.
    /// @param teeId the node
    function bondOf(bytes32 teeId) external view returns (Bond memory);

    /// @notice Whether the node had a bond which was paid back or forfeited.
    /// @param teeId the node
    function hasLeft(bytes32 teeId) external view returns (bool);
}
