import {
  id,
  keccak256,
  type TypedDataDomain,
  TypedDataEncoder,
  verifyTypedData,
  Wallet,
  ZeroAddress,
  ZeroHash,
} from "ethers";
import { expect, it } from "vitest";
import {
  contextOf,
  hashResult,
  hashWords,
  INFERENCE_RESULT_TYPES,
  settlementDomain,
} from "../src/inferenceResult.ts";
import { computeModelId, computeVersionId } from "../src/modelIds.ts";

const domain = settlementDomain({ chainId: 31337n, settlement: ZeroAddress });
const result = {
  modelVersion: id("version"),
  inputHash: hashWords([1n, 2n]),
  outputHash: hashWords([3n]),
  requester: ZeroAddress,
  requestId: id("request"),
  price: 1n,
  timestamp: 2n,
  teeId: ZeroHash,
};

it("hashes words as 32 bytes each", () => {
  expect(hashWords([1n])).toBe(keccak256(`0x${"00".repeat(31)}01`));
  expect(hashWords([])).toBe(keccak256("0x"));
  expect(hashWords([1n, 2n])).not.toBe(hashWords([2n, 1n]));
});

it("makes a context of the digest's upper 248 bits", () => {
  const context = contextOf({ domain, result });
  expect(context).toBe(BigInt(hashResult({ domain, result })) >> 8n);
  expect(context < 1n << 248n).toBe(true);
});

it("gives another digest for every change of a field or of the domain", () => {
  const base = hashResult({ domain, result });
  const changes = [
    { modelVersion: id("other") },
    { inputHash: id("other") },
    { outputHash: id("other") },
    { requester: "0x00000000000000000000000000000000000000aa" },
    { requestId: id("other") },
    { price: 2n },
    { timestamp: 3n },
    { teeId: id("other") },
  ];
  expect(changes).toHaveLength(INFERENCE_RESULT_TYPES.InferenceResult.length);
  const digests = changes.map((change) => hashResult({ domain, result: { ...result, ...change } }));
  digests.push(
    hashResult({ domain: settlementDomain({ chainId: 1n, settlement: ZeroAddress }), result }),
  );
  expect(new Set([base, ...digests]).size).toBe(changes.length + 2);
});

it("follows a domain that is changed, and keeps the hash of none but those that cannot be", () => {
  const expected = (of: TypedDataDomain) =>
    TypedDataEncoder.hash(of, INFERENCE_RESULT_TYPES, result);
  expect(() => Object.assign(domain, { chainId: 1n })).toThrow(TypeError);
  const changing: TypedDataDomain = { ...domain };
  for (const chainId of [1n, 2n]) {
    changing.chainId = chainId;
    expect(hashResult({ domain: changing, result })).toBe(expected(changing));
  }
  expect([1, 2].map(() => hashResult({ domain, result }))).toEqual(
    [1, 2].map(() => expected(domain)),
  );
});

it("is ethers' own digest, whatever the fields are, and names one that is not of its type", () => {
  const hash = (changed: object) => hashResult({ domain, result: { ...result, ...changed } });
  const own = (changed: object) =>
    TypedDataEncoder.hash(domain, INFERENCE_RESULT_TYPES, { ...result, ...changed });
  const address = Wallet.createRandom().address;
  const good = [
    ...[{ requester: address }, { requester: address.toLowerCase() }, { teeId: id("tee") }],
    ...[{ price: (1n << 256n) - 1n }, { timestamp: (1n << 64n) - 1n }, { price: 0n }],
    { modelVersion: id("version").replace(/[a-f]/g, (digit) => digit.toUpperCase()) },
  ];
  for (const changed of good) expect(hash(changed)).toBe(own(changed));
  const bad = [
    ...[{ price: -1n }, { price: 1n << 256n }, { price: 1 }, { timestamp: 1n << 64n }],
    ...[{ inputHash: "0x00" }, { outputHash: id("x").slice(2) }, { requestId: `${id("x")}00` }],
  ];
  for (const changed of bad) {
    const [field = ""] = Object.keys(changed);
    expect(() => hash(changed)).toThrow(new RegExp(`^${field} must be of the type`));
  }
  // A checksum that is wrong.
  const wrong = address.replace(/[a-fA-F](?=[^a-fA-F]*$)/, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  );
  for (const requester of [wrong, "0x00", ""]) expect(() => hash({ requester })).toThrow();
});

it("is what a wallet signs", async () => {
  const wallet = Wallet.createRandom();
  const signature = await wallet.signTypedData(domain, INFERENCE_RESULT_TYPES, result);
  expect(verifyTypedData(domain, INFERENCE_RESULT_TYPES, result, signature)).toBe(wallet.address);
});

it("gives different ids to different models and versions", () => {
  const owner = "0x00000000000000000000000000000000000000aa";
  const modelId = computeModelId({ owner, slug: "digits" });
  expect(computeModelId({ owner, slug: "digit" })).not.toBe(modelId);
  expect(computeModelId({ owner: ZeroAddress, slug: "digits" })).not.toBe(modelId);
  expect(computeVersionId({ modelId, major: 1, minor: 0 })).not.toBe(
    computeVersionId({ modelId, major: 0, minor: 1 }),
  );
});
