// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ITEERegistry} from "../../interfaces/ITEERegistry.sol";
import {CodeStore} from "../../utils/CodeStore.sol";

/// @title TEEImages
/// @notice Node types, and the images approved for each and for each verifier. A part of {TEERegistry}.
///
/// Approvals come in generations, each with its own interval of validity. A revocation ends the interval of the
/// latest generation and touches no node; nodes name the generation that they were admitted under. A generation that
/// ended never begins again.
///
/// An approver acts under a delay, in which many approvals of one image can be made ready. So an approval names the
/// image's last revocation, by a number that depends on the block before it: what was made ready before a revocation
/// cannot name it. A mere count could be named ahead.
abstract contract TEEImages is ITEERegistry, AccessManaged {
    /// @dev One storage slot.
    struct Approval {
        uint48 approvedAt;
        uint48 revokedAt;
        address details;
    }

    /// @dev One storage slot.
    struct Image {
        uint32 generation;
        bytes16 lastRevocation;
    }

    uint256 private constant MAXIMUM_NAME_LENGTH = 64;

    /// @dev One a slot: copying packed ones would take more code than there is room for.
    uint256[] private _typeIds;
    mapping(uint8 teeType => TEETypeInfo info) private _types;
    ImageKey[] internal _imageKeys;
    mapping(bytes32 imageKey => Image image) private _images;
    mapping(bytes32 imageKey => mapping(uint32 generation => Approval approval)) private _approvals;

    /// @inheritdoc ITEERegistry
    function addTEEType(uint8 teeType, string calldata name) external override restricted {
        _requireLength(Field.TypeName, bytes(name).length, MAXIMUM_NAME_LENGTH);
        if (isValidTEEType(teeType)) revert TEERegistry_TypeExists(teeType);
        _types[teeType] = TEETypeInfo(name, block.timestamp);
        _typeIds.push(teeType);
        emit TEETypeAdded(teeType, name);
    }

    /// @inheritdoc ITEERegistry
    function approveImage(
        bytes32 measurement,
        string calldata version,
        uint8 teeType,
        uint8 verifierId,
        bytes16 lastRevocation,
        bytes32 commit,
        string calldata repository
    ) external override restricted {
        _approve(measurement, version, teeType, verifierId, lastRevocation, commit, repository);
    }

    /// @inheritdoc ITEERegistry
    function revokeImage(bytes32 measurement, uint8 teeType, uint8 verifierId) external override restricted {
        _revoke(measurement, teeType, verifierId);
    }

    /// @inheritdoc ITEERegistry
    function getTEETypes()
        external
        view
        override
        returns (uint8[] memory typeIds, TEETypeInfo[] memory infos)
    {
        uint256 count = _typeIds.length;
        typeIds = new uint8[](count);
        infos = new TEETypeInfo[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint8 teeType = uint8(_typeIds[i]);
            typeIds[i] = teeType;
            infos[i] = _types[teeType];
        }
    }

    /// @inheritdoc ITEERegistry
    function isValidTEEType(uint8 teeType) public view override returns (bool) {
        return _types[teeType].addedAt != 0;
    }

    /// @inheritdoc ITEERegistry
    function isImageApproved(
        bytes32 measurement,
        uint8 teeType,
        uint8 verifierId
    ) public view override returns (bool) {
        bytes32 key = _imageKey(measurement, teeType, verifierId);
        return _isApprovedAt(key, _images[key].generation, block.timestamp);
    }

    /// @inheritdoc ITEERegistry
    function imageState(
        bytes32 measurement,
        uint8 teeType,
        uint8 verifierId
    ) external view override returns (ImageState memory state) {
        bytes32 key = _imageKey(measurement, teeType, verifierId);
        state.generation = _images[key].generation;
        state.lastRevocation = _images[key].lastRevocation;
        Approval storage approval = _approvals[key][state.generation];
        state.approvedAt = approval.approvedAt;
        state.revokedAt = approval.revokedAt;
        state.details = approval.details;
    }

    /// @inheritdoc ITEERegistry
    function imageAt(uint256 index) external view override returns (ImageKey memory) {
        return _imageKeys[index];
    }

    /// @inheritdoc ITEERegistry
    function imageCount() external view override returns (uint256) {
        return _imageKeys.length;
    }

    function _requireLength(Field field, uint256 length, uint256 maximum) internal pure {
        if (length == 0 || length > maximum) revert TEERegistry_LengthInvalid(field, maximum, length);
    }

    /// @dev The generation that a new attestation of this image belongs to.
    function _approvedGeneration(
        bytes32 measurement,
        uint8 teeType,
        uint8 verifierId
    ) internal view returns (uint32) {
        if (!isImageApproved(measurement, teeType, verifierId)) {
            revert TEERegistry_ImageNotApproved(measurement, teeType);
        }
        return _images[_imageKey(measurement, teeType, verifierId)].generation;
    }

    function _isApprovedAt(
        bytes32 imageKey,
        uint32 generation,
        uint256 timestamp
    ) internal view returns (bool) {
        Approval storage approval = _approvals[imageKey][generation];
        uint256 approvedAt = approval.approvedAt;
        uint256 revokedAt = approval.revokedAt;
        return approvedAt != 0 && timestamp >= approvedAt && (revokedAt == 0 || timestamp < revokedAt);
    }

    function _approve(
        bytes32 measurement,
        string calldata version,
        uint8 teeType,
        uint8 verifierId,
        bytes16 lastRevocation,
        bytes32 commit,
        string memory repository
    ) internal {
        if (!isValidTEEType(teeType)) revert TEERegistry_TypeUnknown(teeType);
        bytes32 key = _imageKey(measurement, teeType, verifierId);
        Image storage image = _images[key];
        if (image.lastRevocation != lastRevocation) {
            revert TEERegistry_ApprovalOutdated(image.lastRevocation, lastRevocation);
        }
        if (isImageApproved(measurement, teeType, verifierId)) {
            revert TEERegistry_ImageApproved(measurement, teeType);
        }

        uint32 generation = image.generation + 1;
        if (generation == 1) _imageKeys.push(ImageKey(measurement, teeType, verifierId));
        image.generation = generation;
        _approvals[key][generation] = Approval({
            approvedAt: uint48(block.timestamp),
            revokedAt: 0,
            details: CodeStore.write(abi.encode(version, commit, repository))
        });
        emit ImageApproved(measurement, teeType, verifierId, generation, version, commit, repository);
    }

    function _revoke(bytes32 measurement, uint8 teeType, uint8 verifierId) internal {
        bytes32 key = _imageKey(measurement, teeType, verifierId);
        Image storage image = _images[key];
        uint32 generation = image.generation;
        Approval storage approval = _approvals[key][generation];
        if (approval.approvedAt != 0 && approval.revokedAt == 0) approval.revokedAt = uint48(block.timestamp);
        bytes16 revocation = bytes16(keccak256(abi.encode(key, blockhash(block.number - 1))));
        image.lastRevocation = revocation;
        emit ImageRevoked(measurement, teeType, verifierId, generation, revocation);
    }

    function _imageKey(bytes32 measurement, uint8 teeType, uint8 verifierId) internal pure returns (bytes32) {
        return keccak256(abi.encode(measurement, teeType, verifierId));
    }
}
