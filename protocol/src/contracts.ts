/** Parts of a deployment, in their order: each needs those before it. `core` is there wherever anything is. */
export type Part = "core" | "tee" | "governance";

type ContractRow = {
  /** of the contract, of its artifact, and in the address book */
  name: string;
  part: Part;
  /** its constant in `@haca/protocol/abi` */
  abi: string;
  /** artifact that the ABI is taken from: an interface, where that has everything that is called or listened to */
  abiFrom?: string;
  /** the contract that creates it, and that one's nonce; absent: it has a transaction of its own */
  createdBy?: { name: string; nonce: number };
  /** whether the indexer reads its events */
  isIndexed?: true;
  /** left out of deployments on chains that lack what it needs */
  isOptional?: true;
  /** whether receipts' witnesses show its storage, so that the address book says where it keeps what */
  isWitnessed?: true;
  /** not in the address book: other contracts tell where it is */
  isUnlisted?: true;
};

const CORE = { part: "core" } as const;
const TEE = { part: "tee" } as const;
const GOVERNANCE = { part: "governance" } as const;
const INDEXED = { isIndexed: true } as const;
const GENESIS = (nonce: number) => ({ createdBy: { name: "GenesisDistribution", nonce } });
/** Of the vaults; they are found by the factory's events. */
const IMPLEMENTATION = {
  createdBy: { name: "VestingFactory", nonce: 1 },
  isUnlisted: true,
} as const;

/** Of operators and gates; they are found by the events of what makes them. */
const OPERATOR = { createdBy: { name: "CommerceOperators", nonce: 1 }, isUnlisted: true } as const;
const GATE = { createdBy: { name: "ChannelGates", nonce: 1 }, isUnlisted: true } as const;

/**
 * Every contract of a deployment. ABIs are generated from this table, and address book, indexer, deployment, its check
 * and its verification go by it: a new contract is one line here, and one in the part of scripts/deploy/modules that
 * creates it.
 */
export const CONTRACTS = [
  { name: "AccessManager", abi: "accessManagerAbi", ...CORE, ...INDEXED },
  {
    name: "ModelRegistry",
    abi: "modelRegistryAbi",
    abiFrom: "IModelRegistry",
    ...CORE,
    ...INDEXED,
  },
  {
    name: "InferenceSettlement",
    abi: "inferenceSettlementAbi",
    abiFrom: "IInferenceSettlement",
    ...CORE,
    ...INDEXED,
    isWitnessed: true,
  },
  { name: "EcdsaP384", abi: "ecdsaP384Abi", abiFrom: "IEcdsaP384", ...TEE },
  { name: "CertificateStore", abi: "certificateStoreAbi", ...TEE, ...INDEXED },
  { name: "NitroAttestationVerifier", abi: "nitroVerifierAbi", ...TEE },
  { name: "SigningKeys", abi: "signingKeysAbi", abiFrom: "ISigningKeys", ...TEE },
  { name: "TEERegistry", abi: "teeRegistryAbi", ...TEE, ...INDEXED, isWitnessed: true },
  { name: "TEERegistryLens", abi: "teeRegistryLensAbi", abiFrom: "ITEERegistryLens", ...TEE },
  {
    name: "LegacySettlement",
    abi: "legacySettlementAbi",
    abiFrom: "ILegacySettlement",
    ...TEE,
    ...INDEXED,
  },
  { name: "NodeBonds", abi: "nodeBondsAbi", ...GOVERNANCE, ...INDEXED },
  { name: "PageSettlement", abi: "pageSettlementAbi", ...GOVERNANCE, ...INDEXED },
  { name: "ValidatorStaking", abi: "validatorStakingAbi", ...GOVERNANCE, ...INDEXED },
  { name: "RewardRouter", abi: "rewardRouterAbi", ...GOVERNANCE, ...INDEXED },
  { name: "DataFeeds", abi: "dataFeedsAbi", ...GOVERNANCE, ...INDEXED },
  // Only where the chain has x402's proxy.
  {
    name: "InferenceEscrow",
    abi: "inferenceEscrowAbi",
    isOptional: true,
    ...GOVERNANCE,
    ...INDEXED,
  },
  // Only where the chain has x402's contract of channels, too.
  {
    name: "ChannelGates",
    abi: "channelGatesAbi",
    isOptional: true,
    ...GOVERNANCE,
    ...INDEXED,
  },
  {
    name: "ChannelGate",
    abi: "channelGateAbi",
    isOptional: true,
    ...GOVERNANCE,
    ...INDEXED,
    ...GATE,
  },
  // Only where the chain has the public escrow of commerce payments, too.
  {
    name: "CommerceOperators",
    abi: "commerceOperatorsAbi",
    isOptional: true,
    ...GOVERNANCE,
    ...INDEXED,
  },
  {
    name: "CommerceOperator",
    abi: "commerceOperatorAbi",
    isOptional: true,
    ...GOVERNANCE,
    ...INDEXED,
    ...OPERATOR,
  },
  { name: "StakedVotes", abi: "stakedVotesAbi", ...GOVERNANCE },
  { name: "TimelockController", abi: "timelockControllerAbi", ...GOVERNANCE, ...INDEXED },
  { name: "GenesisDistribution", abi: "genesisDistributionAbi", ...GOVERNANCE, ...INDEXED },
  { name: "OPG", abi: "opgAbi", ...GOVERNANCE, ...INDEXED, ...GENESIS(1) },
  { name: "VestingFactory", abi: "vestingFactoryAbi", ...GOVERNANCE, ...INDEXED, ...GENESIS(2) },
  { name: "MerkleAirdrop", abi: "merkleAirdropAbi", ...GOVERNANCE, ...INDEXED, ...GENESIS(3) },
  { name: "VestingVault", abi: "vestingVaultAbi", ...GOVERNANCE, ...INDEXED, ...IMPLEMENTATION },
  { name: "HacaGovernor", abi: "governorAbi", ...GOVERNANCE, ...INDEXED },
] as const satisfies readonly ContractRow[];

type Row = (typeof CONTRACTS)[number];

/** A contract of a deployment. */
export type ContractName = Row["name"];
/** Those with an entry in the address book. */
export type ListedName = Exclude<Row, { isUnlisted: true }>["name"];
/** Those that every address book has. */
export type CoreName = Extract<Row, { part: "core" }>["name"];
/** Those whose events the indexer reads. */
export type IndexedName = Extract<Row, { isIndexed: true }>["name"];

/** The same rows, for whoever looks at each of them. */
export const CONTRACT_ROWS: readonly (ContractRow & { name: ContractName })[] = CONTRACTS;

/** Interfaces that several contracts of a deployment have, for whoever does not ask which one is behind. */
export const INTERFACES = [
  { name: "IAttestationVerifier", abi: "attestationVerifierAbi" },
  { name: "AggregatorV3Interface", abi: "aggregatorV3Abi" },
] as const satisfies readonly { name: string; abi: string }[];

/** Whatever has a generated ABI under its name. */
export type AbiName = ContractName | (typeof INTERFACES)[number]["name"];

/** ABIs without a contract of a deployment: errors that libraries revert with. */
export const ERROR_ABIS: readonly { abi: string; abiFrom: string }[] = [
  { abi: "attestationErrorsAbi", abiFrom: "IAttestationErrors" },
];

const PARTS: readonly Part[] = ["core", "tee", "governance"];

/** Whether a part, which brings those before it, has a contract of another. */
export const includesPart = (deployed: Part, part: Part): boolean =>
  PARTS.indexOf(part) <= PARTS.indexOf(deployed);
