// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

/// @title IModelRegistry
/// @notice Which models exist. Anyone may publish; a published version never changes.
///
/// A model is an owner and a slug; its id is `keccak256(abi.encode(owner, slug))`.
/// A version is `major.minor` of a model; its id is `keccak256(abi.encode(modelId, major, minor))`.
///
/// A version with a circuit carries everything needed to check a Groth16 proof of one of its inferences: the verifying
/// key, stored as contract code, and the layout of the packed input and output words. What an input hash is of is part of
/// the version: `InputMode` says it.
///
/// The verifying key does not name the circuit: of circuits of one shape it differs in nothing but delta. Which circuit it is
/// of, and how it was made, its transcript says, which begins with `csHash`. A version has both, or neither.
///
/// A version without a circuit is that of a model for which nothing is proved, a language model behind a gateway say. Its
/// model hash is that of a manifest, which names provider or file, model and policy. Results of it can be vouched for by an
/// enclave, or by nobody.
///
/// Integrators must check `status` at every use: a version that was published may be deprecated later, and then
/// stands for nothing that was answered at `deprecatedAt` or afterwards.
interface IModelRegistry {
    /// @notice Life of a version. `Published -> Deprecated` is the only transition.
    enum VersionStatus {
        Unknown,
        Published,
        Deprecated
    }

    /// @notice What a proof's input words are.
    /// @dev Packed: the tensors, packed by the input layout. Committed: one word, a commitment to the tensors of the input
    /// layout, any number below the scalar field's order. Which commitment, and whether it has a salt, is the circuit's: the
    /// model's manifest says it. Whoever sees one without a salt finds an input that can be guessed by trying. It hides an
    /// input from the chain, and not from the node.
    enum InputMode {
        Packed,
        Committed
    }

    /// @notice How one tensor lies in the packed words.
    /// @dev The value of an element is `integer * 2**scaleExponent`. Signed integers are stored with an offset
    /// of `2**(bits - 1)`. Elements follow each other from the least significant bit of the first word; a word
    /// holds 248 bits, and an element that would cross that limit starts the next word. A tensor starts where
    /// the one before it ended.
    /// @param count number of elements, at least 1
    /// @param bits width of an element, 1 to 248
    /// @param isSigned whether the offset applies
    /// @param scaleExponent power of two that turns the integer into a value
    struct TensorLayout {
        uint32 count;
        uint8 bits;
        bool isSigned;
        int8 scaleExponent;
    }

    /// @notice What an owner publishes.
    /// @param major major version; together with `minor` unused before in this model
    /// @param minor minor version
    /// @param modelHash SHA-256 of the ONNX file, not zero
    /// @param blobId where the model's files are stored, as the blob store names them; zero if nowhere
    /// @param circuitHash SHA-256 of the circuit's r1cs file, not zero
    /// @param csHash BLAKE2b-512 of the circuit and its powers of tau as the key has them, with which the key's transcript begins:
    /// 64 bytes; none if nothing is told, as of a key without a transcript
    /// @param transcriptHash SHA-256 of the key's transcript: `csHash` and every contribution; zero if nothing is told
    /// @param verifyingKey `alpha1 (64) | beta2 (128) | gamma2 (128) | delta2 (128) | IC[0..n] (64 each)`,
    /// coordinates big-endian, G2 coordinates imaginary part first, as the pairing precompile reads them;
    /// n = input words + output words + 1; of a committed input one word
    /// @param inputMode what the input words are
    /// @param inputLayout tensors in the input words, or under their commitment, at least one
    /// @param outputLayout tensors in the output words, at least one
    struct VersionParams {
        uint32 major;
        uint32 minor;
        bytes32 modelHash;
        bytes32 blobId;
        bytes32 circuitHash;
        bytes csHash;
        bytes32 transcriptHash;
        bytes verifyingKey;
        InputMode inputMode;
        TensorLayout[] inputLayout;
        TensorLayout[] outputLayout;
    }

    /// @notice A published version as readers see it.
    /// @param modelId the model it is of
    /// @param major its major version
    /// @param minor its minor version
    /// @param status where it is in its life
    /// @param publishedAt when it was published, in unix seconds
    /// @param deprecatedAt when it was deprecated, in unix seconds; zero while it is not
    /// @param modelHash SHA-256 of the ONNX file, or of the manifest
    /// @param blobId where the model's files are stored; zero if nowhere
    /// @param circuitHash SHA-256 of the circuit's r1cs file; zero without a circuit, as all that follows
    /// @param csHash BLAKE2b-512 with which the key's transcript begins; empty if nothing is told
    /// @param transcriptHash SHA-256 of the key's transcript; zero if nothing is told
    /// @param inputMode what the input words are
    /// @param inputWords number of input words; of a committed input 1
    /// @param outputWords number of packed output words
    /// @param inputLayout tensors in the input words, or under their commitment
    /// @param outputLayout tensors in the output words
    struct VersionView {
        bytes32 modelId;
        uint32 major;
        uint32 minor;
        VersionStatus status;
        uint64 publishedAt;
        uint64 deprecatedAt;
        bytes32 modelHash;
        bytes32 blobId;
        bytes32 circuitHash;
        bytes csHash;
        bytes32 transcriptHash;
        InputMode inputMode;
        uint16 inputWords;
        uint16 outputWords;
        TensorLayout[] inputLayout;
        TensorLayout[] outputLayout;
    }

    /// @notice A model as readers see it.
    /// @param owner who alone may publish versions of it
    /// @param slug its name among the owner's models
    /// @param createdAt when it was registered, in unix seconds
    /// @param versionCount how many versions it has
    struct ModelView {
        address owner;
        string slug;
        uint64 createdAt;
        uint64 versionCount;
    }

    /// @notice A model was registered.
    /// @param modelId its id
    /// @param owner who registered it
    /// @param slug its name among the owner's models
    event ModelRegistered(bytes32 indexed modelId, address indexed owner, string slug);
    /// @notice A version was published.
    /// @param versionId its id
    /// @param modelId the model it is of
    /// @param major its major version
    /// @param minor its minor version
    /// @param modelHash SHA-256 of the ONNX file, or of the manifest
    /// @param blobId where the model's files are stored; zero if nowhere
    /// @param circuitHash SHA-256 of the circuit's r1cs file; zero without a circuit, as all that follows
    /// @param csHash BLAKE2b-512 with which the key's transcript begins; empty if nothing is told
    /// @param transcriptHash SHA-256 of the key's transcript; zero if nothing is told
    /// @param verifyingKeyHash keccak256 of the verifying key
    /// @param inputMode what the input words are
    /// @param inputLayout tensors in the input words, or under their commitment
    /// @param outputLayout tensors in the output words
    event VersionPublished(
        bytes32 indexed versionId,
        bytes32 indexed modelId,
        uint32 major,
        uint32 minor,
        bytes32 modelHash,
        bytes32 blobId,
        bytes32 circuitHash,
        bytes csHash,
        bytes32 transcriptHash,
        bytes32 verifyingKeyHash,
        InputMode inputMode,
        TensorLayout[] inputLayout,
        TensorLayout[] outputLayout
    );
    /// @notice A version was deprecated, with the block's time.
    /// @param versionId its id
    /// @param modelId the model it is of
    event VersionDeprecated(bytes32 indexed versionId, bytes32 indexed modelId);

    /// @notice A model was to be registered under a name that is empty, too long or has other characters than
    /// allowed.
    /// @param slug the name
    error ModelRegistry_SlugInvalid(string slug);
    /// @notice The caller has registered a model of that name before.
    /// @param modelId its id
    error ModelRegistry_ModelExists(bytes32 modelId);
    /// @notice There is no such model.
    /// @param modelId its id
    error ModelRegistry_ModelUnknown(bytes32 modelId);
    /// @notice Somebody else than the model's owner was to publish or deprecate a version.
    /// @param owner the owner
    /// @param caller who called
    error ModelRegistry_NotModelOwner(address owner, address caller);
    /// @notice The model has a version of these numbers.
    /// @param versionId its id
    error ModelRegistry_VersionExists(bytes32 versionId);
    /// @notice There is no such version.
    /// @param versionId its id
    error ModelRegistry_VersionUnknown(bytes32 versionId);
    /// @notice A version was to be deprecated that is deprecated already.
    /// @param versionId its id
    /// @param status its status
    error ModelRegistry_VersionNotPublished(bytes32 versionId, VersionStatus status);
    /// @notice A version was to be published without the hash of its ONNX file or its manifest.
    error ModelRegistry_ModelHashZero();
    /// @notice A version was to be published without the hash of its circuit.
    error ModelRegistry_CircuitHashZero();
    /// @notice `csHash` has another length than 64 bytes, or than none where no transcript is told.
    /// @param expected bytes that it has to have
    /// @param actual bytes that it has
    error ModelRegistry_CsHashLengthInvalid(uint256 expected, uint256 actual);
    /// @notice A tensor has no elements, or elements that fit no word.
    /// @param tensorIndex its number in its layout, from 0
    /// @param count its elements
    /// @param bits their width
    error ModelRegistry_LayoutInvalid(uint256 tensorIndex, uint32 count, uint8 bits);
    /// @notice A version was to be published without input or output tensors.
    error ModelRegistry_LayoutEmpty();
    /// @notice A layout has too many tensors.
    /// @param maximum most that it may have
    /// @param actual what it has
    error ModelRegistry_TooManyTensors(uint256 maximum, uint256 actual);
    /// @notice Input and output take too many words.
    /// @param maximum most that they may take
    /// @param actual what they take
    error ModelRegistry_TooManyWords(uint256 maximum, uint256 actual);
    /// @notice The verifying key has another length than one for these layouts.
    /// @param expected bytes of such a key
    /// @param actual bytes of this one
    error ModelRegistry_VerifyingKeyLengthInvalid(uint256 expected, uint256 actual);
    /// @notice A point of the verifying key is zero, not on the curve or not in the subgroup.
    /// @param offset where it begins in the key, in bytes
    error ModelRegistry_VerifyingKeyPointInvalid(uint256 offset);
    /// @notice alpha, beta or delta is the generator of its group or its opposite.
    /// @param offset where the point begins in the key, in bytes
    error ModelRegistry_VerifyingKeyPointIsGenerator(uint256 offset);
    /// @notice Two points of the key are equal or opposite: two of beta, gamma and delta, or of alpha and the IC.
    /// @param firstOffset where the one begins in the key, in bytes
    /// @param secondOffset where the other begins
    error ModelRegistry_VerifyingKeyPointsRelated(uint256 firstOffset, uint256 secondOffset);

    /// @notice Creates an empty model owned by the caller.
    /// @param slug 1 to 64 characters of `a-z`, `0-9` and `-`
    /// @return modelId its id
    function registerModel(string calldata slug) external returns (bytes32 modelId);

    /// @notice Publishes a version of one of the caller's models. It can never be changed afterwards.
    /// @dev Checks every point of the verifying key (on the curve, in the subgroup, not zero) and refuses keys whose
    /// points are related in a way that lets anybody forge: gamma = ±delta, for one, is the mark of a setup without a
    /// phase 2 contribution. docs/verifying-keys.md has the list, and what no key shows.
    /// @param modelId the model
    /// @param params the version
    /// @return versionId its id
    function publishVersion(
        bytes32 modelId,
        VersionParams calldata params
    ) external returns (bytes32 versionId);

    /// @notice Publishes a version without a circuit, of which nothing can be proved. It can never be changed afterwards.
    /// @param modelId the model, one of the caller's
    /// @param major major version; together with `minor` unused before in this model
    /// @param minor minor version
    /// @param manifestHash SHA-256 of the manifest, not zero
    /// @param blobId where the manifest is stored, as the blob store names it; zero if nowhere
    /// @return versionId its id
    function publishManifest(
        bytes32 modelId,
        uint32 major,
        uint32 minor,
        bytes32 manifestHash,
        bytes32 blobId
    ) external returns (bytes32 versionId);

    /// @notice Ends the life of a version, now and for good. What its nodes answered before, settles as long as the
    /// settlement window lets it; nothing with the time of this block or a later one does.
    /// @dev A node names the time of its answer itself: until the window is over it can settle answers that it gives
    /// after this call under an earlier time. They still need a valid proof. Deprecating is therefore an
    /// announcement and no emergency stop for a key whose setup became known.
    /// @param versionId the version
    function deprecateVersion(bytes32 versionId) external;

    /// @notice The hot path of settlement: one storage read.
    /// @param versionId the version
    /// @return status `Unknown` for an id that was never published
    /// @return keyStore contract whose code is `0x00 | verifyingKey | the version's other data, ABI-encoded`; zero for a
    /// version without a verifying key, which has no words either
    /// @return inputWords number of input words, 1 of a committed input
    /// @return outputWords number of packed output words
    /// @return deprecatedAt when the version was deprecated, in unix seconds; zero while it is not
    function settlementData(
        bytes32 versionId
    )
        external
        view
        returns (
            VersionStatus status,
            address keyStore,
            uint16 inputWords,
            uint16 outputWords,
            uint64 deprecatedAt
        );

    /// @notice A model; reverts for an unknown one.
    /// @param modelId its id
    function getModel(bytes32 modelId) external view returns (ModelView memory);

    /// @notice A version; reverts for an unknown one.
    /// @param versionId its id
    function getVersion(bytes32 versionId) external view returns (VersionView memory);

    /// @notice What a version's input words are; `Packed` without a circuit. Reverts for an unknown version.
    /// @param versionId the version
    function inputModeOf(bytes32 versionId) external view returns (InputMode);

    /// @notice The verifying key in the format of `VersionParams.verifyingKey`; empty for a version without one.
    /// @param versionId the version; reverts for an unknown one
    function getVerifyingKey(bytes32 versionId) external view returns (bytes memory);

    /// @notice Version ids of a model, oldest first.
    /// @param modelId the model; reverts for an unknown one
    /// @param offset number of the first, from 0
    /// @param limit most ids of the page
    /// @return page at most `limit` ids, starting with number `offset`
    function listVersions(
        bytes32 modelId,
        uint256 offset,
        uint256 limit
    ) external view returns (bytes32[] memory page);

    /// @notice Model ids of the registry, oldest first.
    /// @param offset number of the first, from 0
    /// @param limit most ids of the page
    /// @return page at most `limit` ids, starting with number `offset`
    function listModels(uint256 offset, uint256 limit) external view returns (bytes32[] memory page);

    /// @notice How many models there are.
    function modelCount() external view returns (uint256);

    /// @notice The id of a model, registered or not.
    /// @param owner its owner
    /// @param slug its name
    function computeModelId(address owner, string calldata slug) external pure returns (bytes32);

    /// @notice The id of a version, published or not.
    /// @param modelId its model
    /// @param major its major version
    /// @param minor its minor version
    function computeVersionId(bytes32 modelId, uint32 major, uint32 minor) external pure returns (bytes32);
}
