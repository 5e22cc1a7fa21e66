// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {ILegacyAnswers} from "../interfaces/ILegacyAnswers.sol";
import {ILegacyTEERegistry} from "../interfaces/ILegacyTEERegistry.sol";
import {ITEERegistry} from "../interfaces/ITEERegistry.sol";

/// @title LegacyAnswers
/// @notice See {ILegacyAnswers}. The registry creates it and has no room for what is in it.
///
/// Access: nobody has special rights. It keeps nothing, and answers for whichever registry calls it.
contract LegacyAnswers is ILegacyAnswers {
    bytes32 private constant ADMINISTRATOR = 0;
    bytes32 private constant TEE_OPERATOR = keccak256("TEE_OPERATOR");

    /// @dev `ADMIN_ROLE` of the AccessManager.
    uint64 private constant MANAGER_ADMIN = 0;

    /// @dev Id of the verifier that those tools speak of.
    uint8 private immutable VERIFIER_ID;

    constructor(uint8 verifierId) {
        VERIFIER_ID = verifierId;
    }

    /// @inheritdoc ILegacyAnswers
    function getApprovedPCRs() external view override returns (PCRKey[] memory approved) {
        ITEERegistry registry = _registry();
        uint256 count = registry.imageCount();
        approved = new PCRKey[](count);
        uint256 found = 0;
        for (uint256 i = 0; i < count; ++i) {
            ITEERegistry.ImageKey memory image = registry.imageAt(i);
            if (image.verifierId != VERIFIER_ID) continue;
            if (!registry.isImageApproved(image.measurement, image.teeType, VERIFIER_ID)) continue;
            approved[found] = PCRKey(image.measurement, image.teeType);
            ++found;
        }
        assembly ("memory-safe") {
            mstore(approved, found)
        }
    }

    /// @inheritdoc ILegacyAnswers
    function getTEEsByType(uint8 teeType) public view override returns (bytes32[] memory teeIds) {
        ITEERegistry registry = _registry();
        teeIds = new bytes32[](registry.nodeCount(teeType));
        for (uint256 i = 0; i < teeIds.length; ++i) {
            teeIds[i] = registry.nodeAt(teeType, i);
        }
    }

    /// @inheritdoc ILegacyAnswers
    function getEnabledTEEs(uint8 teeType) external view override returns (bytes32[] memory teeIds) {
        teeIds = getTEEsByType(teeType);
        uint256 kept = 0;
        for (uint256 i = 0; i < teeIds.length; ++i) {
            bytes32 teeId = teeIds[i];
            if (!_registry().isTEEEnabled(teeId)) continue;
            teeIds[kept] = teeId;
            ++kept;
        }
        assembly ("memory-safe") {
            mstore(teeIds, kept)
        }
    }

    /// @inheritdoc ILegacyAnswers
    function hasRole(bytes32 role, address account) external view override returns (bool isMember) {
        if (role != ADMINISTRATOR && role != TEE_OPERATOR) return false;
        IAccessManager manager = IAccessManager(_authority());
        uint64 roleId = MANAGER_ADMIN;
        if (role == TEE_OPERATOR) {
            bytes4 selector = ILegacyTEERegistry.registerTEEWithAttestation.selector;
            roleId = manager.getTargetFunctionRole(msg.sender, selector);
        }
        (isMember, ) = manager.hasRole(roleId, account);
    }

    /// @inheritdoc ILegacyAnswers
    function grantRole(bytes32, address) external view override {
        _refuseRoles();
    }

    /// @inheritdoc ILegacyAnswers
    function revokeRole(bytes32, address) external view override {
        _refuseRoles();
    }

    /// @inheritdoc ILegacyAnswers
    function setAWSRootCertificate(bytes calldata) external view override {
        _refuseRoot();
    }

    /// @inheritdoc ILegacyAnswers
    function awsRootCertificate() external view override returns (bytes memory) {
        _refuseRoot();
    }

    function _refuseRoles() private view {
        _refuse(
            string.concat(
                "roles are kept in the AccessManager at ",
                Strings.toChecksumHexString(_authority()),
                ", with its delays: grant and revoke them there, or by a proposal"
            )
        );
    }

    function _refuseRoot() private view {
        _refuse(
            string.concat(
                "the root is pinned behind the verifier at ",
                Strings.toChecksumHexString(address(_registry().verifier(VERIFIER_ID))),
                ", whose certificate store has its fingerprint: another root is a proposal"
            )
        );
    }

    function _refuse(string memory reason) private pure {
        // solhint-disable-next-line gas-custom-errors
        revert(reason);
    }

    function _authority() private view returns (address) {
        return IAccessManaged(msg.sender).authority();
    }

    /// @dev Whoever asks is answered for: they can only deceive themselves.
    function _registry() private view returns (ITEERegistry) {
        return ITEERegistry(msg.sender);
    }
}
