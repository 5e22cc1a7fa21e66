import { createHash, createPublicKey, verify } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { LONGEST_INCLUSION_DELAY } from "@haca/protocol/pageSettlement";
import { Wallet } from "ethers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { P256_SIGNATURE } from "../chain/precompiles.ts";
import { inclusionDelayOf } from "./forcedInclusion.ts";
import type { Problem } from "./parametersSchema.ts";
import { parametersPath, readParameters } from "./readParameters.ts";

const DEPLOYER = new Wallet(createHash("sha256").update("deployer").digest("hex")).address;
const account = (name: string): string =>
  new Wallet(createHash("sha256").update(name).digest("hex")).address;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "haca-parameters-"));
  writeFileSync(join(folder, "airdrop.csv"), `address,amount\n${account("claimant")},40000000\n`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type File = ReturnType<typeof publicFile>;
/** Parameters that a public chain can have, but for the root certificate, which no test has. */
const publicFile = () => ({
  tge: new Date().toISOString(),
  guardian: account("guardian"),
  imageApprover: account("approver"),
  foundation: account("foundation"),
  liquidity: account("liquidity"),
  contributors: [{ beneficiary: account("contributor"), amount: "150000000" }],
  investors: [{ beneficiary: account("investor"), amount: "100000000" }],
  airdrop: { csv: "airdrop.csv" } as { csv: string; deadline?: string },
  attestation: {},
  timelockDelay: 172_800,
  governor: {
    ...{ votingDelay: 86_400, votingPeriod: 432_000, lateQuorumExtension: 86_400 },
    ...{ proposalThreshold: "1000000", quorumPercent: 4 },
  },
});

const BASE = 8453;
const UNKNOWN = 10740;

/** What is wrong besides the root. */
function problemsOf(
  change: (file: File) => unknown,
  deployer = DEPLOYER,
  chainId = BASE,
): readonly Problem[] {
  const file = publicFile();
  change(file);
  const path = join(folder, "parameters.json");
  writeFileSync(path, JSON.stringify(file));
  try {
    readParameters({ path, isDevelopmentChain: false, deployer, chainId });
  } catch (error) {
    if (!(error instanceof BaseError)) throw error;
    const problems = error.details.problems as Problem[];
    return problems.filter(({ field }) => field !== "attestation.root");
  }
  throw new Error("accepted without a root");
}

const TEST_ACCOUNT = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

describe("parameters for a public chain", () => {
  it("finds nothing wrong with sound ones", () => {
    expect(problemsOf(() => undefined)).toEqual([]);
  });

  it.each<[string, (file: File) => unknown, string]>([
    ["timelockDelay", (file) => (file.timelockDelay = 172_799), "at least 172800 s"],
    ["timelockDelay", (file) => (file.timelockDelay = 2_592_001), "at most 2592000 s"],
    ["timelockDelay", (file) => (file.timelockDelay = 0), "at least 1 second"],
    ["governor.votingDelay", (file) => (file.governor.votingDelay = 60), "at least 3600 s"],
    ["governor.votingPeriod", (file) => (file.governor.votingPeriod = 300), "at least 172800 s"],
    ["governor.votingPeriod", (file) => (file.governor.votingPeriod = 1e8), "at most"],
    ["governor.lateQuorumExtension", (file) => (file.governor.lateQuorumExtension = 9), "3600"],
    ["governor.quorumPercent", (file) => (file.governor.quorumPercent = 0), ""],
    ["governor.quorumPercent", (file) => (file.governor.quorumPercent = 51), "at most 50"],
    [
      "governor.proposalThreshold",
      (file) => (file.governor.proposalThreshold = "0"),
      "more than 0",
    ],
    [
      "governor.proposalThreshold",
      (file) => (file.governor.proposalThreshold = "40000001"),
      "above the quorum",
    ],
    ["guardian", (file) => (file.guardian = TEST_ACCOUNT), "test account 1 of Hardhat"],
    ["guardian", (file) => (file.guardian = DEPLOYER), "is the deployer"],
    ["guardian", (file) => (file.guardian = `0x${"0".repeat(40)}`), "not zero"],
    ["imageApprover", (file) => (file.imageApprover = DEPLOYER), "is the deployer"],
    ["imageApprover", (file) => (file.imageApprover = file.guardian), "is the guardian"],
    [
      "foundation",
      (file) => (file.foundation = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"),
      "private key 1",
    ],
    ["liquidity", (file) => (file.liquidity = `0x${"0".repeat(39)}9`), "precompiled"],
    [
      "liquidity",
      (file) => (file.liquidity = "0x000000000000000000000000000000000000dEaD"),
      "without a key",
    ],
    [
      "contributors.0.beneficiary",
      (file) => (file.contributors = [{ beneficiary: TEST_ACCOUNT, amount: "150000000" }]),
      "test account",
    ],
    [
      "investors.1.beneficiary",
      (file) =>
        (file.investors = ["99999999", "1"].map((amount) => ({
          ...{ beneficiary: account("investor"), amount },
        }))),
      "investors.0 already",
    ],
    ["investors", (file) => Object.assign(file.investors[0] ?? {}, { amount: "1" }), "sum to"],
    ["tge", (file) => (file.tge = "2019-01-01T00:00:00Z"), "two years"],
    [
      "airdrop.deadline",
      (file) => (file.airdrop.deadline = new Date(Date.now() + 1e8).toISOString()),
      "seven days ahead",
    ],
    ["airdrop.csv", (file) => (file.airdrop.csv = "missing.csv"), "no file"],
    ["timelock", (file) => Object.assign(file, { timelock: 5 }), "is no field"],
    ["governor", (file) => Object.assign(file, { governor: 5 }), "must be an object"],
    ["guardian", (file) => Object.assign(file, { guardian: undefined }), "is missing"],
  ])("refuses %s (%#)", (field, change, text) => {
    const found = problemsOf(change).filter((problem) => problem.field === field);
    expect(found).toHaveLength(1);
    expect(found[0]?.message).toContain(text);
  });

  it("refuses a deployer whose key everybody has", () => {
    expect(problemsOf(() => undefined, TEST_ACCOUNT)).toEqual([
      { field: "HACA_DEPLOYER_KEY", message: expect.stringContaining("its key is public") },
    ]);
  });

  it("tells everything at once, and takes the example on a development chain", () => {
    const path = parametersPath("localhost");
    expect(() => JSON.parse(readFileSync(path, "utf8"))).not.toThrow();
    expect(readParameters({ path, isDevelopmentChain: true }).timelockDelay).toBe(120);
    let message = "";
    try {
      readParameters({
        ...{ path, isDevelopmentChain: false, deployer: TEST_ACCOUNT, chainId: BASE },
      });
    } catch (error) {
      message = String(error);
    }
    for (const field of ["HACA_DEPLOYER_KEY", "guardian", "liquidity", "attestation.root"]) {
      expect(message).toContain(`\n  ${field}: `);
    }
    expect(message).toContain("\n  governor.votingPeriod: ");
    expect(message).toContain("\n  airdrop.csv entry 2: ");
  });
});

describe("how long a sequencer can keep a transaction out", () => {
  const DAY = 86_400;
  const delayOf = (given: number | undefined, chainId: number) =>
    inclusionDelayOf({ given, chain: { isDevelopmentChain: false, chainId } });

  it.each([
    [BASE, DAY],
    [84_532, DAY],
    [10, DAY],
    [42_161, 2 * DAY],
    [421_614, 2 * DAY],
  ])("is known of chain %i", (chainId, delay) => {
    expect(delayOf(undefined, chainId)).toEqual({ delay });
    expect(delayOf(delay + 1, chainId)).toEqual({ delay: delay + 1 });
    expect(delayOf(delay - 1, chainId).problem).toContain(`at least ${delay} s`);
  });

  it("has to be said of a chain that is not known, and may be nothing", () => {
    expect(problemsOf(() => undefined, DEPLOYER, UNKNOWN)).toEqual([
      { field: "forcedInclusionDelay", message: expect.stringContaining("chain 10740") },
    ]);
    for (const seconds of [0, 7, LONGEST_INCLUSION_DELAY]) {
      const change = (file: File) => Object.assign(file, { forcedInclusionDelay: seconds });
      expect(problemsOf(change, DEPLOYER, UNKNOWN)).toEqual([]);
      expect(delayOf(seconds, UNKNOWN).delay).toBe(seconds);
    }
  });

  it.each([
    [LONGEST_INCLUSION_DELAY + 1, "must be at most 302400 s (3.5 days)"],
    [-1, "must not be negative"],
    [1.5, "must be an integer"],
    ["86400", "must be an integer"],
  ])("cannot be %s", (seconds, text) => {
    const change = (file: File) => Object.assign(file, { forcedInclusionDelay: seconds });
    for (const chainId of [BASE, UNKNOWN]) {
      expect(problemsOf(change, DEPLOYER, chainId)).toEqual([
        { field: "forcedInclusionDelay", message: expect.stringContaining(text) },
      ]);
    }
  });

  it("is nothing on a development chain, if not told otherwise", () => {
    const path = parametersPath("localhost");
    expect(readParameters({ path, isDevelopmentChain: true }).forcedInclusionDelay).toBe(0);
    const chain = { isDevelopmentChain: true, chainId: 31_337 };
    expect(inclusionDelayOf({ given: 5, chain })).toEqual({ delay: 5 });
  });
});

describe("the signature that a chain is asked about", () => {
  it("is one", () => {
    const bytes = (hex: string) => Buffer.from(hex.slice(2), "hex");
    const { r, s, x, y } = P256_SIGNATURE;
    const key = createPublicKey({
      format: "jwk",
      key: {
        ...{ kty: "EC", crv: "P-256" },
        ...{ x: bytes(x).toString("base64url"), y: bytes(y).toString("base64url") },
      },
    });
    const signature = Buffer.concat([bytes(r), bytes(s)]);
    const options = { key, dsaEncoding: "ieee-p1363" } as const;
    expect(verify("sha256", Buffer.from("sample"), options, signature)).toBe(true);
  });
});
