// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IPageSettlement} from "../../interfaces/IPageSettlement.sol";

/// @title PageDeposits
/// @notice Accounts in OPG: deposits of proposers, rewards, what requests for leaves are paid from. A part of
/// {PageSettlement}.
///
/// @dev What the contract holds is the sum of accounts, of deposits of open requests, of fees of pages that were not
/// attested and are not over, and of forfeits.
abstract contract PageDeposits is IPageSettlement {
    using SafeERC20 for IERC20;

    /// @notice The token, OPG.
    ERC20Burnable public immutable TOKEN;

    mapping(address account => Account content) internal _accounts;

    /// @inheritdoc IPageSettlement
    uint256 public override forfeits;

    constructor(ERC20Burnable token) {
        if (address(token).code.length == 0) revert PageSettlement_NotAContract(address(token));
        TOKEN = token;
    }

    /// @inheritdoc IPageSettlement
    function deposit(address account, uint128 amount) external override {
        if (account == address(0)) revert PageSettlement_AccountZero();
        if (amount == 0) revert PageSettlement_AmountInvalid(type(uint128).max, 0);
        _accounts[account].amount += amount;
        emit Deposited(account, amount);
        IERC20(address(TOKEN)).safeTransferFrom(msg.sender, address(this), amount);
    }

    /// @inheritdoc IPageSettlement
    function withdraw(address receiver, uint128 amount) external override {
        if (receiver == address(0)) revert PageSettlement_AccountZero();
        Account storage account = _accounts[msg.sender];
        // All of it answers for every page: whoever sees a challenge coming must not take out what is in excess.
        if (account.openPages != 0) revert PageSettlement_PagesOpen(msg.sender, account.openPages);
        if (amount == 0 || amount > account.amount) {
            revert PageSettlement_AmountInvalid(account.amount, amount);
        }
        account.amount -= amount;
        emit Withdrawn(msg.sender, receiver, amount);
        IERC20(address(TOKEN)).safeTransfer(receiver, amount);
    }

    /// @inheritdoc IPageSettlement
    function burnForfeits() external override {
        uint256 amount = forfeits;
        if (amount == 0) revert PageSettlement_AmountInvalid(0, 0);
        forfeits = 0;
        emit ForfeitsBurned(amount);
        TOKEN.burn(amount);
    }

    /// @inheritdoc IPageSettlement
    function accountOf(address account) external view override returns (Account memory) {
        return _accounts[account];
    }

    /// @dev Takes all that a proposer has here, and one page off them: half for who showed that the page is wrong, the
    /// rest for nobody. More than half would make it pay to challenge oneself before somebody else does.
    /// @param unearned the page's fee, if nobody earned it; part of the deposit
    function _forfeit(
        address proposer,
        uint256 unearned,
        address receiver
    ) internal returns (uint256 reward) {
        Account storage account = _accounts[proposer];
        uint256 lost = account.amount + unearned;
        account.amount = 0;
        account.forfeitedAt = uint64(block.timestamp);
        --account.openPages;
        reward = lost / 2;
        if (lost == 0) return 0;
        forfeits += lost - reward;
        _credit(receiver, reward);
    }

    function _credit(address account, uint256 amount) internal {
        // Of nothing, as of a page without a fee: a look at the account would cost more than this question.
        if (amount == 0) return;
        // All that ever was is below 2^128.
        _accounts[account].amount += uint128(amount);
    }
}
