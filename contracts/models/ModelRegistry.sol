// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {Groth16} from "../crypto/Groth16.sol";
import {CodeStore} from "../utils/CodeStore.sol";
import {Pages} from "../utils/Pages.sol";
import {TensorLayouts} from "./TensorLayouts.sol";
import {VerifyingKeyCheck} from "./VerifyingKeyCheck.sol";

/// @title ModelRegistry
/// @notice See {IModelRegistry}.
///
/// Access: nobody has special rights. A model belongs to its creator for good, versions included.
///
/// A version without a verifying key has a key store too, with no key and no words in it; settlement is told of no key.
///
/// Storage: of a version, only the time of its deprecation can change, and it lies in storage with what settlement
/// needs beside it. All the rest is the code of the version's key store, which no transaction can change.
contract ModelRegistry is IModelRegistry {
    using TensorLayouts for TensorLayout[];

    struct Model {
        address owner;
        uint64 createdAt;
        string slug;
        bytes32[] versionIds;
    }

    /// @dev One storage slot; `_statusOf` reads the status from it. Neither word count is zero and both are 256
    /// together at most, so that a byte holds each.
    struct Version {
        address keyStore;
        uint8 inputWords;
        uint8 outputWords;
        uint40 publishedAt;
        uint40 deprecatedAt;
    }

    /// @dev What the key store holds behind the key.
    struct Record {
        bytes32 modelId;
        uint32 major;
        uint32 minor;
        bytes32 modelHash;
        bytes32 blobId;
        bytes32 circuitHash;
        bytes csHash;
        bytes32 transcriptHash;
        InputMode inputMode;
        TensorLayout[] inputLayout;
        TensorLayout[] outputLayout;
    }

    /// @notice Bounds of a slug's length, in bytes.
    uint256 public constant MINIMUM_SLUG_LENGTH = 1;
    uint256 public constant MAXIMUM_SLUG_LENGTH = 64;

    /// @notice Most packed words, input and output together. With the layouts, the verifying key for 256 words is
    /// still below the 24,576 bytes of code that a contract may have (EIP-170).
    uint256 public constant MAXIMUM_WORDS = 256;

    /// @notice Most tensors in an input or output layout.
    uint256 public constant MAXIMUM_TENSORS = TensorLayouts.MAXIMUM_TENSORS;

    /// @dev Bytes of BLAKE2b-512.
    uint256 private constant CS_HASH_LENGTH = 64;
    /// @dev A commitment is one public signal.
    uint256 private constant COMMITMENT_WORDS = 1;

    mapping(bytes32 modelId => Model model) private _models;
    mapping(bytes32 versionId => Version version) private _versions;
    bytes32[] private _modelIds;

    /// @inheritdoc IModelRegistry
    function registerModel(string calldata slug) external override returns (bytes32 modelId) {
        _requireSlug(slug);
        modelId = computeModelId(msg.sender, slug);
        Model storage model = _models[modelId];
        if (model.owner != address(0)) revert ModelRegistry_ModelExists(modelId);

        model.owner = msg.sender;
        model.createdAt = uint64(block.timestamp);
        model.slug = slug;
        _modelIds.push(modelId);

        emit ModelRegistered(modelId, msg.sender, slug);
    }

    /// @inheritdoc IModelRegistry
    function publishVersion(
        bytes32 modelId,
        VersionParams calldata params
    ) external override returns (bytes32 versionId) {
        versionId = _newVersionId(modelId, params.major, params.minor, params.modelHash);
        if (params.circuitHash == 0) revert ModelRegistry_CircuitHashZero();
        _requireCsHash(params);
        // A zero blob id is allowed: the files may be stored nowhere. That the hashes and the key belong together
        // cannot be seen on-chain; whoever uses a model compares them with its files.

        uint256 inputWords = params.inputLayout.wordCount();
        if (params.inputMode == InputMode.Committed) inputWords = COMMITMENT_WORDS;
        uint256 outputWords = params.outputLayout.wordCount();
        if (inputWords + outputWords > MAXIMUM_WORDS) {
            revert ModelRegistry_TooManyWords(MAXIMUM_WORDS, inputWords + outputWords);
        }
        VerifyingKeyCheck.requireSound(params.verifyingKey, _signalCount(inputWords, outputWords));

        Record memory record = Record({
            modelId: modelId,
            major: params.major,
            minor: params.minor,
            modelHash: params.modelHash,
            blobId: params.blobId,
            circuitHash: params.circuitHash,
            csHash: params.csHash,
            transcriptHash: params.transcriptHash,
            inputMode: params.inputMode,
            inputLayout: params.inputLayout,
            outputLayout: params.outputLayout
        });
        Version storage version = _publish(versionId, record, params.verifyingKey);
        version.inputWords = uint8(inputWords);
        version.outputWords = uint8(outputWords);

        emit VersionPublished(
            versionId,
            modelId,
            params.major,
            params.minor,
            params.modelHash,
            params.blobId,
            params.circuitHash,
            params.csHash,
            params.transcriptHash,
            keccak256(params.verifyingKey),
            params.inputMode,
            params.inputLayout,
            params.outputLayout
        );
    }

    /// @inheritdoc IModelRegistry
    function publishManifest(
        bytes32 modelId,
        uint32 major,
        uint32 minor,
        bytes32 manifestHash,
        bytes32 blobId
    ) external override returns (bytes32 versionId) {
        versionId = _newVersionId(modelId, major, minor, manifestHash);
        Record memory record;
        record.modelId = modelId;
        record.major = major;
        record.minor = minor;
        record.modelHash = manifestHash;
        record.blobId = blobId;
        _publish(versionId, record, "");
        emit VersionPublished(
            versionId,
            modelId,
            major,
            minor,
            manifestHash,
            blobId,
            0,
            "",
            0,
            0,
            InputMode.Packed,
            record.inputLayout,
            record.outputLayout
        );
    }

    /// @inheritdoc IModelRegistry
    function deprecateVersion(bytes32 versionId) external override {
        Version storage version = _knownVersion(versionId);
        bytes32 modelId = _readRecord(version).modelId;
        _ownedModel(modelId);
        if (version.deprecatedAt != 0) {
            revert ModelRegistry_VersionNotPublished(versionId, VersionStatus.Deprecated);
        }

        version.deprecatedAt = uint40(block.timestamp);

        emit VersionDeprecated(versionId, modelId);
    }

    /// @inheritdoc IModelRegistry
    function settlementData(
        bytes32 versionId
    )
        external
        view
        override
        returns (
            VersionStatus status,
            address keyStore,
            uint16 inputWords,
            uint16 outputWords,
            uint64 deprecatedAt
        )
    {
        Version memory version = _versions[versionId];
        return (
            _statusOf(version),
            version.inputWords == 0 ? address(0) : version.keyStore,
            version.inputWords,
            version.outputWords,
            version.deprecatedAt
        );
    }

    /// @inheritdoc IModelRegistry
    function getModel(bytes32 modelId) external view override returns (ModelView memory) {
        Model storage model = _knownModel(modelId);
        return ModelView(model.owner, model.slug, model.createdAt, uint64(model.versionIds.length));
    }

    /// @inheritdoc IModelRegistry
    function getVersion(bytes32 versionId) external view override returns (VersionView memory) {
        Version storage version = _knownVersion(versionId);
        Record memory record = _readRecord(version);
        return
            VersionView({
                modelId: record.modelId,
                major: record.major,
                minor: record.minor,
                status: _statusOf(version),
                publishedAt: version.publishedAt,
                deprecatedAt: version.deprecatedAt,
                modelHash: record.modelHash,
                blobId: record.blobId,
                circuitHash: record.circuitHash,
                csHash: record.csHash,
                transcriptHash: record.transcriptHash,
                inputMode: record.inputMode,
                inputWords: version.inputWords,
                outputWords: version.outputWords,
                inputLayout: record.inputLayout,
                outputLayout: record.outputLayout
            });
    }

    /// @inheritdoc IModelRegistry
    function inputModeOf(bytes32 versionId) external view override returns (InputMode) {
        return _readRecord(_knownVersion(versionId)).inputMode;
    }

    /// @inheritdoc IModelRegistry
    function getVerifyingKey(bytes32 versionId) external view override returns (bytes memory) {
        Version storage version = _knownVersion(versionId);
        return CodeStore.read(version.keyStore, 0, _keyLength(version));
    }

    /// @inheritdoc IModelRegistry
    function listVersions(
        bytes32 modelId,
        uint256 offset,
        uint256 limit
    ) external view override returns (bytes32[] memory) {
        return Pages.read(_knownModel(modelId).versionIds, offset, limit);
    }

    /// @inheritdoc IModelRegistry
    function listModels(uint256 offset, uint256 limit) external view override returns (bytes32[] memory) {
        return Pages.read(_modelIds, offset, limit);
    }

    /// @inheritdoc IModelRegistry
    function modelCount() external view override returns (uint256) {
        return _modelIds.length;
    }

    /// @inheritdoc IModelRegistry
    function computeModelId(address owner, string calldata slug) public pure override returns (bytes32) {
        return keccak256(abi.encode(owner, slug));
    }

    /// @inheritdoc IModelRegistry
    function computeVersionId(
        bytes32 modelId,
        uint32 major,
        uint32 minor
    ) public pure override returns (bytes32) {
        return keccak256(abi.encode(modelId, major, minor));
    }

    /// @dev The id of a version that the caller may publish.
    function _newVersionId(
        bytes32 modelId,
        uint32 major,
        uint32 minor,
        bytes32 modelHash
    ) private view returns (bytes32 versionId) {
        _ownedModel(modelId);
        versionId = computeVersionId(modelId, major, minor);
        if (_statusOf(_versions[versionId]) != VersionStatus.Unknown) {
            revert ModelRegistry_VersionExists(versionId);
        }
        if (modelHash == 0) revert ModelRegistry_ModelHashZero();
    }

    /// @dev Creates the key store, a contract that holds bytes and cannot run, and enters the version.
    function _publish(
        bytes32 versionId,
        Record memory record,
        bytes memory verifyingKey
    ) private returns (Version storage version) {
        version = _versions[versionId];
        version.keyStore = CodeStore.write(bytes.concat(verifyingKey, abi.encode(record)));
        version.publishedAt = uint40(block.timestamp);
        _models[record.modelId].versionIds.push(versionId);
    }

    function _readRecord(Version storage version) private view returns (Record memory) {
        return abi.decode(CodeStore.readFrom(version.keyStore, _keyLength(version)), (Record));
    }

    function _keyLength(Version storage version) private view returns (uint256) {
        if (version.inputWords == 0) return 0;
        return Groth16.keyLength(_signalCount(version.inputWords, version.outputWords));
    }

    function _knownModel(bytes32 modelId) private view returns (Model storage model) {
        model = _models[modelId];
        if (model.owner == address(0)) revert ModelRegistry_ModelUnknown(modelId);
    }

    function _ownedModel(bytes32 modelId) private view returns (Model storage model) {
        model = _knownModel(modelId);
        if (model.owner != msg.sender) revert ModelRegistry_NotModelOwner(model.owner, msg.sender);
    }

    function _knownVersion(bytes32 versionId) private view returns (Version storage version) {
        version = _versions[versionId];
        if (_statusOf(version) == VersionStatus.Unknown) revert ModelRegistry_VersionUnknown(versionId);
    }

    function _statusOf(Version memory version) private pure returns (VersionStatus) {
        if (version.keyStore == address(0)) return VersionStatus.Unknown;
        return version.deprecatedAt == 0 ? VersionStatus.Published : VersionStatus.Deprecated;
    }

    /// @dev The words, and the context.
    function _signalCount(uint256 inputWords, uint256 outputWords) private pure returns (uint256) {
        return inputWords + outputWords + 1;
    }

    /// @dev A transcript begins with `csHash`: one without the other says nothing. A key that was made elsewhere may have
    /// neither, and whoever had to give them would make them up.
    function _requireCsHash(VersionParams calldata params) private pure {
        uint256 expected = params.transcriptHash == 0 ? 0 : CS_HASH_LENGTH;
        if (params.csHash.length != expected) {
            revert ModelRegistry_CsHashLengthInvalid(expected, params.csHash.length);
        }
    }

    function _requireSlug(string calldata slug) private pure {
        bytes calldata characters = bytes(slug);
        bool isValid = characters.length >= MINIMUM_SLUG_LENGTH && characters.length <= MAXIMUM_SLUG_LENGTH;
        for (uint256 i = 0; isValid && i < characters.length; ++i) {
            bytes1 c = characters[i];
            isValid = (c >= "a" && c <= "z") || (c >= "0" && c <= "9") || c == "-";
        }
        if (!isValid) revert ModelRegistry_SlugInvalid(slug);
    }
}
