// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IAttestationVerifier} from "../../../contracts/interfaces/IAttestationVerifier.sol";
import {IInferenceSettlement} from "../../../contracts/interfaces/IInferenceSettlement.sol";
import {IModelRegistry} from "../../../contracts/interfaces/IModelRegistry.sol";
import {IPageSettlement} from "../../../contracts/interfaces/IPageSettlement.sol";
import {IPageSettlementTypes} from "../../../contracts/interfaces/IPageSettlementTypes.sol";
import {ITEERegistry} from "../../../contracts/interfaces/ITEERegistry.sol";
import {ITEERegistryTypes} from "../../../contracts/interfaces/ITEERegistryTypes.sol";
import {IValidatorStaking} from "../../../contracts/interfaces/IValidatorStaking.sol";
import {IValidatorStakingTypes} from "../../../contracts/interfaces/IValidatorStakingTypes.sol";
import {InferenceResults} from "../../../contracts/settlement/InferenceResults.sol";
import {PageTree} from "../../../contracts/settlement/PageTree.sol";
import {deployArtifact} from "../utils/DeployArtifact.sol";
import {vm} from "../utils/Vm.sol";

interface IAuthorityConsumer {
    function setLedgerWriter(address writer, bool allowed) external;
    function setTeeRegistry(address registry) external;
    function setAttester(address attester) external;
    function setParameters(IValidatorStakingTypes.Parameters calldata parameters) external;
}

/// @title StakingWorld
/// @notice The contracts around pages and stake as they are deployed, one enclave, and validators whose keys are known.
abstract contract StakingWorld {
    uint256 internal constant START = 1_900_000_800;
    uint256 internal constant OPG = 1e18;
    uint256 internal constant VALIDATORS = 4;
    uint256 internal constant HOLDERS = 7;
    uint256 internal constant LONG_ROAD = 3 days;
    uint256 internal constant SHORT_ROAD = 6 hours;
    uint256 internal constant RESULT_WINDOW = 7 days;
    uint256 internal constant EVIDENCE_WINDOW = 7 days;
    uint256 internal constant EPOCH = 1 days;
    /// @dev The generator of secp256k1: the public key of 1.
    bytes private constant KEY =
        hex"3056301006072a8648ce3d020106052b8104000a0342000479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8";
    uint256 internal constant ENCLAVE_KEY = 1;
    uint256 private constant FIRST_SIGNING_KEY = 201;
    string private constant ENDPOINT = "https://node.example";
    bytes32 private constant SIGNING_KEY_TYPEHASH = keccak256("SigningKey(address validator)");
    bytes32 private constant ATTESTATION_TYPEHASH = keccak256("Attestation(bytes32 pageId)");

    IERC20 public immutable token;
    IPageSettlement public immutable pages;
    IValidatorStaking public immutable staking;
    address internal immutable settlement;
    bytes32 internal immutable teeId;
    bytes32 private immutable _versionId;

    constructor() {
        vm.warp(START);
        address manager = deployArtifact("AccessManager", abi.encode(address(this)));
        address models = deployArtifact("ModelRegistry", "");
        address verifier = deployArtifact("OpenVerifier", "");
        ITEERegistry registry = ITEERegistry(
            deployArtifact(
                "TEERegistry",
                abi.encode(manager, deployArtifact("SigningKeys", ""), verifier, 1 hours, 1 days)
            )
        );
        settlement = deployArtifact("InferenceSettlement", abi.encode(manager, models, 7 days));
        IAuthorityConsumer(settlement).setTeeRegistry(address(registry));
        token = IERC20(deployArtifact("OPG", abi.encode(address(this), address(1))));
        pages = IPageSettlement(
            deployArtifact(
                "PageSettlement",
                abi.encode(
                    manager,
                    settlement,
                    token,
                    1 days,
                    IPageSettlementTypes.Parameters(
                        uint24(LONG_ROAD),
                        uint24(SHORT_ROAD),
                        uint24(RESULT_WINDOW),
                        uint88(1_000 * OPG)
                    )
                )
            )
        );
        IAuthorityConsumer(settlement).setLedgerWriter(address(pages), true);
        staking = IValidatorStaking(
            deployArtifact("ValidatorStaking", abi.encode(manager, token, pages, _parameters()))
        );
        IAuthorityConsumer(address(pages)).setAttester(address(staking));
        bytes32 modelId = IModelRegistry(models).registerModel("model");
        _versionId = IModelRegistry(models).publishManifest(modelId, 1, 0, keccak256("manifest"), 0);
        teeId = _admit(registry);
        // Results that are a little old are of its time, too.
        vm.warp(START + 1 hours);
        token.approve(address(pages), type(uint256).max);
        token.approve(address(staking), type(uint256).max);
        for (uint256 i = 0; i < HOLDERS; ++i) {
            token.transfer(holderAt(i), 1_000_000 * OPG);
            vm.prank(holderAt(i));
            token.approve(address(staking), type(uint256).max);
        }
        for (uint256 i = 0; i < VALIDATORS; ++i) {
            address owner = holderAt(i);
            bytes32 consent = _stakingDigest(keccak256(abi.encode(SIGNING_KEY_TYPEHASH, owner)));
            (uint8 v, bytes32 r, bytes32 s) = vm.sign(FIRST_SIGNING_KEY + i, consent);
            vm.prank(owner);
            staking.register(
                vm.addr(FIRST_SIGNING_KEY + i),
                abi.encodePacked(r, s, v),
                1_000,
                uint96(40_000 * OPG)
            );
            vm.prank(owner);
            staking.enter(address(0));
        }
    }

    /// @notice The first ones are validators' owners.
    function holderAt(uint256 index) public pure returns (address) {
        return vm.addr(101 + index);
    }

    /// @dev A page with one result, or what somebody made of it, at the first place of a ledger page of its own.
    function _makePage(
        uint256 ledgerPage,
        uint256 fault,
        uint96 fee
    )
        internal
        view
        returns (IPageSettlementTypes.PageHeader memory header, IPageSettlementTypes.Leaf memory leaf)
    {
        header.kind = IInferenceSettlement.Verification.TEE;
        header.teeId = teeId;
        header.ledgerPage = (uint256(uint160(uint256(teeId))) << 88) | ledgerPage;
        header.bitmap = 1;
        header.blobId = keccak256("blob");
        header.proposer = address(this);
        header.fee = fee;
        leaf.result.modelVersion = _versionId;
        leaf.result.requestId = bytes32(header.ledgerPage << 8);
        leaf.result.timestamp = uint64(block.timestamp - 30);
        leaf.result.teeId = teeId;
        if (fault == 1) leaf.result.requestId = bytes32((header.ledgerPage << 8) | 1);
        else if (fault == 2) leaf.result.teeId = bytes32(uint256(teeId) ^ (1 << 255));
        else if (fault == 3) leaf.result.timestamp = uint64(block.timestamp - RESULT_WINDOW - 1);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(
            fault == 4 ? ENCLAVE_KEY + 1 : ENCLAVE_KEY,
            _digestOf(leaf.result)
        );
        leaf.signature = abi.encodePacked(r, s, v);
        bytes32 hash = PageTree.hashLeaf(_digestOf(leaf.result), keccak256(leaf.signature));
        bytes32 empty = PageTree.EMPTY_LEAF;
        for (uint256 depth = 0; depth < 8; ++depth) {
            leaf.siblings[depth] = empty;
            hash = keccak256(abi.encodePacked(bytes1(0x01), hash, empty));
            empty = keccak256(abi.encodePacked(bytes1(0x01), empty, empty));
        }
        header.root = hash;
    }

    /// @dev The test's own verifier of a leaf, of a page that was proposed at a time.
    function _isGood(
        IPageSettlementTypes.PageHeader memory header,
        IPageSettlementTypes.Leaf memory leaf,
        uint256 proposedAt
    ) internal view returns (bool) {
        bytes memory signature = leaf.signature;
        bytes32 r;
        bytes32 s;
        assembly ("memory-safe") {
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
        }
        address signer = ecrecover(_digestOf(leaf.result), uint8(signature[64]), r, s);
        return
            signer == vm.addr(ENCLAVE_KEY) &&
            uint256(leaf.result.requestId) == (header.ledgerPage << 8) + leaf.index &&
            leaf.result.teeId == header.teeId &&
            leaf.result.timestamp <= proposedAt + 60 &&
            leaf.result.timestamp + RESULT_WINDOW >= proposedAt;
    }

    /// @dev Compact signatures of members of a snapshot, by the bits of a set.
    function _attestationOf(
        bytes32 pageId,
        uint256[] memory snapshot,
        uint256 signers
    ) internal view returns (bytes memory signatures) {
        bytes32 digest = _stakingDigest(keccak256(abi.encode(ATTESTATION_TYPEHASH, pageId)));
        for (uint256 i = 1; i < snapshot.length; ++i) {
            if ((signers >> (i - 1)) & 1 == 0) continue;
            (uint8 v, bytes32 r, bytes32 s) = vm.sign(
                _signingKeyOf(address(uint160(snapshot[i] >> 96))),
                digest
            );
            signatures = bytes.concat(signatures, r, bytes32(uint256(s) | (uint256(v - 27) << 255)));
        }
    }

    function _signingKeyOf(address key) internal pure returns (uint256) {
        for (uint256 i = 0; i < VALIDATORS; ++i) {
            if (vm.addr(FIRST_SIGNING_KEY + i) == key) return FIRST_SIGNING_KEY + i;
        }
        revert("a key of nobody");
    }

    function _digestOf(IInferenceSettlement.InferenceResult memory result) internal view returns (bytes32) {
        return InferenceResults.toDigest(settlement, InferenceResults.hashCopy(result));
    }

    function _stakingDigest(bytes32 structHash) private view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("HACA ValidatorStaking"),
                keccak256("1"),
                block.chainid,
                address(staking)
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    /// @dev As the deployment sets them, but that validators can lose so much in a day that every slash is made at once.
    function _parameters() private pure returns (IValidatorStakingTypes.Parameters memory) {
        return
            IValidatorStakingTypes.Parameters(
                uint96(10_000 * OPG),
                uint96(30_000 * OPG),
                500,
                100,
                10_000,
                uint96(10 * OPG)
            );
    }

    function _admit(ITEERegistry registry) private returns (bytes32) {
        bytes32 measurement = keccak256("image");
        registry.addTEEType(0, "LLMProxy");
        registry.approveImage(measurement, "v", 0, 0, 0, 0, "");
        bytes memory certificate = hex"3000";
        IAttestationVerifier.Claims memory claims = IAttestationVerifier.Claims({
            measurement: measurement,
            keysHash: keccak256(abi.encode(sha256(certificate), sha256(KEY))),
            binding: registry.computeBinding(address(this), address(this), ENDPOINT, 0),
            issuedAt: uint64(START - 60),
            signerCertificate: bytes32(uint256(1))
        });
        return
            registry.register(
                ITEERegistryTypes.Registration({
                    verifierId: 0,
                    evidence: abi.encode(claims),
                    hints: new bytes[](0),
                    signingKey: KEY,
                    tlsCertificate: certificate,
                    paymentAddress: address(this),
                    endpoint: ENDPOINT,
                    teeType: 0
                })
            );
    }
}
