// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IInferenceSettlement} from "../contracts/interfaces/IInferenceSettlement.sol";
import {IModelRegistry} from "../contracts/interfaces/IModelRegistry.sol";
import {ITEERegistry} from "../contracts/interfaces/ITEERegistry.sol";
import {Groth16} from "../contracts/crypto/Groth16.sol";
import {InferenceResults} from "../contracts/settlement/InferenceResults.sol";

/// @title InferenceConsumer
/// @notice An example of a contract that relies on inferences: whoever asked brings the answer of one classifier to
/// one input, and the contract keeps the label. docs/integrating.md says why each check is there.
contract InferenceConsumer {
    /// @param inputHash keccak256 of the packed input words
    /// @param askedAt unix seconds; zero where nothing was asked
    struct Question {
        bytes32 inputHash;
        uint64 askedAt;
    }

    /// @dev In a key store's code, the byte before the key keeps the code from being run.
    uint256 private constant KEY_OFFSET = 1;
    /// @dev Seconds by which the clocks of node and chain may differ, as in the settlement.
    uint256 private constant CLOCK_SKEW = 60;
    /// @dev The low bits of a request id are its nonce; the others are the node.
    uint256 private constant NONCE_BITS = 96;

    IInferenceSettlement public immutable settlement;
    IModelRegistry public immutable models;
    /// @notice The registry of enclaves, where enclaves answer; zero where proofs do.
    ITEERegistry public immutable enclaves;
    bytes32 public immutable modelVersion;
    /// @notice Most seconds between an answer and its acceptance.
    uint256 public immutable maximumAge;

    uint256 private immutable _labelShift;
    uint256 private immutable _labelMask;

    mapping(address requester => Question question) public questions;
    mapping(address requester => uint256 label) public labels;
    mapping(bytes32 requestId => bool isUsed) public isUsed;

    event QuestionAsked(address indexed requester, bytes32 inputHash);
    event AnswerAccepted(address indexed requester, bytes32 indexed requestId, uint256 label);

    error InferenceConsumer_OutputLayoutUnexpected();
    error InferenceConsumer_WrongVersion(bytes32 expected, bytes32 actual);
    error InferenceConsumer_VersionNotPublished(IModelRegistry.VersionStatus status);
    error InferenceConsumer_NotTheRequester(address requester, address caller);
    error InferenceConsumer_WrongInput(bytes32 expected, bytes32 actual);
    error InferenceConsumer_AnsweredBeforeAsked(uint256 askedAt, uint256 timestamp);
    error InferenceConsumer_TooOld(uint256 latest, uint256 timestamp);
    error InferenceConsumer_AlreadyUsed(bytes32 requestId);
    error InferenceConsumer_EnclaveNotActive(bytes32 teeId);
    error InferenceConsumer_NotTheEnclavesRequest(bytes32 teeId, address node);
    error InferenceConsumer_NotTheEnclavesSignature(bytes32 teeId);
    error InferenceConsumer_NodeSignatureInvalid(address node);
    error InferenceConsumer_WordsNotTheResults();

    /// @param version a classifier's: its outputs are the scores and the label, in one word
    constructor(
        IInferenceSettlement settlement_,
        ITEERegistry enclaves_,
        bytes32 version,
        uint256 maximumAge_
    ) {
        settlement = settlement_;
        models = settlement_.modelRegistry();
        enclaves = enclaves_;
        modelVersion = version;
        maximumAge = maximumAge_;

        // A published version never changes: where its label lies can be read once.
        IModelRegistry.VersionView memory published = models.getVersion(version);
        if (published.outputWords != 1 || published.outputLayout.length != 2) {
            revert InferenceConsumer_OutputLayoutUnexpected();
        }
        IModelRegistry.TensorLayout memory scores = published.outputLayout[0];
        IModelRegistry.TensorLayout memory label = published.outputLayout[1];
        if (label.count != 1 || label.isSigned) revert InferenceConsumer_OutputLayoutUnexpected();
        _labelShift = uint256(scores.count) * scores.bits;
        _labelMask = (uint256(1) << label.bits) - 1;
    }

    /// @notice Says which input the caller wants the label of.
    function ask(bytes32 inputHash) external {
        questions[msg.sender] = Question(inputHash, uint64(block.timestamp));
        emit QuestionAsked(msg.sender, inputHash);
    }

    /// @notice Takes the answer to the caller's question.
    /// @param result the message of the receipt
    /// @param words its input words, then its output words
    /// @param evidence the proof, which the node's `GET /v1/inferences/:requestId` gives; where enclaves answer, the
    /// signature of the enclave's own key
    /// @param nodeSignature the receipt's signature; ignored where enclaves answer
    function accept(
        IInferenceSettlement.InferenceResult calldata result,
        uint256[] calldata words,
        bytes calldata evidence,
        bytes calldata nodeSignature
    ) external {
        _requireAnswer(result);

        // Before any call that could come back: an answer counts once.
        if (isUsed[result.requestId]) revert InferenceConsumer_AlreadyUsed(result.requestId);
        isUsed[result.requestId] = true;
        delete questions[msg.sender];

        // A record names neither the result nor how it was verified: what was settled before is checked again here.
        bool isSettled = settlement.isSettled(result.requestId);
        if (address(enclaves) != address(0)) {
            _requireWords(result, words);
            _requireEnclave(result, evidence);
            if (!isSettled) settlement.settleTee(result, evidence);
        } else if (isSettled) {
            _requireProven(result, words, evidence, nodeSignature);
        } else {
            settlement.settleZkml(result, words, evidence, nodeSignature);
        }

        // One output word, the last: the words are the result's, and the version says so.
        uint256 label = (words[words.length - 1] >> _labelShift) & _labelMask;
        labels[msg.sender] = label;
        emit AnswerAccepted(msg.sender, result.requestId, label);
    }

    /// @dev Whether this is an answer to what the caller asked, of the right model and of now.
    function _requireAnswer(IInferenceSettlement.InferenceResult calldata result) private view {
        if (result.modelVersion != modelVersion) {
            revert InferenceConsumer_WrongVersion(modelVersion, result.modelVersion);
        }
        (IModelRegistry.VersionStatus status, , , , ) = models.settlementData(modelVersion);
        if (status != IModelRegistry.VersionStatus.Published) {
            revert InferenceConsumer_VersionNotPublished(status);
        }
        // The requester in a result is the node's word. That the requester brings it makes it true.
        if (result.requester != msg.sender) {
            revert InferenceConsumer_NotTheRequester(result.requester, msg.sender);
        }
        Question memory question = questions[msg.sender];
        if (question.askedAt == 0 || result.inputHash != question.inputHash) {
            revert InferenceConsumer_WrongInput(question.inputHash, result.inputHash);
        }
        if (uint256(result.timestamp) + CLOCK_SKEW < question.askedAt) {
            revert InferenceConsumer_AnsweredBeforeAsked(question.askedAt, result.timestamp);
        }
        uint256 latest = uint256(result.timestamp) + maximumAge;
        if (block.timestamp > latest) revert InferenceConsumer_TooOld(latest, result.timestamp);
    }

    /// @dev Whether an enclave that is active now, and was when it answered, has signed this. Its own key only: a session
    /// key that was ended can still date answers back.
    function _requireEnclave(
        IInferenceSettlement.InferenceResult calldata result,
        bytes calldata signature
    ) private view {
        bytes32 teeId = result.teeId;
        // The enclave's clock may be ahead of the chain's; the registry says no to what is to come.
        uint256 answeredAt = result.timestamp < block.timestamp ? result.timestamp : block.timestamp;
        if (!enclaves.isTEEActive(teeId) || !enclaves.isActiveAt(teeId, answeredAt)) {
            revert InferenceConsumer_EnclaveNotActive(teeId);
        }
        // An enclave's requests are under its own address form; under another's they are no answer of its.
        address node = _nodeOf(result.requestId);
        if (node != address(uint160(uint256(teeId)))) {
            revert InferenceConsumer_NotTheEnclavesRequest(teeId, node);
        }
        if (!enclaves.isSignedBy(teeId, settlement.hashResult(result), signature)) {
            revert InferenceConsumer_NotTheEnclavesSignature(teeId);
        }
    }

    /// @dev What `settleZkml` checks, without its record: consent, words and proof.
    function _requireProven(
        IInferenceSettlement.InferenceResult calldata result,
        uint256[] calldata words,
        bytes calldata proof,
        bytes calldata nodeSignature
    ) private view {
        bytes32 digest = settlement.hashResult(result);
        address node = _nodeOf(result.requestId);
        if (!SignatureChecker.isValidSignatureNowCalldata(node, digest, nodeSignature)) {
            revert InferenceConsumer_NodeSignatureInvalid(node);
        }
        address keyStore = _requireWords(result, words);
        uint256[] memory signals = new uint256[](words.length + 1);
        for (uint256 i = 0; i < words.length; ++i) signals[i] = words[i];
        signals[words.length] = InferenceResults.toContext(digest);
        Groth16.verify(keyStore, KEY_OFFSET, proof, signals);
    }

    /// @dev The words are those that the result's hashes are of, as many as the version has.
    function _requireWords(
        IInferenceSettlement.InferenceResult calldata result,
        uint256[] calldata words
    ) private view returns (address keyStore) {
        uint256 inputWords;
        uint256 outputWords;
        (, keyStore, inputWords, outputWords, ) = models.settlementData(modelVersion);
        if (
            words.length != inputWords + outputWords ||
            keccak256(abi.encodePacked(words[:inputWords])) != result.inputHash ||
            keccak256(abi.encodePacked(words[inputWords:])) != result.outputHash
        ) revert InferenceConsumer_WordsNotTheResults();
    }

    function _nodeOf(bytes32 requestId) private pure returns (address) {
        return address(uint160(uint256(requestId) >> NONCE_BITS));
    }
}
