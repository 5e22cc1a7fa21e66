// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {ITEERegistry} from "../../interfaces/ITEERegistry.sol";
import {CodeStore} from "../../utils/CodeStore.sol";
import {NodeRecords} from "./NodeRecords.sol";
import {TEENodes} from "./TEENodes.sol";

/// @title TEEKeys
/// @notice What nodes say with their keys: heartbeats, session keys, OHTTP keys. A part of {TEERegistry}.
///
/// The heartbeat's message is the public network's and names neither chain nor registry; all it can do elsewhere is
/// show a life that there was. Everything else is EIP-712 under this contract's own domain.
abstract contract TEEKeys is TEENodes {
    /// @notice Longest validity of a session key, in seconds.
    uint64 private constant MAXIMUM_SESSION = 30 days;

    /// @notice How far an enclave's clock may be ahead of the chain's, in seconds.
    uint64 private constant MAXIMUM_HEARTBEAT_SKEW = 60;

    bytes32 private constant DOMAIN_TYPEHASH = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );
    bytes32 private constant DOMAIN_NAME_HASH = keccak256("HACA TEERegistry");
    bytes32 private constant DOMAIN_VERSION_HASH = keccak256("1");
    bytes32 private constant HEARTBEAT_TYPEHASH = keccak256("Heartbeat(bytes32 teeId,uint256 timestamp)");
    bytes32 private constant SESSION_KEY_TYPEHASH = keccak256(
        "SessionKey(bytes32 teeId,address key,bool signsResults,uint64 until,uint64 counter)"
    );
    bytes32 private constant OHTTP_KEY_TYPEHASH = keccak256(
        "OhttpKey(bytes32 teeId,uint8 keyId,uint16 kemId,uint16 kdfId,uint16 aeadId,bytes publicKey,bytes keyConfig,uint64 deadline,uint64 counter)"
    );
    uint256 private constant MAXIMUM_OHTTP_LENGTH = 4096;

    mapping(bytes32 teeId => mapping(address key => SessionKey session)) private _sessionKeys;
    // Counters are one a kind, so that a statement of one kind never uses up another's.
    /// @inheritdoc ITEERegistry
    mapping(bytes32 teeId => uint64 counter) public override sessionCounter;
    /// @inheritdoc ITEERegistry
    mapping(bytes32 teeId => uint64 counter) public override ohttpCounter;
    mapping(bytes32 teeId => address store) private _ohttpConfigs;

    /// @inheritdoc ITEERegistry
    function heartbeat(bytes32 teeId, uint256 timestamp, bytes calldata signature) external override {
        Node storage node = _enabledNode(teeId);
        _recordHeartbeat(teeId, node, timestamp);
        _requireSigned(teeId, node, keccak256(abi.encode(teeId, timestamp)), signature);
    }

    /// @inheritdoc ITEERegistry
    function heartbeatBySession(
        bytes32 teeId,
        uint256 timestamp,
        bytes calldata signature
    ) external override {
        Node storage node = _enabledNode(teeId);
        _recordHeartbeat(teeId, node, timestamp);
        bytes32 digest = _hashTypedData(keccak256(abi.encode(HEARTBEAT_TYPEHASH, teeId, timestamp)));
        (address key, ECDSA.RecoverError problem, ) = ECDSA.tryRecoverCalldata(digest, signature);
        if (problem != ECDSA.RecoverError.NoError) revert TEERegistry_SignatureInvalid(teeId);
        // Valid now, not only at the time that it says: a key that was ended cannot go on with old times.
        _validSessionKey(teeId, key);
    }

    /// @inheritdoc ITEERegistry
    function certifySessionKey(
        bytes32 teeId,
        address key,
        bool signsResults,
        uint64 until,
        uint64 counter,
        bytes calldata signature
    ) external override {
        Node storage node = _enabledNode(teeId);
        if (until <= block.timestamp) revert TEERegistry_StatementExpired(until, block.timestamp);
        uint256 latest = block.timestamp + MAXIMUM_SESSION;
        if (until > latest) revert TEERegistry_SessionTooLong(latest, until);
        // A key is never certified a second time, so that it stays known when it was valid, and what for.
        if (key == address(0) || _sessionKeys[teeId][key].from != 0) {
            revert TEERegistry_SessionKeyInvalid(teeId, key);
        }
        _useCounter(sessionCounter, teeId, counter);
        bytes32 hash = keccak256(abi.encode(SESSION_KEY_TYPEHASH, teeId, key, signsResults, until, counter));
        _requireSigned(teeId, node, _hashTypedData(hash), signature);

        _sessionKeys[teeId][key] = SessionKey(uint48(block.timestamp), uint48(until), signsResults);
        emit SessionKeyCertified(teeId, key, signsResults, uint64(block.timestamp), until);
    }

    /// @inheritdoc ITEERegistry
    function endSessionKey(bytes32 teeId, address key) external override {
        _operatedNode(teeId);
        SessionKey storage session = _validSessionKey(teeId, key);
        session.until = uint48(block.timestamp);
        emit SessionKeyEnded(teeId, key, uint64(block.timestamp));
    }

    /// @inheritdoc ITEERegistry
    function setOhttpConfig(
        bytes32 teeId,
        OhttpConfig calldata config,
        uint64 deadline,
        uint64 counter,
        bytes calldata signature
    ) external override {
        Node storage node = _enabledNode(teeId);
        if (deadline < block.timestamp) revert TEERegistry_StatementExpired(deadline, block.timestamp);
        _requireLength(Field.OhttpPublicKey, config.publicKey.length, MAXIMUM_OHTTP_LENGTH);
        _requireLength(Field.OhttpKeyConfig, config.keyConfig.length, MAXIMUM_OHTTP_LENGTH);
        _useCounter(ohttpCounter, teeId, counter);
        bytes32 hash = keccak256(
            abi.encode(
                OHTTP_KEY_TYPEHASH,
                teeId,
                config.keyId,
                config.kemId,
                config.kdfId,
                config.aeadId,
                keccak256(config.publicKey),
                keccak256(config.keyConfig),
                deadline,
                counter
            )
        );
        _requireSigned(teeId, node, _hashTypedData(hash), signature);

        OhttpConfig memory stored = config;
        stored.registeredAt = block.timestamp;
        _ohttpConfigs[teeId] = CodeStore.write(abi.encode(stored));
        emit OhttpConfigChanged(teeId, config.keyId, config.publicKey);
    }

    /// @inheritdoc ITEERegistry
    function isSignedBy(
        bytes32 teeId,
        bytes32 message,
        bytes calldata signature
    ) external view override returns (bool) {
        return _isSigned(_knownNode(teeId), message, signature);
    }

    /// @inheritdoc ITEERegistry
    function sessionKey(bytes32 teeId, address key) external view override returns (SessionKey memory) {
        return _sessionKeys[teeId][key];
    }

    /// @dev All zero if the node has none.
    function _ohttpConfigOf(bytes32 teeId) internal view returns (OhttpConfig memory config) {
        address store = _ohttpConfigs[teeId];
        if (store != address(0)) config = abi.decode(CodeStore.readFrom(store, 0), (OhttpConfig));
    }

    /// @dev Checks the time, and stores it if it is newer; what follows must check the signature, whether it is or not:
    /// a call that succeeds says that the heartbeat is genuine.
    function _recordHeartbeat(bytes32 teeId, Node storage node, uint256 timestamp) private {
        uint256 latest = block.timestamp + MAXIMUM_HEARTBEAT_SKEW;
        if (timestamp > latest) revert TEERegistry_HeartbeatFromFuture(latest, timestamp);
        uint256 maxAge = heartbeatMaxAge;
        if (timestamp + maxAge < block.timestamp) {
            revert TEERegistry_HeartbeatStale(block.timestamp - maxAge, timestamp);
        }
        if (timestamp <= node.lastHeartbeatAt) return;
        node.lastHeartbeatAt = uint48(timestamp);
        emit Heartbeat(teeId, timestamp);
    }

    function _useCounter(
        mapping(bytes32 teeId => uint64 counter) storage counters,
        bytes32 teeId,
        uint64 counter
    ) private {
        uint64 last = counters[teeId];
        if (counter <= last) revert TEERegistry_CounterNotNewer(last, counter);
        counters[teeId] = counter;
    }

    function _requireSigned(
        bytes32 teeId,
        Node storage node,
        bytes32 message,
        bytes calldata signature
    ) private view {
        if (!_isSigned(node, message, signature)) revert TEERegistry_SignatureInvalid(teeId);
    }

    function _isSigned(
        Node storage node,
        bytes32 message,
        bytes calldata signature
    ) private view returns (bool) {
        address record = node.record;
        NodeRecords.Identity memory identity = NodeRecords.readIdentity(record);
        bytes memory key = NodeRecords.readSigningKey(record, identity);
        return signingKeys.isSigned(identity.keyKind, key, message, signature);
    }

    /// @dev EIP-712. OpenZeppelin's contract for it would take a kilobyte more than there is.
    function _hashTypedData(bytes32 structHash) private view returns (bytes32) {
        bytes32 domainSeparator = keccak256(
            abi.encode(DOMAIN_TYPEHASH, DOMAIN_NAME_HASH, DOMAIN_VERSION_HASH, block.chainid, address(this))
        );
        return MessageHashUtils.toTypedDataHash(domainSeparator, structHash);
    }

    /// @dev A key that is valid now, whatever it is for; it never begins in the future.
    function _validSessionKey(bytes32 teeId, address key) private view returns (SessionKey storage session) {
        session = _sessionKeys[teeId][key];
        if (block.timestamp >= session.until) revert TEERegistry_SessionKeyInvalid(teeId, key);
    }
}
