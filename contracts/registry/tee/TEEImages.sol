// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ITEERegistry} from "../../interfaces/ITEERegistry.sol";
import {CodeStore} from "../CodeStore.sol";

/// @title TEEImages
/// @notice Node types, and the images approved for each. A part of {TEERegistry}.
///
/// Approvals come in generations, each with its own interval of validity. A revocation ends the interval of the
/// latest generation and touches no node; nodes name the generation that they were admitted under. A generation that
/// ended never begins again.
abstract contract TEEImages is ITEERegistry, AccessManaged {
    /// @dev One storage slot.
    struct Approval {
        uint48 approvedAt;
        uint48 revokedAt;
        address details;
    }

    uint256 private constant PCR_LENGTH = 48;
    uint256 private constant MAXIMUM_NAME_LENGTH = 64;

    uint8[] private _typeIds;
    mapping(uint8 teeType => TEETypeInfo info) private _types;
    PCRKey[] private _images;
    mapping(bytes32 imageKey => uint32 generation) private _generations;
    mapping(bytes32 imageKey => mapping(uint32 generation => Approval approval)) private _approvals;

    /// @inheritdoc ITEERegistry
    function addTEEType(uint8 teeType, string calldata name) external override restricted {
        _requireLength(Field.TypeName, bytes(name).length, MAXIMUM_NAME_LENGTH);
        if (_types[teeType].active) revert TEERegistry_TypeExists(teeType);
        _types[teeType] = TEETypeInfo(name, true, block.timestamp);
        _typeIds.push(teeType);
        emit TEETypeAdded(teeType, name);
    }

    /// @inheritdoc ITEERegistry
    function approveImage(
        PCRMeasurements calldata pcrs,
        string calldata version,
        uint8 teeType,
        bytes32 commit,
        string calldata repository
    ) external override restricted {
        _approve(pcrs, version, teeType, commit, repository);
    }

    /// @inheritdoc ITEERegistry
    function approvePCR(
        PCRMeasurements calldata pcrs,
        string calldata version,
        uint8 teeType
    ) external override restricted {
        _approve(pcrs, version, teeType, 0, "");
    }

    /// @inheritdoc ITEERegistry
    function revokePCR(bytes32 pcrHash, uint8 teeType) external override restricted {
        bytes32 key = _imageKey(pcrHash, teeType);
        uint32 generation = _generations[key];
        Approval storage approval = _approvals[key][generation];
        if (approval.approvedAt == 0 || approval.revokedAt != 0) {
            revert TEERegistry_ImageNotApproved(pcrHash, teeType);
        }
        approval.revokedAt = uint48(block.timestamp);
        emit PCRRevoked(pcrHash, teeType, generation);
    }

    /// @inheritdoc ITEERegistry
    function getTEETypes()
        external
        view
        override
        returns (uint8[] memory typeIds, TEETypeInfo[] memory infos)
    {
        typeIds = _typeIds;
        infos = new TEETypeInfo[](typeIds.length);
        for (uint256 i = 0; i < typeIds.length; ++i) {
            infos[i] = _types[typeIds[i]];
        }
    }

    /// @inheritdoc ITEERegistry
    function isPCRApproved(uint8 teeType, bytes32 pcrHash) public view override returns (bool) {
        bytes32 key = _imageKey(pcrHash, teeType);
        return _isApprovedAt(pcrHash, teeType, _generations[key], block.timestamp);
    }

    /// @inheritdoc ITEERegistry
    function getImage(
        bytes32 pcrHash,
        uint8 teeType
    ) external view override returns (ImageView memory image) {
        bytes32 key = _imageKey(pcrHash, teeType);
        image.generation = _generations[key];
        if (image.generation == 0) revert TEERegistry_ImageNotApproved(pcrHash, teeType);
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
        uint256 count = _images.length;
        approved = new PCRKey[](count);
        uint256 found = 0;
        for (uint256 i = 0; i < count; ++i) {
            PCRKey memory image = _images[i];
            if (!isPCRApproved(image.teeType, image.pcrHash)) continue;
            approved[found] = image;
            ++found;
        }
        assembly ("memory-safe") {
            mstore(approved, found)
        }
    }

    /// @inheritdoc ITEERegistry
    function listImages(uint256 offset, uint256 limit) external view override returns (PCRKey[] memory page) {
        uint256 count = _images.length;
        uint256 available = offset < count ? count - offset : 0;
        page = new PCRKey[](limit < available ? limit : available);
        for (uint256 i = 0; i < page.length; ++i) {
            page[i] = _images[offset + i];
        }
    }

    /// @inheritdoc ITEERegistry
    function imageCount() external view override returns (uint256) {
        return _images.length;
    }

    /// @inheritdoc ITEERegistry
    function computePCRHash(PCRMeasurements calldata pcrs) public pure override returns (bytes32) {
        return keccak256(bytes.concat(pcrs.pcr0, pcrs.pcr1, pcrs.pcr2));
    }

    function _requireLength(Field field, uint256 length, uint256 maximum) internal pure {
        if (length == 0 || length > maximum) revert TEERegistry_LengthInvalid(field, maximum, length);
    }

    function _requireType(uint8 teeType) private view {
        if (!_types[teeType].active) revert TEERegistry_TypeUnknown(teeType);
    }

    /// @dev The generation that a new attestation of this image belongs to.
    function _approvedGeneration(bytes32 pcrHash, uint8 teeType) internal view returns (uint32 generation) {
        generation = _generations[_imageKey(pcrHash, teeType)];
        if (!_isApprovedAt(pcrHash, teeType, generation, block.timestamp)) {
            revert TEERegistry_ImageNotApproved(pcrHash, teeType);
        }
    }

    function _isApprovedAt(
        bytes32 pcrHash,
        uint8 teeType,
        uint32 generation,
        uint256 timestamp
    ) internal view returns (bool) {
        Approval storage approval = _approvals[_imageKey(pcrHash, teeType)][generation];
        uint256 approvedAt = approval.approvedAt;
        uint256 revokedAt = approval.revokedAt;
        return approvedAt != 0 && timestamp >= approvedAt && (revokedAt == 0 || timestamp < revokedAt);
    }

    function _approve(
        PCRMeasurements calldata pcrs,
        string calldata version,
        uint8 teeType,
        bytes32 commit,
        string memory repository
    ) private {
        _requireType(teeType);
        _requireMeasurement(0, pcrs.pcr0);
        _requireMeasurement(1, pcrs.pcr1);
        _requireMeasurement(2, pcrs.pcr2);
        bytes32 pcrHash = computePCRHash(pcrs);
        if (isPCRApproved(teeType, pcrHash)) revert TEERegistry_ImageApproved(pcrHash, teeType);

        bytes32 key = _imageKey(pcrHash, teeType);
        uint32 generation = _generations[key] + 1;
        if (generation == 1) _images.push(PCRKey(pcrHash, teeType));
        _generations[key] = generation;
        _approvals[key][generation] = Approval({
            approvedAt: uint48(block.timestamp),
            revokedAt: 0,
            details: CodeStore.write(abi.encode(version, commit, repository))
        });
        emit PCRApproved(pcrHash, teeType, generation, version, commit, repository);
    }

    /// @dev A zero measurement is that of debug mode, which no verifier accepts; it is not refused a second time here.
    function _requireMeasurement(uint256 index, bytes calldata pcr) private pure {
        if (pcr.length != PCR_LENGTH) revert TEERegistry_MeasurementInvalid(index, PCR_LENGTH, pcr.length);
    }

    function _imageKey(bytes32 pcrHash, uint8 teeType) private pure returns (bytes32) {
        return keccak256(abi.encode(pcrHash, teeType));
    }
}
