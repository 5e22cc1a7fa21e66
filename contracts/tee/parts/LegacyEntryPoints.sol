// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {NitroFields} from "../../attestation/nitro/NitroFields.sol";
import {ILegacyTEERegistry} from "../../interfaces/ILegacyTEERegistry.sol";
import {LegacyAnswers} from "../LegacyAnswers.sol";
import {NodeRecords} from "./NodeRecords.sol";
import {TEEAdmission} from "./TEEAdmission.sol";
import {TEEKeys} from "./TEEKeys.sol";

/// @title LegacyEntryPoints
/// @notice What the public network's tools call and nothing else here needs: it speaks of AWS Nitro alone. A part of
/// {TEERegistry}, and the only one that knows a vendor. What the registry itself need not know is in {LegacyAnswers}.
abstract contract LegacyEntryPoints is TEEAdmission, TEEKeys {
    /// @dev The verifier that these functions speak of.
    uint8 internal constant NITRO = 0;

    /// @dev Answers what no function here does; fixed for good.
    LegacyAnswers private immutable LEGACY_ANSWERS = new LegacyAnswers(NITRO);

    /// @notice Passes on whatever the registry does not know, with its answer or its refusal; see {ILegacyAnswers}. As a
    /// static call: nothing that comes of it changes anything.
    fallback() external {
        _passOn();
    }

    /// @inheritdoc ILegacyTEERegistry
    function registerTEEWithAttestation(
        bytes calldata attestationDocument,
        bytes calldata signingPublicKey,
        bytes calldata tlsCertificate,
        address paymentAddress,
        string calldata endpoint,
        uint8 teeType
    ) external override restricted returns (bytes32) {
        // What the evidence is bound to is not looked at: those tools choose a random nonce. What a binding would guard
        // against, another account presenting the same enclave, is left to the registrars.
        return
            _admitVerified(
                Admission({
                    verifierId: NITRO,
                    verifierGeneration: 0,
                    teeType: teeType,
                    paymentAddress: paymentAddress,
                    endpoint: endpoint,
                    signingKey: signingPublicKey,
                    tlsCertificate: tlsCertificate
                }),
                attestationDocument
            );
    }

    /// @inheritdoc ILegacyTEERegistry
    function approvePCR(
        PCRMeasurements calldata pcrs,
        string calldata version,
        uint8 teeType
    ) external override restricted {
        _approve(computePCRHash(pcrs), version, teeType, NITRO, 0, 0, "");
    }

    /// @inheritdoc ILegacyTEERegistry
    function revokePCR(bytes32 pcrHash, uint8 teeType) external override restricted {
        _revoke(pcrHash, teeType, NITRO);
    }

    /// @inheritdoc ILegacyTEERegistry
    function isPCRApproved(uint8 teeType, bytes32 pcrHash) external view override returns (bool) {
        return isImageApproved(pcrHash, teeType, NITRO);
    }

    /// @inheritdoc ILegacyTEERegistry
    function computePCRHash(PCRMeasurements calldata pcrs) public pure override returns (bytes32) {
        return NitroFields.measurementOf(pcrs.pcr0, pcrs.pcr1, pcrs.pcr2);
    }

    /// @inheritdoc ILegacyTEERegistry
    function getActiveTEEs(uint8 teeType) external view override returns (TEEInfo[] memory nodes) {
        bytes32[] storage teeIds = _nodesByType[teeType];
        nodes = new TEEInfo[](teeIds.length);
        uint256 found = 0;
        for (uint256 i = 0; i < nodes.length; ++i) {
            bytes32 teeId = teeIds[i];
            if (!isTEEActive(teeId)) continue;
            nodes[found] = getTEE(teeId);
            ++found;
        }
        assembly ("memory-safe") {
            mstore(nodes, found)
        }
    }

    /// @inheritdoc ILegacyTEERegistry
    function getTEEPublicKey(bytes32 teeId) external view override returns (bytes memory) {
        address record = _knownNode(teeId).record;
        return NodeRecords.readSigningKey(record, NodeRecords.readIdentity(record));
    }

    /// @inheritdoc ILegacyTEERegistry
    function computeTEEId(bytes calldata signingKey) external pure override returns (bytes32) {
        return keccak256(signingKey);
    }

    /// @inheritdoc ILegacyTEERegistry
    function getTEE(bytes32 teeId) public view override returns (TEEInfo memory) {
        Node storage node = _knownNode(teeId);
        address record = node.record;
        NodeRecords.Identity memory identity = NodeRecords.readIdentity(record);
        return
            TEEInfo({
                owner: node.operator,
                paymentAddress: identity.paymentAddress,
                endpoint: NodeRecords.readEndpoint(record, identity),
                publicKey: NodeRecords.readSigningKey(record, identity),
                tlsCertificate: NodeRecords.readTlsCertificate(record, identity),
                pcrHash: identity.measurement,
                teeType: node.teeType,
                enabled: node.status == NodeStatus.Enabled,
                registeredAt: node.registeredAt,
                lastHeartbeatAt: node.lastHeartbeatAt,
                ohttpConfig: _ohttpConfigOf(teeId)
            });
    }

    function _passOn() private view {
        address answers = address(LEGACY_ANSWERS);
        assembly ("memory-safe") {
            let data := mload(0x40)
            calldatacopy(data, 0, calldatasize())
            let isAnswered := staticcall(gas(), answers, data, calldatasize(), 0, 0)
            returndatacopy(data, 0, returndatasize())
            if isAnswered {
                return(data, returndatasize())
            }
            revert(data, returndatasize())
        }
    }
}
