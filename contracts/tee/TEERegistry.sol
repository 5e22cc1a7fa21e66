// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IAttestationVerifier} from "../interfaces/IAttestationVerifier.sol";
import {INodeBonds} from "../interfaces/INodeBonds.sol";
import {ISigningKeys} from "../interfaces/ISigningKeys.sol";
import {ITEERegistry} from "../interfaces/ITEERegistry.sol";
import {LegacyEntryPoints} from "./parts/LegacyEntryPoints.sol";
import {TEENodes} from "./parts/TEENodes.sol";

/// @title TEERegistry
/// @notice See {ITEERegistry}. This file has the parameters; the parts are {TEEImages} (what code is approved),
/// {TEENodes} (who is trusted when), {TEEAdmission} (how one gets in), {TEEKeys} (what nodes sign) and
/// {LegacyEntryPoints} (what the public network's tools call). Reads for people are in {TEERegistryLens}.
///
/// Access, through the AccessManager: governance sets types, verifiers, parameters, and takes exclusions back; image
/// approvers approve; the guardian only removes: images, nodes, operators, and admissions for a bounded time;
/// registrars use the legacy entry point. An operator changes their own nodes; nobody else does.
///
/// @dev External code runs only in verifiers and in the holder of bonds, which governance chose, and never between a
/// check and what rests on it: admission and renewal call the verifier before they look at the node, the operator, the
/// image or a pause, and the bond is taken last. Which verifier it was is the only thing read before it.
contract TEERegistry is LegacyEntryPoints {
    /// @param authority the AccessManager
    /// @param signingKeys_ checks nodes' signatures, fixed for good
    /// @param nitro the verifier that the legacy entry points speak of
    /// @param heartbeatMaxAge_ initial value, in seconds
    /// @param attestationMaxAge_ initial value, in seconds
    constructor(
        address authority,
        ISigningKeys signingKeys_,
        IAttestationVerifier nitro,
        uint64 heartbeatMaxAge_,
        uint64 attestationMaxAge_
    ) AccessManaged(authority) TEENodes(signingKeys_) {
        _requireContract(authority);
        _setVerifier(NITRO, nitro);
        _setHeartbeatMaxAge(heartbeatMaxAge_);
        _setAttestationMaxAge(attestationMaxAge_);
    }

    /// @inheritdoc ITEERegistry
    function setHeartbeatMaxAge(uint256 age) external override restricted {
        _setHeartbeatMaxAge(age);
    }

    /// @inheritdoc ITEERegistry
    function setAttestationMaxAge(uint64 age) external override restricted {
        _setAttestationMaxAge(age);
    }

    /// @inheritdoc ITEERegistry
    function setVerifier(uint8 verifierId, IAttestationVerifier verifier_) external override restricted {
        _setVerifier(verifierId, verifier_);
    }

    /// @inheritdoc ITEERegistry
    function setBonds(INodeBonds bonds_) external override restricted {
        if (address(bonds_) != address(0)) _requireContract(address(bonds_));
        emit BondsChanged(bonds, bonds_);
        bonds = bonds_;
    }
}
