// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";

/// @title ReenteringToken
/// @notice A token that calls back while it moves, as a holder of itself.
contract ReenteringToken is ERC20Burnable {
    address private _target;
    bytes private _call;
    /// @notice How often it called back, and how often that went through.
    uint256 public calls;
    uint256 public successes;

    constructor() ERC20("Reentering", "RE") {
        _mint(msg.sender, 1_000_000_000e18);
    }

    /// @notice Calls a contract as the holder that the token is.
    function act(address target, bytes calldata data) external {
        (bool isDone, bytes memory reason) = target.call(data);
        if (isDone) return;
        assembly ("memory-safe") {
            revert(add(reason, 32), mload(reason))
        }
    }

    /// @notice Makes the same call while each of the transfers to come moves.
    function arm(address target, bytes calldata data) external {
        (_target, _call) = (target, data);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (_target == address(0) || msg.sender != _target) return;
        ++calls;
        (bool isDone, ) = _target.call(_call);
        if (isDone) ++successes;
    }
}
