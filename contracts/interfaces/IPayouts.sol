// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

/// @title IPayouts
/// @notice How tokens leave a contract that holds them for others: by a transfer, or as a credit where that fails, so that
/// nobody whom a token blocks keeps others from what is theirs.
interface IPayouts {
    /// @notice A transfer failed: the account can withdraw the tokens.
    /// @param token the token
    /// @param account whose they are
    /// @param amount smallest units
    event Credited(address indexed token, address indexed account, uint256 amount);
    /// @notice An account withdrew what a transfer had not brought.
    /// @param token the token
    /// @param account whose it was
    /// @param receiver who got it
    /// @param amount smallest units
    event CreditWithdrawn(
        address indexed token,
        address indexed account,
        address indexed receiver,
        uint256 amount
    );

    /// @notice An account is zero, or the contract itself.
    /// @param account the account
    error Payouts_AccountInvalid(address account);
    /// @notice The account has no credit.
    /// @param token the token
    /// @param account the account
    error Payouts_NoCredit(address token, address account);

    /// @notice Pays out what a transfer to the caller had not brought.
    /// @param token the token
    /// @param receiver who gets it
    function withdrawCredit(address token, address receiver) external;

    /// @notice What an account can withdraw.
    /// @param token the token
    /// @param account the account
    /// @return amount smallest units
    function creditOf(address token, address account) external view returns (uint256 amount);
}
