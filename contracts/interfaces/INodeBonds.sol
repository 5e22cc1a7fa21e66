// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

/// @title INodeBonds
/// @notice Holds what operators leave as a bond for their nodes, in OPG.
///
/// `None -> Locked` when a node is admitted, `-> None` when the bond was paid back or forfeited: paid back once the node
/// has been retired for a while, which leaves the guardian time to ban a node that retires to get away; forfeited while
/// it is banned. Nothing here can be paused: an exit depends on nothing but the node's status and the time.
interface INodeBonds {
    /// @param owner who gets it back: the operator who left it
    /// @param amount smallest units of the token
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

    /// @notice Pays the bond of a node that retired `RELEASE_DELAY` ago back to its owner. Anyone may call it.
    function release(bytes32 teeId) external;

    /// @notice Takes the bond of a banned node away. Restricted to governance.
    function forfeit(bytes32 teeId, address receiver) external;

    /// @notice What a node that is admitted from now on has to leave, in smallest units. Restricted to governance.
    function setAmount(uint96 amount_) external;

    function amount() external view returns (uint96);

    function bondOf(bytes32 teeId) external view returns (Bond memory);
}
