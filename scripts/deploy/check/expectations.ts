import { p384BaseTable } from "@haca/attestation/p384/p384Base";
import { certificateIds, parseCertificate } from "@haca/attestation/x509/parseCertificate";
import { ALLOCATIONS, allocationOf } from "@haca/protocol/allocations";
import { BATCH_SETTLEMENT_ADDRESS } from "@haca/protocol/channelGates";
import { COMMERCE_DEPLOYMENTS, type CommerceDeployment } from "@haca/protocol/commerceEscrows";
import { captureSelector } from "@haca/protocol/commercePayments";
import { CONTRACT_ROWS, type ContractName } from "@haca/protocol/contracts";
import { shortestLongRoad } from "@haca/protocol/pageSettlement";
import {
  AbiCoder,
  concat,
  dataSlice,
  getAddress,
  getBytes,
  getCreateAddress,
  hexlify,
  id,
  keccak256,
  sha256,
  TypedDataEncoder,
  toBeHex,
  toUtf8Bytes,
  ZeroAddress,
  zeroPadBytes,
  zeroPadValue,
} from "ethers";
import type { Audit } from "./audit.ts";

/** Marks a constructor argument that a deployment may choose. */
export const FREE = Symbol("free");

const WORD = 32;
/** Delegatee of those who gave up their votes: OPG.NON_VOTING. */
export const NON_VOTING: string = getAddress(dataSlice(id("OPG.NON_VOTING"), 12));
const BYTE_RANGE_OF_ADDRESS = 20;

/**
 * Constructor arguments that follow from the other contracts; undefined where a contract is not created by a
 * transaction of its own.
 */
export function expectedArguments(
  audit: Audit,
  name: ContractName,
  address: string,
): readonly unknown[] | undefined {
  const of = (contract: ContractName): string => audit.contracts.get(contract) ?? ZeroAddress;
  switch (name) {
    case "AccessManager":
      return [FREE];
    case "ModelRegistry":
    case "SigningKeys":
      return [];
    case "InferenceSettlement":
      return [of("AccessManager"), of("ModelRegistry"), FREE];
    case "EcdsaP384":
      return [hexlify(p384BaseTable())];
    case "CertificateStore":
      return [of("AccessManager"), of("EcdsaP384"), FREE];
    case "NitroAttestationVerifier": {
      const store = audit.verifiers.find((verifier) => verifier.address === address)?.store;
      return [store ?? ZeroAddress, of("EcdsaP384")];
    }
    case "TEERegistry":
      return [of("AccessManager"), of("SigningKeys"), audit.verifiers[0]?.address, FREE, FREE];
    case "TEERegistryLens":
    case "LegacySettlement":
      return [of("TEERegistry")];
    case "NodeBonds":
      return [of("AccessManager"), of("OPG"), of("TEERegistry")];
    case "PageSettlement":
      return [of("AccessManager"), of("InferenceSettlement"), of("OPG"), FREE, FREE];
    case "ValidatorStaking":
      return [of("AccessManager"), of("OPG"), of("PageSettlement"), FREE];
    case "RewardRouter":
      return [of("AccessManager"), of("OPG")];
    case "DataFeeds":
      return [of("AccessManager"), of("TEERegistry")];
    case "InferenceEscrow":
      return [of("AccessManager"), of("PageSettlement"), FREE];
    case "ChannelGates":
      return [of("InferenceEscrow"), BATCH_SETTLEMENT_ADDRESS];
    case "CommerceOperators": {
      const { escrow, erc3009Collector, permit2Collector } = commerceOf(audit);
      return [of("InferenceEscrow"), escrow, erc3009Collector, permit2Collector];
    }
    case "StakedVotes":
      return [of("OPG"), of("ValidatorStaking")];
    case "TimelockController": {
      const predecessor = audit.timelocks[audit.timelocks.indexOf(address) - 1];
      return predecessor === undefined
        ? [FREE, [], [ZeroAddress], FREE]
        : [FREE, [of("HacaGovernor")], [ZeroAddress], predecessor];
    }
    case "GenesisDistribution":
      return [FREE];
    case "HacaGovernor":
      return [of("StakedVotes"), of("TimelockController"), FREE];
    default:
      return undefined;
  }
}

/** The published escrow that the operators are over; the newest one, where it is none of them. */
function commerceOf(audit: Audit): CommerceDeployment {
  const [, actual] = audit.constructed.get(audit.contracts.get("CommerceOperators") ?? "") ?? [];
  const [newest] = COMMERCE_DEPLOYMENTS;
  const found = COMMERCE_DEPLOYMENTS.find(({ escrow }) => escrow === actual) ?? newest;
  if (found === undefined) throw new Error("no version of the public escrow");
  return found;
}

/** Addresses that follow from who created a contract; the key is the child. */
export function expectedBirths(audit: Audit): [ContractName, ContractName, number][] {
  if (!audit.contracts.has("GenesisDistribution")) return [];
  return CONTRACT_ROWS.flatMap(({ name, createdBy }) =>
    createdBy === undefined ? [] : [[name, createdBy.name as ContractName, createdBy.nonce]],
  );
}

/** Immutables as 32 bytes of hex, by their names in the sources. */
export function expectedImmutables(
  audit: Audit,
  name: ContractName,
  address: string,
): Readonly<Record<string, string>> {
  const word = (contract: ContractName): string =>
    zeroPadValue(audit.contracts.get(contract) ?? ZeroAddress, WORD);
  const args = audit.constructed.get(address) ?? [];
  const genesis = genesisOf(audit);
  switch (name) {
    case "OPG":
      return domainImmutables(audit, "OPG", address);
    case "InferenceSettlement":
      return {
        ...domainImmutables(audit, "HACA InferenceSettlement", address),
        modelRegistry: word("ModelRegistry"),
      };
    case "HacaGovernor":
      return {
        ...domainImmutables(audit, "HACA Governor", address),
        _token: word("StakedVotes"),
        _nonVoting: zeroPadValue(NON_VOTING, WORD),
      };
    case "TimelockController":
      return { MINIMUM_DELAY: toBeHex((args[0] as bigint | undefined) ?? 0n, WORD) };
    case "TEERegistry":
      return {
        signingKeys: word("SigningKeys"),
        LEGACY_ANSWERS: zeroPadValue(getCreateAddress({ from: address, nonce: 1 }), WORD),
      };
    case "EcdsaP384":
      return { BASE_TABLE: zeroPadValue(getCreateAddress({ from: address, nonce: 1 }), WORD) };
    case "CertificateStore": {
      const root = String(args[2] ?? "0x");
      return { ECDSA_P384: word("EcdsaP384"), ...rootImmutables(root) };
    }
    case "NitroAttestationVerifier": {
      const store = audit.verifiers.find((verifier) => verifier.address === address)?.store;
      return {
        CERTIFICATES: zeroPadValue(store ?? ZeroAddress, WORD),
        ECDSA_P384: word("EcdsaP384"),
      };
    }
    case "TEERegistryLens":
      return { REGISTRY: word("TEERegistry") };
    case "LegacySettlement":
      return { registry: word("TEERegistry") };
    case "NodeBonds":
      return { TOKEN: word("OPG"), REGISTRY: word("TEERegistry") };
    case "PageSettlement":
      return {
        TOKEN: word("OPG"),
        SETTLEMENT: word("InferenceSettlement"),
        REGISTRY: word("TEERegistry"),
        MODELS: word("ModelRegistry"),
        MINIMUM_LONG_ROAD: toBeHex(shortestLongRoad((args[3] as bigint | undefined) ?? 0n), WORD),
      };
    case "ValidatorStaking":
      return {
        ...domainImmutables(audit, "HACA ValidatorStaking", address),
        TOKEN: word("OPG"),
        PAGES: word("PageSettlement"),
      };
    case "RewardRouter":
      return { TOKEN: word("OPG") };
    case "DataFeeds":
      return {
        ...domainImmutables(audit, "HACA DataFeeds", address),
        REGISTRY: word("TEERegistry"),
      };
    case "InferenceEscrow":
      return {
        SETTLEMENT: word("InferenceSettlement"),
        PAGES: word("PageSettlement"),
        PROXY: zeroPadValue(String(args[2] ?? ZeroAddress), WORD),
        FACILITATOR: zeroPadValue(getCreateAddress({ from: address, nonce: 1 }), WORD),
      };
    case "ChannelGates":
      return {
        ESCROW: word("InferenceEscrow"),
        PAGES: word("PageSettlement"),
        GATE: zeroPadValue(getCreateAddress({ from: address, nonce: 1 }), WORD),
      };
    case "ChannelGate":
      return {
        SETTLEMENT: word("InferenceSettlement"),
        PAGES: word("PageSettlement"),
        BATCH: zeroPadValue(BATCH_SETTLEMENT_ADDRESS, WORD),
      };
    case "CommerceOperators":
      return {
        ESCROW: word("InferenceEscrow"),
        PAGES: word("PageSettlement"),
        OPERATOR: zeroPadValue(getCreateAddress({ from: address, nonce: 1 }), WORD),
      };
    case "CommerceOperator": {
      const { escrow, erc3009Collector, permit2Collector, version } = commerceOf(audit);
      return {
        SETTLEMENT: word("InferenceSettlement"),
        PAGES: word("PageSettlement"),
        COMMERCE: zeroPadValue(escrow, WORD),
        ERC3009_COLLECTOR: zeroPadValue(erc3009Collector, WORD),
        PERMIT2_COLLECTOR: zeroPadValue(permit2Collector, WORD),
        CAPTURE: zeroPadBytes(captureSelector(version), WORD),
      };
    }
    case "StakedVotes":
      return {
        TOKEN: word("OPG"),
        STAKING: word("ValidatorStaking"),
        NON_VOTING: zeroPadValue(NON_VOTING, WORD),
      };
    case "GenesisDistribution":
      return {
        token: word("OPG"),
        vestingFactory: word("VestingFactory"),
        airdrop: word("MerkleAirdrop"),
        ecosystemVault: zeroPadValue(genesis?.ecosystemVault ?? ZeroAddress, WORD),
        stakingRewardsVault: zeroPadValue(genesis?.stakingRewardsVault ?? ZeroAddress, WORD),
      };
    case "VestingFactory":
      return { token: word("OPG"), implementation: word("VestingVault") };
    case "VestingVault":
      return { token: word("OPG"), _factory: word("VestingFactory") };
    case "MerkleAirdrop":
      return {
        token: word("OPG"),
        root: genesis?.parameters.airdropRoot ?? "unknown",
        total: toBeHex(allocationOf("Airdrop"), WORD),
        deadline: toBeHex(genesis?.parameters.airdropDeadline ?? 0n, WORD),
        leftoversTo: zeroPadValue(genesis?.ecosystemVault ?? ZeroAddress, WORD),
      };
    default:
      return {};
  }
}

export type Share = { beneficiary: string; amount: bigint };
/** What GenesisDistribution was created with. */
export type GenesisParameters = {
  governance: string;
  tge: bigint;
  periods: readonly { start: bigint; end: bigint }[];
  foundation: string;
  liquidity: string;
  contributors: readonly Share[];
  investors: readonly Share[];
  airdropRoot: string;
  airdropDeadline: bigint;
};

/** The genesis distribution: its parameters, and the vaults that it says it made. */
export function genesisOf(
  audit: Audit,
):
  | { parameters: GenesisParameters; ecosystemVault: string; stakingRewardsVault: string }
  | undefined {
  const address = audit.contracts.get("GenesisDistribution");
  if (address === undefined) return undefined;
  const parameters = audit.constructed.get(address)?.[0] as GenesisParameters | undefined;
  if (parameters === undefined) return undefined;
  const receiverOf = (allocation: number): string =>
    audit.history
      .of(address, "Allocated")
      .find(({ args }) => args.allocation === BigInt(allocation))?.args.receiver ?? ZeroAddress;
  const numberOf = (name: string): number => ALLOCATIONS.findIndex((one) => one.name === name);
  return {
    parameters,
    ecosystemVault: receiverOf(numberOf("Ecosystem")),
    stakingRewardsVault: receiverOf(numberOf("Staking rewards")),
  };
}

/** What OpenZeppelin's EIP712 keeps. */
function domainImmutables(audit: Audit, name: string, address: string): Record<string, string> {
  const { chainId } = audit.reader;
  const version = "1";
  return {
    _cachedDomainSeparator: TypedDataEncoder.hashDomain({
      ...{ name, version, chainId, verifyingContract: address },
    }),
    _cachedChainId: toBeHex(chainId, WORD),
    _cachedThis: zeroPadValue(address, WORD),
    _hashedName: id(name),
    _hashedVersion: id(version),
    _name: shortString(name),
    _version: shortString(version),
  };
}

/** A string of up to 31 bytes and, in the last byte, its length. */
const shortString = (text: string): string =>
  concat([zeroPadBytes(toUtf8Bytes(text), WORD - 1), toBeHex(text.length, 1)]);

function rootImmutables(root: string): Record<string, string> {
  try {
    const { issuer, serial, publicKey } = parseCertificate(getBytes(root));
    const name = AbiCoder.defaultAbiCoder().encode(
      ["bytes32", "uint256"],
      [keccak256(issuer), serial],
    );
    return {
      rootId: certificateIds([getBytes(root)])[0] ?? "unknown",
      rootFingerprint: sha256(root),
      ROOT_HASH: keccak256(root),
      ROOT_REVOCATION_KEY: keccak256(name),
      ROOT_KEY_REVOCATION_KEY: keccak256(publicKey),
    };
  } catch {
    return { rootId: "unknown", rootFingerprint: "unknown", ROOT_HASH: "unknown" };
  }
}

/** A word as an address where it can be one, for a person. */
export const wordToText = (word: string): string =>
  /^0x0{24}[0-9a-f]{40}$/i.test(word) && !/^0x0{40}/.test(word)
    ? `0x${word.slice(2 + (WORD - BYTE_RANGE_OF_ADDRESS) * 2)}`
    : word;
