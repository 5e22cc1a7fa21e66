/** The suites that answer for some of the contracts, quickest and nearest first. */
export type Suites = { mocha: readonly string[]; solidity: readonly string[] };

type Row = { contracts: readonly string[] } & Partial<Suites>;

const NODES = ["nodes", "admission", "approvals", "verifiers", "activeSet", "bonds"];

/** By file in `contracts/`, without `.sol`; the suites by file in `test/contracts/`. */
const TABLE: readonly Row[] = [
  { contracts: ["attestation/Sha384"], mocha: ["attestation/Sha384"] },
  {
    contracts: ["attestation/P384Field", "attestation/P384Scalars"],
    mocha: ["attestation/P384Field", "attestation/P384Scalars", "attestation/EcdsaP384"],
  },
  {
    contracts: ["attestation/P384", "attestation/P384Points", "attestation/EcdsaP384"],
    mocha: [
      "attestation/EcdsaP384",
      "attestation/EcdsaP384.hints",
      "attestation/EcdsaP384.wycheproof",
    ],
  },
  {
    contracts: ["attestation/RsaPss"],
    mocha: ["attestation/RsaPss", "registry/nodes"],
  },
  {
    contracts: [
      "attestation/Calendar",
      "attestation/Cbor",
      "attestation/Cursor",
      "attestation/Der",
      "attestation/NitroDocument",
      "attestation/X509",
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
    contracts: ["attestation/CertificateStore", "attestation/NitroAttestationVerifier"],
    mocha: ["attestation/verifier", "attestation/revocation", "attestation/certificate"],
  },
  {
    contracts: ["governance/HacaGovernor", "governance/TimelockController"],
    mocha: ["governance/governor", "governance/votes", "governance/accessControl"],
  },
  {
    contracts: ["registry/CodeStore"],
    mocha: ["registry/publishedData", "registry/ModelRegistry"],
    solidity: ["registry/CodeStore"],
  },
  {
    contracts: ["registry/TensorLayouts", "registry/VerifyingKeyCheck", "registry/ModelRegistry"],
    mocha: ["registry/publishedData", "registry/ModelRegistry"],
    solidity: ["registry/TensorLayouts", "registry/ModelRegistry.invariant"],
  },
  {
    contracts: ["registry/NodeBonds", "registry/SigningKeys"],
    mocha: ["bonds", "nodes", "admission", "activeSet"].map((suite) => `registry/${suite}`),
  },
  {
    contracts: [
      "registry/TEERegistry",
      "registry/tee/Histories",
      "registry/tee/NodeRecords",
      "registry/tee/TEEAdmission",
      "registry/tee/TEEImages",
      "registry/tee/TEEKeys",
      "registry/tee/TEENodes",
    ],
    mocha: NODES.map((suite) => `registry/${suite}`),
    solidity: ["registry/TEERegistry.invariant"],
  },
  {
    contracts: ["settlement/Groth16"],
    mocha: ["settlement/Groth16", "settlement/InferenceSettlement"],
    solidity: ["settlement/Groth16"],
  },
  {
    contracts: [
      "settlement/InferenceResults",
      "settlement/InferenceSettlement",
      "settlement/RequestLedger",
    ],
    mocha: ["InferenceSettlement", "consent", "administration"].map(
      (suite) => `settlement/${suite}`,
    ),
    solidity: ["settlement/RequestLedger", "settlement/InferenceSettlement.invariant"],
  },
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
