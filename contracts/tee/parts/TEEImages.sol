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

    /// @dev The verifier that the public network's functions speak of: AWS Nitro.
    uint8 internal constant NITRO = 0;

    uint256 private constant PCR_LENGTH = 48;
    uint256 private constant MAXIMUM_NAME_LENGTH = 64;

    /// @dev One a slot: copying packed ones would take more code than there is room for.
    uint256[] private _typeIds;
    mapping(uint8 teeType => TEETypeInfo info) private _types;
    ImageKey[] private _imageKeys;
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
        PCRMeasurements calldata pcrs,
        string calldata version,
        uint8 teeType,
        uint8 verifierId,
        bytes16 lastRevocation,
        bytes32 commit,
        string calldata repository
    ) external override restricted {
        _approve(pcrs, version, teeType, verifierId, lastRevocation, commit, repository);
    }

    /// @inheritdoc ITEERegistry
    function approvePCR(
        PCRMeasurements calldata pcrs,
        string calldata version,
        uint8 teeType
    ) external override restricted {
        _approve(pcrs, version, teeType, NITRO, 0, 0, "");
    }

    /// @inheritdoc ITEERegistry
    function revokeImage(bytes32 pcrHash, uint8 teeType, uint8 verifierId) external override restricted {
        _revoke(pcrHash, teeType, verifierId);
    }

    /// @inheritdoc ITEERegistry
    function revokePCR(bytes32 pcrHash, uint8 teeType) external override restricted {
        _revoke(pcrHash, teeType, NITRO);
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
        bytes32 pcrHash,
        uint8 teeType,
        uint8 verifierId
    ) public view override returns (bool) {
        bytes32 key = _imageKey(pcrHash, teeType, verifierId);
        return _isApprovedAt(key, _images[key].generation, block.timestamp);
    }

    /// @inheritdoc ITEERegistry
    function isPCRApproved(uint8 teeType, bytes32 pcrHash) external view override returns (bool) {
        return isImageApproved(pcrHash, teeType, NITRO);
    }

    /// @inheritdoc ITEERegistry
    function getImage(
        bytes32 pcrHash,
        uint8 teeType,
        uint8 verifierId
    ) external view override returns (ImageView memory image) {
        bytes32 key = _imageKey(pcrHash, teeType, verifierId);
        image.generation = _images[key].generation;
        image.lastRevocation = _images[key].lastRevocation;
        if (image.generation == 0) return image;
        Approval storage approval = _approvals[key][image.generation];
        image.approvedAt = approval.approvedAt;
        image.revokedAt = approval.revokedAt;
        (image.version, image.commit, image.repository) = abi.decode(
            CodeStore.readFrom(approval.details, 0),
            (string, bytes32, string)
        );
    }

    /// @inheritdoc ITEERegistry
    function getApprovedPCRs() external view override returns (PCRKey[] memory approved) {
        uint256 count = _imageKeys.length;
        approved = new PCRKey[](count);
        uint256 found = 0;
        for (uint256 i = 0; i < count; ++i) {
            ImageKey memory image = _imageKeys[i];
            if (image.verifierId != NITRO || !isImageApproved(image.pcrHash, image.teeType, NITRO)) continue;
            approved[found] = PCRKey(image.pcrHash, image.teeType);
            ++found;
        }
        assembly ("memory-safe") {
            mstore(approved, found)
        }
    }

    /// @inheritdoc ITEERegistry
    function listImages(
        uint256 offset,
        uint256 limit
    ) external view override returns (ImageKey[] memory page) {
        uint256 count = _imageKeys.length;
        uint256 available = offset < count ? count - offset : 0;
        page = new ImageKey[](limit < available ? limit : available);
        for (uint256 i = 0; i < page.length; ++i) {
            page[i] = _imageKeys[offset + i];
        }
    }

    /// @inheritdoc ITEERegistry
    function imageCount() external view override returns (uint256) {
        return _imageKeys.length;
    }

    /// @inheritdoc ITEERegistry
    function computePCRHash(PCRMeasurements calldata pcrs) public pure override returns (bytes32) {
        return keccak256(bytes.concat(pcrs.pcr0, pcrs.pcr1, pcrs.pcr2));
    }

    function _requireLength(Field field, uint256 length, uint256 maximum) internal pure {
        if (length == 0 || length > maximum) revert TEERegistry_LengthInvalid(field, maximum, length);
    }

    function _requireType(uint8 teeType) private view {
        if (!isValidTEEType(teeType)) revert TEERegistry_TypeUnknown(teeType);
    }

    /// @dev The generation that a new attestation of this image belongs to.
    function _approvedGeneration(
        bytes32 pcrHash,
        uint8 teeType,
        uint8 verifierId
    ) internal view returns (uint32) {
        if (!isImageApproved(pcrHash, teeType, verifierId)) {
            revert TEERegistry_ImageNotApproved(pcrHash, teeType);
        }
        return _images[_imageKey(pcrHash, teeType, verifierId)].generation;
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
        PCRMeasurements calldata pcrs,
        string calldata version,
        uint8 teeType,
        uint8 verifierId,
        bytes16 lastRevocation,
        bytes32 commit,
        string memory repository
    ) private {
        _requireType(teeType);
        _requireMeasurement(0, pcrs.pcr0);
        _requireMeasurement(1, pcrs.pcr1);
        _requireMeasurement(2, pcrs.pcr2);
        bytes32 pcrHash = computePCRHash(pcrs);
        bytes32 key = _imageKey(pcrHash, teeType, verifierId);
        Image storage image = _images[key];
        if (image.lastRevocation != lastRevocation) {
            revert TEERegistry_ApprovalOutdated(image.lastRevocation, lastRevocation);
        }
        if (isImageApproved(pcrHash, teeType, verifierId)) {
            revert TEERegistry_ImageApproved(pcrHash, teeType);
        }

        uint32 generation = image.generation + 1;
        if (generation == 1) _imageKeys.push(ImageKey(pcrHash, teeType, verifierId));
        image.generation = generation;
        _approvals[key][generation] = Approval({
            approvedAt: uint48(block.timestamp),
            revokedAt: 0,
            details: CodeStore.write(abi.encode(version, commit, repository))
        });
        emit PCRApproved(pcrHash, teeType, verifierId, generation, version, commit, repository);
    }

    function _revoke(bytes32 pcrHash, uint8 teeType, uint8 verifierId) private {
        bytes32 key = _imageKey(pcrHash, teeType, verifierId);
        Image storage image = _images[key];
        uint32 generation = image.generation;
        Approval storage approval = _approvals[key][generation];
        if (approval.approvedAt != 0 && approval.revokedAt == 0) approval.revokedAt = uint48(block.timestamp);
        bytes16 revocation = bytes16(keccak256(abi.encode(key, blockhash(block.number - 1))));
        image.lastRevocation = revocation;
        emit PCRRevoked(pcrHash, teeType, verifierId, generation, revocation);
    }

    /// @dev A zero measurement is that of debug mode, which no verifier accepts; it is not refused a second time here.
    function _requireMeasurement(uint256 index, bytes calldata pcr) private pure {
        if (pcr.length != PCR_LENGTH) revert TEERegistry_MeasurementInvalid(index, PCR_LENGTH, pcr.length);
    }

    function _imageKey(bytes32 pcrHash, uint8 teeType, uint8 verifierId) internal pure returns (bytes32) {
        return keccak256(abi.encode(pcrHash, teeType, verifierId));
    }
}
