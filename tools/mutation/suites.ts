/** The suites that answer for some of the contracts, quickest and nearest first. */
export type Suites = { mocha: readonly string[]; solidity: readonly string[] };

type Row = { contracts: readonly string[] } & Partial<Suites>;

const NODES = ["nodes", "admission", "approvals", "verifiers", "activeSet", "bonds"];

/** By file in `contracts/`, without `.sol`; the suites by file in `test/contracts/`. */
const TABLE: readonly Row[] = [
  { contracts: ["crypto/Sha384"], mocha: ["crypto/Sha384"] },
  {
    contracts: ["crypto/P384Field", "crypto/P384Scalars"],
    mocha: ["crypto/P384Field", "crypto/P384Scalars", "crypto/EcdsaP384"],
  },
  {
    contracts: ["crypto/P384", "crypto/P384Points", "crypto/EcdsaP384"],
    mocha: ["crypto/EcdsaP384", "crypto/EcdsaP384.hints", "crypto/EcdsaP384.wycheproof"],
  },
  {
    contracts: ["crypto/RsaPss"],
    mocha: ["crypto/RsaPss", "tee/nodes"],
  },
  {
    contracts: [
      "attestation/x509/Calendar",
      "attestation/cbor/Cbor",
      "attestation/cbor/Cursor",
      "attestation/x509/Der",
      "attestation/nitro/NitroDocument",
      "attestation/nitro/NitroFields",
      "attestation/x509/X509",
    ],
    mocha: [
      "attestation/parsers",
      "attestation/document",
      "attestation/certificate",
      "attestation/verifier",
      "attestation/verdict",
    ],
    solidity: ["attestation/Parsers"],
  },
  {
    contracts: ["attestation/x509/CertificateStore", "attestation/nitro/NitroAttestationVerifier"],
    mocha: ["attestation/verifier", "attestation/revocation", "attestation/certificate"],
  },
  {
    contracts: ["governance/HacaGovernor", "governance/TimelockController"],
    // Not accessControl: it compares the code with that of the whole project's build, whose numbers are others.
    mocha: ["governance/governor", "governance/votes"],
  },
  {
    contracts: ["governance/StakedVotes", "staking/parts/StakeHistory"],
    mocha: ["staking/votes"],
  },
  {
    contracts: ["utils/CodeStore"],
    mocha: ["models/publishedData", "models/ModelRegistry"],
    solidity: ["models/CodeStore"],
  },
  {
    contracts: ["models/TensorLayouts", "models/VerifyingKeyCheck", "models/ModelRegistry"],
    mocha: ["models/publishedData", "models/ModelRegistry"],
    solidity: ["models/TensorLayouts", "models/ModelRegistry.invariant"],
  },
  {
    contracts: ["crypto/SigningKeys"],
    mocha: ["crypto/SigningKeys", "tee/admission", "tee/activeSet"],
  },
  {
    contracts: [
      "settlement/PageSettlement",
      "settlement/PageTimes",
      "settlement/PageTree",
      "settlement/pages/PageChallenges",
      "settlement/pages/PageDemands",
      "settlement/pages/PageDeposits",
      "settlement/pages/PageJudgement",
      "settlement/pages/PageRecords",
    ],
    mocha: [
      "settlement/pages",
      "settlement/pageChallenges",
      "settlement/pageTimes",
      "settlement/optimisticPages",
      "settlement/optimisticDemands",
    ],
  },
  {
    contracts: [
      "staking/RewardRouter",
      "staking/ValidatorStaking",
      "staking/parts/Attestations",
      "staking/parts/Delegations",
      "staking/parts/PoolShares",
      "staking/parts/Slashing",
      "staking/parts/StakeRewards",
      "staking/parts/StakeStorage",
      "staking/parts/ValidatorSet",
    ],
    mocha: ["quorum", "rewards", "slashing", "stake"].map((suite) => `staking/${suite}`),
  },
  {
    contracts: ["feeds/DataFeeds", "feeds/FeedReader", "feeds/Medians", "feeds/Observations"],
    mocha: ["feeds/posts", "feeds/feeds"],
    solidity: ["feeds/Medians"],
  },
  {
    contracts: [
      "payments/CaptureRules",
      "payments/InferenceEscrow",
      "payments/JobFacilitator",
      "payments/PaidKinds",
      "payments/Payouts",
    ],
    mocha: ["payments/open", "payments/capture", "payments/end"],
    solidity: ["payments/InferenceEscrow.invariant"],
  },
  {
    contracts: ["payments/CommerceOperator", "payments/CommerceOperators"],
    mocha: ["payments/commerceOpen", "payments/commerceCapture", "payments/commerceEnd"],
    solidity: ["payments/CommerceOperator.invariant"],
  },
  {
    contracts: ["payments/ChannelGate", "payments/ChannelGates", "payments/PageOpening"],
    mocha: ["payments/channelClaims", "payments/channelResults"],
    solidity: ["payments/ChannelGate.invariant"],
  },
  {
    contracts: ["utils/Consent"],
    mocha: ["settlement/consent", "settlement/vanilla"],
  },
  {
    contracts: ["tee/NodeBonds"],
    mocha: ["bonds", "nodes", "admission", "activeSet"].map((suite) => `tee/${suite}`),
  },
  {
    contracts: [
      "tee/TEERegistry",
      "tee/TEERegistryLens",
      "tee/parts/Histories",
      "tee/parts/LegacyEntryPoints",
      "tee/parts/NodeRecords",
      "tee/parts/TEEAdmission",
      "tee/parts/TEEImages",
      "tee/parts/TEEKeys",
      "tee/parts/TEENodes",
    ],
    mocha: NODES.map((suite) => `tee/${suite}`),
    solidity: ["tee/TEERegistry.invariant"],
  },
  {
    contracts: ["crypto/Groth16"],
    mocha: ["crypto/Groth16", "settlement/InferenceSettlement"],
    solidity: ["crypto/Groth16"],
  },
  {
    contracts: ["tee/LegacyAnswers"],
    mocha: ["legacyAnswers", "nodes", "admission"].map((suite) => `tee/${suite}`),
  },
  {
    contracts: ["crypto/Groth16Batch"],
    mocha: ["crypto/Groth16Batch", "settlement/zkmlBatch"],
  },
  {
    contracts: [
      "settlement/InferenceResults",
      "settlement/InferenceSettlement",
      "settlement/Proposals",
      "settlement/RequestIds",
      "settlement/parts/RequestLedger",
      "settlement/parts/SettlementBase",
      "settlement/parts/SignedSettlement",
      "settlement/parts/ZkmlBatchSettlement",
      "settlement/parts/ZkmlSettlement",
    ],
    mocha: [
      ...["InferenceSettlement", "consent", "administration"],
      ...["zkmlBatch", "tee", "vanilla"],
    ].map((suite) => `settlement/${suite}`),
    solidity: ["settlement/RequestLedger", "settlement/InferenceSettlement.invariant"],
  },
  {
    contracts: ["settlement/LegacySettlement"],
    mocha: ["settlement/LegacySettlement", "settlement/legacyParity"],
  },
  { contracts: ["utils/Pages"], mocha: ["tee/nodes", "models/ModelRegistry"] },
  { contracts: ["token/MerkleAirdrop"], mocha: ["token/airdrop"] },
  { contracts: ["token/OPG"], mocha: ["token/opg", "token/authorizations", "token/x402"] },
  {
    contracts: [
      "token/Allocations",
      "token/GenesisDistribution",
      "token/GrantTerms",
      "token/VestingFactory",
      "token/VestingSchedule",
      "token/VestingVault",
    ],
    mocha: ["token/vesting", "token/genesis", "token/schedules"],
    solidity: ["token/VestingSchedule"],
  },
];

/** The suites of a contract; `undefined` for a file that the table does not know. */
export function suitesOf(file: string): Suites | undefined {
  const name = file.replace(/^contracts\//, "").replace(/\.sol$/, "");
  const row = TABLE.find(({ contracts }) => contracts.includes(name));
  if (row === undefined) return undefined;
  return {
    mocha: (row.mocha ?? []).map((suite) => `test/contracts/${suite}.test.ts`),
    solidity: (row.solidity ?? []).map((suite) => `test/contracts/${suite}.t.sol`),
  };
}
