// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title HostileToken
/// @notice A token that refuses receivers, keeps a part of what moves, or calls somebody while it moves.
contract HostileToken is ERC20 {
    mapping(address receiver => bool) private _isBlocked;
    uint256 private _kept;
    address private _target;
    bytes private _call;
    /// @notice How often it called, how often that went through, and with what the last one was refused.
    uint256 public calls;
    uint256 public successes;
    bytes4 public refusal;

    constructor() ERC20("Hostile", "HO") {
        _mint(msg.sender, 1_000_000e18);
    }

    /// @notice Refuses transfers to a receiver from now on, or no more.
    function setBlocked(address receiver, bool isBlocked) external {
        _isBlocked[receiver] = isBlocked;
    }

    /// @notice Destroys this much of each transfer.
    function setKept(uint256 amount) external {
        _kept = amount;
    }

    /// @notice Makes a call while each of the transfers to come moves.
    function arm(address target, bytes calldata data) external {
        (_target, _call) = (target, data);
    }

    function _update(address from, address to, uint256 value) internal override {
        require(!_isBlocked[to], "blocked");
        super._update(from, to, value);
        if (_kept != 0) super._update(to, address(0), _kept);
        if (_target == address(0)) return;
        ++calls;
        (bool isDone, bytes memory reason) = _target.call(_call);
        if (isDone) ++successes;
        else refusal = bytes4(reason);
    }
}
