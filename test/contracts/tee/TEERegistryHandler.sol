// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAttestationVerifier} from "../../../contracts/interfaces/IAttestationVerifier.sol";
import {ITEERegistry} from "../../../contracts/interfaces/ITEERegistry.sol";
import {ITEERegistryLens} from "../../../contracts/interfaces/ITEERegistryLens.sol";
import {ITEERegistryTypes} from "../../../contracts/interfaces/ITEERegistryTypes.sol";
import {OpenVerifier} from "../mocks/OpenVerifier.sol";
import {deployArtifact} from "../utils/DeployArtifact.sol";
import {bound, vm} from "../utils/Vm.sol";

/// @title TEERegistryHandler
/// @notice Random use of the registry by operators, guardian, governance and strangers, with its own account of what
/// every node's standing must be, now and at past times. A call that the account forbids must revert, and change
/// nothing.
contract TEERegistryHandler {
    uint256 private constant NODES = 4;
    uint256 private constant IMAGES = 2;
    uint8 private constant TEE_TYPE = 0;
    uint256 private constant SIGNERS = 12;
    uint256 private constant SAMPLES = 16;
    uint8 private constant VERIFIER = 0;
    string private constant ENDPOINT = "https://node.example";

    /// @dev x and y of G, 2 G, 3 G and 4 G on secp256k1: the keys 1 to 4.
    bytes private constant POINT_1 =
        hex"79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8";
    bytes private constant POINT_2 =
        hex"c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee51ae168fea63dc339a3c58419466ceaeef7f632653266d0e1236431a950cfe52a";
    bytes private constant POINT_3 =
        hex"f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9388f7b0f632de8140fe337e62a37f3566500a99934c2231b6cb9fd7584b8e672";
    bytes private constant POINT_4 =
        hex"e493dbf1c10d80f3581e4904930b1404cc6c13900ee0758474fa94abe8c4cd1351ed993ea0d455b75642e2098ea51448d967ae33bfbdfe40cfe97bdc47739922";

    /// @notice The handler's own account of a node.
    struct Standing {
        ITEERegistryTypes.NodeStatus status;
        address operator;
        uint256 image;
        uint32 generation;
        uint32 verifierGeneration;
        bytes32 signerCertificate;
        uint256 attestedAt;
        uint256 lastHeartbeatAt;
    }

    /// @notice What held of a node in the last moment of a second, and the ages of that time.
    struct Sample {
        bytes32 teeId;
        uint256 timestamp;
        bool stood;
        uint256 heartbeatAge;
        uint256 attestationAge;
    }

    ITEERegistry public immutable registry;
    ITEERegistryLens public immutable lens;

    uint256 public heartbeatAge = 1 hours;
    uint256 public attestationAge = 1 days;
    uint256 public pausedUntil;
    OpenVerifier[] private _verifiers;
    mapping(uint256 verifier => bool) private _wasSet;
    uint32 private _verifierGeneration = 1;
    Sample[] private _samples;

    mapping(bytes32 teeId => Standing standing) private _standings;
    mapping(uint256 image => uint32 generation) public generationOf;
    mapping(uint256 image => bool) public isApproved;
    mapping(address operator => bool) public isDenied;
    mapping(bytes32 signerCertificate => bool) public isWithdrawn;
    bytes32[] public admitted;
    uint256 public acceptedCount;
    uint256 public refusedCount;

    constructor() {
        vm.warp(1_900_000_000);
        address manager = deployArtifact("AccessManager", abi.encode(address(this)));
        address keys = deployArtifact("SigningKeys", "");
        _verifiers.push(new OpenVerifier());
        _verifiers.push(new OpenVerifier());
        _wasSet[0] = true;
        registry = ITEERegistry(
            deployArtifact(
                "TEERegistry",
                abi.encode(manager, keys, _verifiers[0], heartbeatAge, attestationAge)
            )
        );
        lens = ITEERegistryLens(deployArtifact("TEERegistryLens", abi.encode(registry)));
        registry.addTEEType(TEE_TYPE, "LLMProxy");
        for (uint256 image = 0; image < IMAGES; ++image) {
            _approve(image);
        }
    }

    /// @notice Admission, or another attestation if the node is there already, by any account.
    function attest(
        uint256 keySeed,
        uint256 imageSeed,
        uint256 operatorSeed,
        uint256 age,
        bool isBound
    ) external {
        (bytes32 teeId, bytes memory key) = keyAt(keySeed);
        uint256 image = imageSeed % IMAGES;
        address operator = operatorAt(operatorSeed);
        uint256 issuedAt = block.timestamp - bound(age, 0, 200);
        Standing storage standing = _standings[teeId];
        bytes32 signerCertificate = bytes32(1 + (age % SIGNERS));
        bool isNew = standing.status == ITEERegistryTypes.NodeStatus.Unknown;
        bool isAllowed =
            isBound && isApproved[image] && !isDenied[operator] && !isWithdrawn[signerCertificate];
        if (isNew) {
            isAllowed = isAllowed && block.timestamp >= pausedUntil;
        } else {
            isAllowed =
                isAllowed &&
                operator == standing.operator &&
                image == standing.image &&
                issuedAt > standing.attestedAt &&
                (standing.status == ITEERegistryTypes.NodeStatus.Enabled ||
                    standing.status == ITEERegistryTypes.NodeStatus.Disabled);
        }
        ITEERegistryTypes.Registration memory registration = _registration(
            key,
            image,
            operator,
            issuedAt,
            signerCertificate,
            isBound
        );
        bytes memory call =
            isNew
                ? abi.encodeCall(registry.register, (registration))
                : abi.encodeCall(registry.renew, (teeId, registration));
        if (!_try(operator, call, isAllowed)) return;
        if (isNew) {
            standing.status = ITEERegistryTypes.NodeStatus.Enabled;
            standing.operator = operator;
            standing.image = image;
            admitted.push(teeId);
        }
        standing.generation = generationOf[image];
        standing.verifierGeneration = _verifierGeneration;
        standing.signerCertificate = signerCertificate;
        standing.attestedAt = issuedAt;
        if (issuedAt > standing.lastHeartbeatAt) standing.lastHeartbeatAt = issuedAt;
    }

    function disable(uint256 keySeed, uint256 operatorSeed) external {
        (bytes32 teeId, ) = keyAt(keySeed);
        address operator = operatorAt(operatorSeed);
        Standing storage standing = _standings[teeId];
        bool isAllowed =
            standing.operator == operator && standing.status == ITEERegistryTypes.NodeStatus.Enabled;
        if (_try(operator, abi.encodeCall(registry.disableTEE, (teeId)), isAllowed)) {
            standing.status = ITEERegistryTypes.NodeStatus.Disabled;
        }
    }

    function enable(uint256 keySeed, uint256 operatorSeed) external {
        (bytes32 teeId, ) = keyAt(keySeed);
        address operator = operatorAt(operatorSeed);
        Standing storage standing = _standings[teeId];
        bool isAllowed =
            standing.operator == operator && standing.status == ITEERegistryTypes.NodeStatus.Disabled;
        if (_try(operator, abi.encodeCall(registry.enableTEE, (teeId)), isAllowed)) {
            standing.status = ITEERegistryTypes.NodeStatus.Enabled;
        }
    }

    function retire(uint256 keySeed, uint256 operatorSeed) external {
        (bytes32 teeId, ) = keyAt(keySeed);
        address operator = operatorAt(operatorSeed);
        Standing storage standing = _standings[teeId];
        bool wasBanned = standing.status == ITEERegistryTypes.NodeStatus.Banned;
        bool isAllowed =
            standing.operator == operator &&
                (wasBanned ||
                    standing.status == ITEERegistryTypes.NodeStatus.Enabled ||
                    standing.status == ITEERegistryTypes.NodeStatus.Disabled);
        if (_try(operator, abi.encodeCall(registry.retireTEE, (teeId)), isAllowed)) {
            standing.status =
                wasBanned ? ITEERegistryTypes.NodeStatus.Expelled : ITEERegistryTypes.NodeStatus.Retired;
        }
    }

    /// @notice A heartbeat of a node's own key, or of another's, at any time around now.
    function beat(uint256 keySeed, uint256 signerSeed, uint256 time) external {
        (bytes32 teeId, ) = keyAt(keySeed);
        uint256 timestamp = bound(time, block.timestamp - 2 hours, block.timestamp + 2 minutes);
        Standing storage standing = _standings[teeId];
        uint256 signer = (signerSeed % NODES) + 1;
        bool isAllowed =
            standing.status == ITEERegistryTypes.NodeStatus.Enabled &&
                signer == (keySeed % NODES) + 1 &&
                timestamp <= block.timestamp + 60 &&
                timestamp + heartbeatAge >= block.timestamp;
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(signer, keccak256(abi.encode(teeId, timestamp)));
        bytes memory call = abi.encodeCall(registry.heartbeat, (teeId, timestamp, abi.encodePacked(r, s, v)));
        bool isAccepted = _try(operatorAt(signerSeed), call, isAllowed);
        if (isAccepted && timestamp > standing.lastHeartbeatAt) standing.lastHeartbeatAt = timestamp;
    }

    function ban(uint256 keySeed, bool isGuardian) external {
        (bytes32 teeId, ) = keyAt(keySeed);
        Standing storage standing = _standings[teeId];
        bool isAllowed =
            isGuardian &&
                standing.status != ITEERegistryTypes.NodeStatus.Unknown &&
                !_isBanned(standing.status);
        bool wasRetired = standing.status == ITEERegistryTypes.NodeStatus.Retired;
        if (_try(_authority(isGuardian), abi.encodeCall(registry.banTEE, (teeId)), isAllowed)) {
            standing.status =
                wasRetired ? ITEERegistryTypes.NodeStatus.Expelled : ITEERegistryTypes.NodeStatus.Banned;
        }
    }

    function liftBan(uint256 keySeed, bool isGovernance) external {
        (bytes32 teeId, ) = keyAt(keySeed);
        Standing storage standing = _standings[teeId];
        bool isAllowed = isGovernance && _isBanned(standing.status);
        bool wasRetired = standing.status == ITEERegistryTypes.NodeStatus.Expelled;
        if (_try(_authority(isGovernance), abi.encodeCall(registry.liftBan, (teeId)), isAllowed)) {
            standing.status =
                wasRetired ? ITEERegistryTypes.NodeStatus.Retired : ITEERegistryTypes.NodeStatus.Disabled;
        }
    }

    function setDenied(uint256 operatorSeed, bool denied) external {
        address operator = operatorAt(operatorSeed);
        if (denied) registry.denyOperator(operator);
        else registry.allowOperator(operator);
        isDenied[operator] = denied;
    }

    function toggleImage(uint256 imageSeed) external {
        uint256 image = imageSeed % IMAGES;
        if (isApproved[image]) {
            registry.revokeImage(_measurement(image), TEE_TYPE, VERIFIER);
            isApproved[image] = false;
        } else {
            _approve(image);
        }
    }

    /// @notice One of the two verifiers, now and then; the same one again is another generation too.
    function replaceVerifier(uint256 seed) external {
        if (seed % 4 > 1) return;
        registry.setVerifier(VERIFIER, _verifiers[seed % 2]);
        _wasSet[seed % 2] = true;
        ++_verifierGeneration;
    }

    /// @notice A certificate is revoked where one of the verifiers looks that were ever set.
    function withdraw(uint256 signerSeed, uint256 verifierSeed) external {
        if (verifierSeed % 4 > 1) return;
        uint256 chosen = verifierSeed % 2;
        if (!_wasSet[chosen]) return;
        bytes32 signerCertificate = bytes32(1 + (signerSeed % SIGNERS));
        _verifiers[chosen].withdraw(signerCertificate);
        isWithdrawn[signerCertificate] = true;
    }

    function setAges(uint256 heartbeat, uint256 attestation) external {
        heartbeatAge = bound(heartbeat, 1 minutes, 3 hours);
        attestationAge = bound(attestation, 1 hours, 2 days);
        registry.setHeartbeatMaxAge(heartbeatAge);
        registry.setAttestationMaxAge(uint64(attestationAge));
    }

    function pause(uint256 time) external {
        uint256 until = block.timestamp + bound(time, 1, 2 hours);
        bool isAllowed = pausedUntil == 0 || block.timestamp >= pausedUntil + 7 days;
        if (_try(address(this), abi.encodeCall(registry.pauseAdmission, (uint64(until))), isAllowed)) {
            pausedUntil = until;
        }
    }

    /// @notice Time goes on; what this second leaves behind is kept as a sample.
    function pass(uint256 time) external {
        if (admitted.length > 0) _sample(admitted[time % admitted.length]);
        vm.warp(block.timestamp + bound(time, 1, 40 minutes));
    }

    /// @notice Whether the account says that the node is active now.
    function isActive(bytes32 teeId) external view returns (bool) {
        Standing memory standing = _standings[teeId];
        return
            _stands(standing) &&
            !_isExcluded(standing) &&
            block.timestamp <= standing.attestedAt + attestationAge &&
            block.timestamp <= standing.lastHeartbeatAt + heartbeatAge;
    }

    function sampleCount() external view returns (uint256) {
        return _samples.length;
    }

    /// @notice A past second, and as the account sees it now: whether the node was in service then, and whether it is to be
    /// trusted for it, alive as well.
    function sampleAt(
        uint256 index
    ) external view returns (bytes32 teeId, uint256 timestamp, bool wasInService, bool isTrusted) {
        Sample memory sample = _samples[index];
        Standing memory standing = _standings[sample.teeId];
        wasInService = sample.stood && !_isExcluded(standing) && !_isBanned(standing.status);
        isTrusted =
            wasInService &&
            sample.timestamp <= standing.attestedAt + sample.attestationAge &&
            sample.timestamp <= standing.lastHeartbeatAt + sample.heartbeatAge;
        return (sample.teeId, sample.timestamp, wasInService, isTrusted);
    }

    function standingOf(bytes32 teeId) external view returns (Standing memory) {
        return _standings[teeId];
    }

    function admittedCount() external view returns (uint256) {
        return admitted.length;
    }

    function keyAt(uint256 seed) public pure returns (bytes32 teeId, bytes memory key) {
        bytes memory point;
        uint256 index = seed % NODES;
        if (index == 0) point = POINT_1;
        else if (index == 1) point = POINT_2;
        else if (index == 2) point = POINT_3;
        else point = POINT_4;
        key = bytes.concat(hex"3056301006072a8648ce3d020106052b8104000a03420004", point);
        teeId = keccak256(key);
    }

    function operatorAt(uint256 seed) public pure returns (address) {
        return address(uint160(0xa000 + (seed % 3)));
    }

    function _authority(bool isAuthority) private view returns (address) {
        return isAuthority ? address(this) : operatorAt(0);
    }

    /// @dev The newest samples replace the oldest.
    function _sample(bytes32 teeId) private {
        Sample memory sample = Sample(
            teeId,
            block.timestamp,
            _stands(_standings[teeId]),
            heartbeatAge,
            attestationAge
        );
        if (_samples.length < SAMPLES) _samples.push(sample);
        else _samples[block.timestamp % SAMPLES] = sample;
    }

    /// @dev What belongs to a time: service, image, verifier.
    function _stands(Standing memory standing) private view returns (bool) {
        return
            standing.status == ITEERegistryTypes.NodeStatus.Enabled &&
            isApproved[standing.image] &&
            standing.generation == generationOf[standing.image] &&
            standing.verifierGeneration == _verifierGeneration;
    }

    /// @dev What counts whatever the time is, bans aside.
    function _isExcluded(Standing memory standing) private view returns (bool) {
        return isDenied[standing.operator] || isWithdrawn[standing.signerCertificate];
    }

    function _isBanned(ITEERegistryTypes.NodeStatus status) private pure returns (bool) {
        return
            status == ITEERegistryTypes.NodeStatus.Banned || status == ITEERegistryTypes.NodeStatus.Expelled;
    }

    function _approve(uint256 image) private {
        bytes32 measurement = _measurement(image);
        registry.approveImage(
            measurement,
            "v",
            TEE_TYPE,
            VERIFIER,
            registry.imageState(measurement, TEE_TYPE, VERIFIER).lastRevocation,
            0,
            ""
        );
        isApproved[image] = true;
        ++generationOf[image];
    }

    /// @dev Makes the call and holds it against what the account expects.
    function _try(address sender, bytes memory call, bool isAllowed) private returns (bool isDone) {
        vm.prank(sender);
        (isDone, ) = address(registry).call(call);
        vm.assertTrue(isDone == isAllowed, isAllowed ? "refused wrongly" : "accepted wrongly");
        if (isDone) ++acceptedCount;
        else ++refusedCount;
    }

    function _registration(
        bytes memory key,
        uint256 image,
        address operator,
        uint256 issuedAt,
        bytes32 signerCertificate,
        bool isBound
    ) private view returns (ITEERegistryTypes.Registration memory) {
        bytes memory certificate = hex"3000";
        bytes32 binding = registry.computeBinding(operator, operator, ENDPOINT, TEE_TYPE);
        IAttestationVerifier.Claims memory claims = IAttestationVerifier.Claims({
            measurement: _measurement(image),
            keysHash: keccak256(abi.encode(sha256(certificate), sha256(key))),
            binding: isBound ? binding : ~binding,
            issuedAt: uint64(issuedAt),
            signerCertificate: signerCertificate
        });
        return
            ITEERegistryTypes.Registration({
                verifierId: VERIFIER,
                evidence: abi.encode(claims),
                hints: new bytes[](0),
                signingKey: key,
                tlsCertificate: certificate,
                paymentAddress: operator,
                endpoint: ENDPOINT,
                teeType: TEE_TYPE
            });
    }

    function _measurement(uint256 image) private pure returns (bytes32) {
        return keccak256(abi.encode("image", image));
    }
}
