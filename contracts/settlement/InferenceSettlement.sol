// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IInferenceSettlement} from "../interfaces/IInferenceSettlement.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {SettlementBase} from "./parts/SettlementBase.sol";
import {SignedSettlement} from "./parts/SignedSettlement.sol";
import {ZkmlBatchSettlement} from "./parts/ZkmlBatchSettlement.sol";

/// @title InferenceSettlement
/// @notice See {IInferenceSettlement}. This file has the parameters; the parts are {RequestLedger} (what is taken),
/// {SettlementBase} (what every kind asks), {ZkmlSettlement} and {ZkmlBatchSettlement} (proofs), and {SignedSettlement}
/// (enclaves' signatures, and Vanilla).
///
/// Access: `setSettlementWindow`, `setLedgerWriter` and `setTeeRegistry`, which can be called once, are restricted through
/// the AccessManager; everything else is open to everybody. Nobody can clear a record, settle without the node's consent, or settle as ZKML without a proof and as
/// TEE without an enclave's signature. A writer of the ledger can keep requests from being settled, and let go again what
/// it held; it can neither make one settled nor clear one that is.
///
/// @dev A settlement makes static calls only. The one that runs foreign code, to an ERC-1271 node, comes before the
/// first write: that code sees the state from before the settlement, and cannot change it. The others go to the
/// registries, to verifiers that governance set, and to precompiles.
contract InferenceSettlement is ZkmlBatchSettlement, SignedSettlement {
    /// @param authority the AccessManager
    /// @param models the model registry, fixed for good
    /// @param window initial settlement window, in seconds
    constructor(
        address authority,
        IModelRegistry models,
        uint64 window
    ) AccessManaged(authority) SettlementBase(models) {
        _requireContract(authority);
        _setSettlementWindow(window);
    }

    /// @inheritdoc IInferenceSettlement
    function setSettlementWindow(uint64 window) external override restricted {
        _setSettlementWindow(window);
    }
}
