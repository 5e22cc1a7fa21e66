// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

/// @title IRequestLedger
/// @notice Which requests are taken: one bit for each, 256 nonces of a node in a storage slot, a ledger page.
///
/// Every kind of settlement that counts as verified writes here, so that a request settles at most once, whatever proof,
/// signature or batch is presented. The settlement that holds the ledger records for good. Other contracts, the writers,
/// hold bits as pending, and may give back exactly what they hold, writers or not any more; governance says who they are.
///
/// A bit says that a request is taken, not that a result of it is verified, or of what kind. `isSettled` says that it was
/// settled for good in one transaction; of a page's results the contract that holds the page knows the state.
interface IRequestLedger {
    /// @notice Governance let a contract hold requests, or took that back.
    /// @param writer the contract
    /// @param allowed whether it may from now on
    event LedgerWriterChanged(address indexed writer, bool allowed);

    /// @notice Somebody else than a writer was to hold requests, or to settle late.
    /// @param caller who called
    error RequestLedger_NotWriter(address caller);
    /// @notice Somebody was to give back requests that they do not hold.
    /// @param page the ledger page
    /// @param held bits that they hold there
    /// @param given bits that they were to give back
    error RequestLedger_NotHeld(uint256 page, uint256 held, uint256 given);
    /// @notice A writer is to be set to what it is, or is named without code, or there are too many.
    /// @param writer the contract
    error RequestLedger_WriterInvalid(address writer);

    /// @notice Takes the requests of a page that are free, as pending. Only writers.
    /// @param page number of the ledger page, `requestId >> 8`
    /// @param bitmap the requests that are wanted
    /// @return taken those of them that nobody had taken
    function hold(uint256 page, uint256 bitmap) external returns (uint256 taken);

    /// @notice Gives back requests that the caller holds: they can be settled again.
    /// @param page number of the ledger page
    /// @param bitmap the requests, all of them held by the caller
    function release(uint256 page, uint256 bitmap) external;

    /// @notice Lets a contract hold requests, or takes that back; what it holds stays taken until it gives it back. Restricted
    /// to governance.
    /// @param writer the contract
    /// @param allowed whether it may
    function setLedgerWriter(address writer, bool allowed) external;

    /// @notice Whether a request was settled for good in one transaction: by a proof, alone or in a batch of proofs, or
    /// by an enclave's signature. False while a writer holds it, whatever the writer has come to.
    /// @param requestId the request
    /// @return settled whether it was
    function isSettled(bytes32 requestId) external view returns (bool settled);

    /// @notice Which requests of a ledger page are taken, pending ones included: bit i is nonce `256 * (page mod 2^88) + i`
    /// of the node `page >> 88`.
    /// @param page number of the ledger page
    /// @return bitmap zero for a page that nothing was taken of
    function occupied(uint256 page) external view returns (uint256 bitmap);

    /// @notice Which requests of a ledger page a writer holds.
    /// @param writer the contract
    /// @param page number of the ledger page
    /// @return bitmap those requests
    function heldBy(address writer, uint256 page) external view returns (uint256 bitmap);

    /// @notice Whether a contract may hold requests.
    /// @param writer the contract
    /// @return allowed whether it may
    function isLedgerWriter(address writer) external view returns (bool allowed);
}
