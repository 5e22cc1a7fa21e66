import { readFileSync } from "node:fs";
import {
  concat,
  dataSlice,
  id,
  TypedDataEncoder,
  toBeHex,
  Wallet,
  ZeroAddress,
  ZeroHash,
} from "ethers";
import { describe, expect, it } from "vitest";
import {
  G1_GENERATOR,
  G2_GENERATOR,
  multiplyG1,
  multiplyG2,
} from "../../test/contracts/utils/bn254.ts";
import {
  encodeG1,
  encodeG2,
  makeProof,
  makeTrapdoor,
  makeVerifyingKey,
} from "../../test/contracts/utils/groth16Simulator.ts";
import { scalarsFrom } from "../../test/contracts/utils/randomScalars.ts";
import { encodeProof, encodeVerifyingKey, type VerifyingKeyJson } from "../src/groth16.ts";
import { hashResult, type InferenceResult, settlementDomain } from "../src/inferenceResult.ts";
import { PROPOSAL_TYPES } from "../src/proposal.ts";
import { encodeRequestId, nodeOfEnclave, placeInLedger } from "../src/requestId.ts";
import { buildResultPage, resultLeaf, resultPageProof, resultPageRoot } from "../src/resultPage.ts";
import { judgeLeaf } from "../src/verdicts/judgeLeaf.ts";
import { judgeTee, judgeVanilla } from "../src/verdicts/judgeSigned.ts";
import { judgeZkmlBatch } from "../src/verdicts/judgeZkml.ts";
import { readKey, refuseProof } from "../src/verdicts/refuseProof.ts";
import type { SettlementState, Span } from "../src/verdicts/verdict.ts";
import { catchError } from "./catchError.ts";

// Every kind is compared with the contracts in test/contracts/settlement/verdictParity.test.ts; here stands what no chain
// of that test comes to, and the forms of snarkjs.

const NOW = 1_900_000_000n;
const node = new Wallet(id("node"));
const version = id("version");

const stateWith = (overrides: Partial<SettlementState> = {}): SettlementState => ({
  domain: settlementDomain({ chainId: 1n, settlement: `0x${"11".repeat(20)}` }),
  ...{ now: NOW, settlementWindow: 7n * 86_400n, occupied: new Map(), vanilla: new Map() },
  versions: new Map([[version, { inputWords: 0, outputWords: 0 }]]),
  enclaves: new Map(),
  ...overrides,
});

const resultOf = (overrides: Partial<InferenceResult> = {}): InferenceResult => ({
  ...{ modelVersion: version, inputHash: id("in"), outputHash: id("out"), requester: ZeroAddress },
  requestId: encodeRequestId({ node: node.address, nonce: 1n }),
  ...{ price: 0n, timestamp: NOW, teeId: ZeroHash },
  ...overrides,
});

describe("refuseProof", () => {
  const random = scalarsFrom("verdicts");
  const trapdoor = makeTrapdoor({ signalCount: 2, random });
  const key = readKey(makeVerifyingKey(trapdoor));
  const proof = makeProof({ trapdoor, signals: [5n, 0n], a: random(), b: random() });

  it("takes what snarkjs writes, by way of the contracts' bytes", () => {
    const decimal = (data: string, at: number): string =>
      BigInt(dataSlice(data, 32 * at, 32 * at + 32)).toString();
    const g1 = (data: string, at: number) => [decimal(data, at), decimal(data, at + 1), "1"];
    const g2 = (data: string, at: number) => [
      [decimal(data, at + 1), decimal(data, at)],
      [decimal(data, at + 3), decimal(data, at + 2)],
      ["1", "0"],
    ];
    const bytes = makeVerifyingKey(trapdoor);
    const json: VerifyingKeyJson = {
      nPublic: 2,
      vk_alpha_1: g1(bytes, 0),
      ...{ vk_beta_2: g2(bytes, 2), vk_gamma_2: g2(bytes, 6), vk_delta_2: g2(bytes, 10) },
      IC: [14, 16, 18].map((at) => g1(bytes, at)),
    };
    const proofJson = { pi_a: g1(proof, 0), pi_b: g2(proof, 2), pi_c: g1(proof, 6) };
    const read = readKey(encodeVerifyingKey(json));
    const encoded = encodeProof(proofJson);
    expect(refuseProof({ key: read, proof: encoded, signals: [5n, 0n] })).toBe(undefined);
    expect(refuseProof({ key: read, proof: encoded, signals: [5n, 1n] })).toBe(
      "Groth16_ProofInvalid",
    );
  });

  it("takes a key whose first signals cancel, and zero where the equation has room for it", () => {
    // L = IC[0] + s IC[1] = zero: the pair with gamma is one.
    const zero = {
      ...trapdoor,
      ic: [10n, 21888242871839275222246405745257275088548364400416034343698204186575808495616n],
    };
    const zeroKey = readKey(makeVerifyingKey(zero));
    const made = makeProof({ trapdoor: zero, signals: [10n], a: 7n, b: 9n });
    expect(refuseProof({ key: zeroKey, proof: made, signals: [10n] })).toBe(undefined);
    expect(refuseProof({ key: zeroKey, proof: made, signals: [11n] })).toBe("Groth16_ProofInvalid");
    // C zero: a b = alpha beta + L gamma.
    const { alpha, beta } = zero;
    const withoutC = concat([
      encodeG1(multiplyG1(G1_GENERATOR, alpha)),
      encodeG2(multiplyG2(G2_GENERATOR, beta)),
      encodeG1("zero"),
    ]);
    expect(refuseProof({ key: zeroKey, proof: withoutC, signals: [10n] })).toBe(undefined);
  });

  it("judges the keys that the contract refuses as keys that nobody has", () => {
    const path = new URL("../../test/vectors/verifyingKeys.json", import.meta.url);
    const vectors: { name: string; fault: string | null; key: VerifyingKeyJson }[] = JSON.parse(
      readFileSync(path, "utf8"),
    );
    const sound = vectors.filter(({ fault }) => fault === null);
    expect(sound.length).toBeGreaterThan(0);
    for (const { key: json } of sound) readKey(encodeVerifyingKey(json));
    for (const malformed of [
      "0x",
      makeVerifyingKey(trapdoor).slice(0, -2),
      `0x${"01".repeat(512)}`,
    ]) {
      expect(catchError(() => readKey(malformed)).code).toBe("verdict.keyMalformed");
    }
  });

  it("is not asked about another number of signals than the key has", () => {
    for (const signals of [[5n], [5n, 0n, 0n]]) {
      const error = catchError(() => refuseProof({ key, proof, signals }));
      expect(error.code).toBe("verdict.signalCount");
    }
  });
});

describe("what is not there", () => {
  it("refuses results of enclaves where no registry is set, or without the enclave", async () => {
    const teeId = id("enclave");
    const requestId = encodeRequestId({ node: nodeOfEnclave(teeId), nonce: 0n });
    const result = resultOf({ teeId, requestId });
    const judge = (state: SettlementState) => judgeTee({ result, signature: "0x", state });
    expect(await judge(stateWith({ enclaves: undefined }))).toBe(
      "InferenceSettlement_NoTEERegistry",
    );
    expect(await judge(stateWith())).toBe("InferenceSettlement_NotInService");
    expect(await judge(stateWith({ versions: new Map() }))).toBe(
      "InferenceSettlement_VersionUnknown",
    );
  });

  it("has no verdict on a leaf of an enclave that is unknown, as the contract reverts", async () => {
    const state = stateWith();
    const teeId = id("enclave");
    const result = resultOf({
      teeId,
      requestId: encodeRequestId({ node: nodeOfEnclave(teeId), nonce: 0n }),
    });
    const digest = hashResult({ domain: state.domain, result });
    const tree = buildResultPage(new Map([[0, resultLeaf({ digest, signature: "0x" })]]));
    const header = {
      ...{ kind: 2n, teeId, ledgerPage: BigInt(result.requestId) >> 8n, bitmap: 1n },
      ...{ root: resultPageRoot(tree), blobId: ZeroHash, proposer: node.address, fee: 0n },
    };
    const leaf = {
      index: 0,
      result,
      signature: "0x",
      siblings: resultPageProof({ tree, index: 0 }),
    };
    const terms = { proposedAt: NOW, isProposed: true, resultWindow: 60n };
    expect(await judgeLeaf({ header, leaf, terms, state })).toBe("TEERegistry_NodeUnknown");
  });
});

describe("the second as of which a leaf of an enclave is judged", () => {
  const teeId = id("enclave");
  const session = new Wallet(id("session"));
  const ledgerPage = BigInt(encodeRequestId({ node: nodeOfEnclave(teeId), nonce: 0n })) >> 8n;
  type Times = { deprecatedAt?: bigint; service?: Span; key?: Partial<Span> };

  /** The verdict on a leaf that is so many seconds from `NOW`, of a page that is proposed then, or would be judged then. */
  async function judgeAt(ahead: bigint, times: Times, isProposed = true): Promise<string> {
    const { deprecatedAt, service = { from: 0n }, key } = times;
    const sessions = new Map([
      [session.address, { ...{ from: 0n, until: NOW + 1_000n, signsResults: true }, ...key }],
    ]);
    const known = { inputWords: 0, outputWords: 0 };
    const state = stateWith({
      versions: new Map([
        [version, deprecatedAt === undefined ? known : { ...known, deprecatedAt }],
      ]),
      enclaves: new Map([[teeId, { signingKey: "0x", service: [service], sessions }]]),
    });
    const requestId = encodeRequestId({ node: nodeOfEnclave(teeId), nonce: 0n });
    const result = resultOf({ teeId, requestId, timestamp: NOW + ahead });
    const digest = hashResult({ domain: state.domain, result });
    const signature = session.signingKey.sign(digest).serialized;
    const tree = buildResultPage(new Map([[0, resultLeaf({ digest, signature })]]));
    const header = {
      ...{ kind: 2n, teeId, ledgerPage, bitmap: 1n, root: resultPageRoot(tree) },
      ...{ blobId: ZeroHash, proposer: node.address, fee: 0n },
    };
    const leaf = { index: 0, result, signature, siblings: resultPageProof({ tree, index: 0 }) };
    const terms = { proposedAt: NOW, isProposed, resultWindow: 600n };
    return await judgeLeaf({ header, leaf, terms, state });
  }

  const ends: [string, string, (until: bigint) => Times][] = [
    ["a version", "VersionInvalid", (until) => ({ deprecatedAt: until })],
    ["a service", "KeyNotInService", (until) => ({ service: { from: 0n, until } })],
    ["a session key", "KeyNotInService", (until) => ({ key: { until } })],
  ];
  it.each(ends)("excuses the end of %s in the proposal's second", async (_, reason, timesOf) => {
    for (const ahead of [-60n, -1n, 0n, 1n, 60n]) {
      expect(await judgeAt(ahead, timesOf(NOW))).toBe("accepted");
      expect(await judgeAt(ahead, timesOf(NOW + 1n))).toBe("accepted");
      // A second earlier it counts, for what is not older.
      const expected = ahead < -1n ? "accepted" : reason;
      expect(await judgeAt(ahead, timesOf(NOW - 1n))).toBe(expected);
    }
  });

  it.each(ends)("tells of the end of %s before a proposal", async (_, reason, timesOf) => {
    for (const ahead of [-60n, -1n, 0n, 1n, 60n]) {
      const expected = ahead < 0n ? "accepted" : reason;
      expect(await judgeAt(ahead, timesOf(NOW), false)).toBe(expected);
    }
  });

  it("takes nothing that begins in the proposal's second", async () => {
    const begins: Times[] = [{ service: { from: NOW } }, { key: { from: NOW } }];
    for (const times of begins) {
      for (const ahead of [-1n, 0n, 60n]) {
        expect(await judgeAt(ahead, times)).toBe("KeyNotInService");
      }
      expect(await judgeAt(0n, times, false)).toBe("accepted");
    }
  });

  it("takes nothing from after the skew", async () => {
    expect(await judgeAt(61n, {})).toBe("OutsideWindow");
  });
});

describe("consent", () => {
  it("is the sender's, the signer's, or what the node's code says", () => {
    const state = stateWith();
    const result = resultOf();
    const deadline = NOW;
    const { page, bit } = placeInLedger(result.requestId);
    const digest = TypedDataEncoder.hash(state.domain, PROPOSAL_TYPES, {
      ...{ kind: 0, page, bitmap: bit, blobId: toBeHex(0n, 32), deadline },
      root: hashResult({ domain: state.domain, result }),
    });
    const signature = node.signingKey.sign(digest).serialized;
    const sender = new Wallet(id("stranger")).address;
    const judge = (consent: Parameters<typeof judgeVanilla>[0]["consent"], until = deadline) =>
      judgeVanilla({ ...{ result, deadline: until, consent, state } });
    expect(judge({ sender, signature })).toBe("accepted");
    for (const one of [node.address, node.address.toLowerCase()]) {
      expect(judge({ sender: one, signature: "0x" }, 0n)).toBe("accepted");
    }
    expect(judge({ sender, signature: "0x", isTakenByCode: true })).toBe("accepted");
    expect(judge({ sender, signature: "0x" })).toBe("InferenceSettlement_NodeSignatureInvalid");
    expect(judge({ sender, signature }, NOW - 1n)).toBe("InferenceSettlement_ProposalExpired");
  });
});

describe("a batch", () => {
  it("of a version without a key is refused before its items are read", () => {
    const consent = { sender: node.address, signature: "0x" };
    const judged = judgeZkmlBatch({
      ...{ modelVersion: version, node: node.address, items: "0x00", consent },
      state: stateWith(),
    });
    expect(judged).toEqual({ verdict: "InferenceSettlement_VersionWithoutKey", settled: [] });
  });
});
