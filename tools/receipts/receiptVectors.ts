import { measurementsOf } from "@haca/enclave-simulator/measurementsOf";
import { makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import { type SigningKeyKind, SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { contextOf, hashResult, hashWords, settlementDomain } from "@haca/protocol/inferenceResult";
import { OPTIMISTIC, pageIdOf } from "@haca/protocol/pageSettlement";
import { encodeRequestId, ledgerPageOf, nodeOfEnclave } from "@haca/protocol/requestId";
import {
  buildResultPage,
  resultLeaf,
  resultPageProof,
  resultPageRoot,
} from "@haca/protocol/resultPage";
import type { Pins } from "@haca/sdk/pins";
import { makeReceipt } from "@haca/sdk/receipt/makeReceipt";
import type { Evidence, Receipt, ReceiptCore, ReceiptMessage } from "@haca/sdk/receipt/receipt";
import { serialiseReceipt } from "@haca/sdk/receipt/serialiseReceipt";
import { hasHighS, withOtherS } from "@haca/sdk/signatureForm";
import { concat, hexlify, id, keccak256, sha256, toBeHex, toUtf8Bytes, Wallet } from "ethers";
import {
  makeProof,
  makeTrapdoor,
  makeVerifyingKey,
} from "../../test/contracts/utils/groth16Simulator.ts";
import { scalarsFrom } from "../../test/contracts/utils/randomScalars.ts";
import { type BadReceipt, badReceipts } from "./badReceipts.ts";
import { legacyReceiptVectors } from "./legacyReceiptVectors.ts";
import { witnessVectors } from "./witnessVectors.ts";

/** A receipt, and what verifying it with the file's pins at the file's time says, without a chain. */
export type GoodReceipt = {
  name: string;
  receipt: string;
  isVerified: boolean;
  asserted: string[];
  /** of the profile `legacy`, and verified where that is taken */
  legacy?: true;
};

export type ReceiptVectors = {
  /** unix seconds */
  now: string;
  pins: Pins;
  /** of the block that the witness is of */
  blockHashes: string[];
  good: GoodReceipt[];
  /** changes of good ones, and which line they refute; null for what is no receipt any more */
  bad: BadReceipt[];
};

const NOW = 1_900_000_000n;
const CHAIN_ID = 31_337n;
const SETTLEMENT = `0x${"5e".repeat(20)}`;
const PAGE_SETTLEMENT = `0x${"9a".repeat(20)}`;
const NOBODY = `0x${"00".repeat(20)}`;
const NO_ENCLAVE = toBeHex(0n, 32);
const TEE = 2n;
const NODE = new Wallet(id("node"));
const SESSION = new Wallet(id("session"));
const MODEL = { proved: id("proved model"), language: id("language model") };
const DOMAIN = settlementDomain({ chainId: CHAIN_ID, settlement: SETTLEMENT });
const RSA_BITS = 2048;

const ATTESTED_AT = NOW - 600n;
const chain = makeSimulatedChain({ now: NOW - 3_600n });
const otherChain = makeSimulatedChain({ now: NOW - 3_600n });
const enclaveOf = (kind: SigningKeyKind, image = "image", of = chain): SimulatedEnclave =>
  new SimulatedEnclave({
    ...{
      chain: of,
      measurements: measurementsOf(image),
      kind,
      now: ATTESTED_AT,
      modulusLength: RSA_BITS,
    },
  });
const documentOf = (enclave: SimulatedEnclave): string =>
  hexlify(enclave.attest({ now: ATTESTED_AT, nonce: new Uint8Array(20).fill(7) }));

const random = scalarsFrom("receipts");
const trapdoor = makeTrapdoor({ signalCount: 4, random });
const verifyingKey = makeVerifyingKey(trapdoor);
const WORDS = { input: [3n, 5n], output: [8n] };

/**
 * Receipts of every kind, signed by what signs in the contracts' tests: simulated enclaves with keys of each kind, an account, and
 * proofs made by a key's trapdoor. Keys and salts are drawn: made again, they are others.
 */
export async function makeReceiptVectors(): Promise<ReceiptVectors> {
  const enclaves = { rsa: enclaveOf("rsa"), p256: enclaveOf("p256"), k1: enclaveOf("secp256k1") };
  const ofNode = nodeReceipt();
  const legacy = legacyReceiptVectors({
    ...{ enclave: enclaves.rsa, other: enclaveOf("rsa"), now: NOW, documentOf },
    accountKey: hexlify(enclaves.k1.signingKey),
  });
  const measurement = keccak256(concat(measurementsOf("image")));
  const { blockHash, layout, witness, witnessed } = await witnessVectors({
    ...{ receipt: enclaveReceipt(enclaves.p256), measurement, now: NOW },
  });
  const receipts: Record<string, Receipt> = {
    teeRsa: enclaveReceipt(enclaves.rsa),
    teeP256: enclaveReceipt(enclaves.p256),
    teeSecp256k1: enclaveReceipt(enclaves.k1),
    teeP256InPage: inPage(enclaves.p256),
    teeSession: enclaveReceipt(enclaves.rsa, { session: SESSION }),
    teeDetached: enclaveReceipt(enclaves.k1, { isDetached: true }),
    teeWitnessed: witnessed,
    zkml: makeReceipt({ core: ofNode, evidence: [proofOf(ofNode)] }),
    zkmlInPage: makeReceipt({
      core: ofNode,
      evidence: [proofOf(ofNode), pageOf({ core: ofNode, kind: OPTIMISTIC, others: 3 })],
      hints: { url: "https://example.org/pages/1" },
    }),
    vanilla: makeReceipt({ core: ofNode }),
  };
  const teeVerified = ["key", "signature", "attestation"];
  const zkmlVerified = ["signature", "input", "output", "proof"];
  const expected: Record<string, [isVerified: boolean, asserted: string[]]> = {
    teeRsa: [true, [...teeVerified, "input", "output"]],
    teeP256: [true, [...teeVerified, "input", "output"]],
    teeSecp256k1: [true, [...teeVerified, "input", "output"]],
    teeP256InPage: [true, [...teeVerified, "page"]],
    // That the enclave certified the session's key only a chain can tell.
    teeSession: [false, teeVerified],
    teeDetached: [true, teeVerified],
    teeWitnessed: [true, [...teeVerified, "witness", "admitted", "settled"]],
    zkml: [true, zkmlVerified],
    zkmlInPage: [true, [...zkmlVerified, "page"]],
    vanilla: [false, ["signature", "input", "output"]],
  };
  return {
    now: String(NOW),
    pins: {
      settlements: [{ chainId: String(CHAIN_ID), settlement: SETTLEMENT, storage: layout }],
      images: [measurement],
      attestationRoot: sha256(chain.root),
      models: {
        language: { version: MODEL.language },
        proved: {
          version: MODEL.proved,
          verifyingKeyHash: keccak256(verifyingKey),
          inputWords: WORDS.input.length,
        },
      },
    },
    blockHashes: [blockHash],
    good: [
      ...Object.entries(receipts).map(([name, receipt]) => ({
        ...{ name, receipt: serialiseReceipt(receipt) },
        ...{ isVerified: expected[name]?.[0] ?? false, asserted: expected[name]?.[1] ?? [] },
      })),
      ...legacy.good,
    ],
    bad: [
      ...legacy.bad,
      ...badReceipts({
        receipts,
        otherImage: enclaveReceipt(enclaveOf("p256", "another image")),
        otherRoot: enclaveReceipt(enclaveOf("p256", "image", otherChain)),
        otherEnclave: enclaveReceipt(enclaveOf("p256")),
        otherProof: proofOf({ ...ofNode, message: { ...ofNode.message, price: "8" } }),
        otherKey: otherKeyProof(ofNode),
        witness,
        otherSignature: NODE.signingKey.sign(id("something else")).serialized,
      }),
    ],
  };
}

const signedBy = (
  message: Omit<ReceiptMessage, "price" | "timestamp">,
  sign: (digest: string) => string,
  rest: Pick<ReceiptCore, "key" | "session" | "attestation" | "input" | "output">,
): ReceiptCore => {
  const whole = { ...message, price: "7", timestamp: String(NOW - 60n) };
  const result = { ...whole, price: 7n, timestamp: NOW - 60n };
  return {
    ...{ chainId: String(CHAIN_ID), settlement: SETTLEMENT, message: whole },
    ...{ signature: sign(hashResult({ domain: DOMAIN, result })), ...rest },
  };
};

function enclaveCore(
  enclave: SimulatedEnclave,
  options: { session?: Wallet; isDetached?: boolean } = {},
): ReceiptCore {
  const { session, isDetached = false } = options;
  const salt = id("salt");
  const [request, answer] = ['{"messages":[],"model":"m"}', '{"choices":[{"text":"Grüße 😀"}]}'];
  const message = {
    modelVersion: MODEL.language,
    inputHash: keccak256(concat([salt, toUtf8Bytes(request)])),
    outputHash: id(answer),
    requester: NOBODY,
    requestId: encodeRequestId({ node: nodeOfEnclave(enclave.teeId), nonce: 515n }),
    teeId: enclave.teeId,
  };
  const sign = (digest: string): string =>
    session === undefined
      ? hexlify(enclave.sign(digest))
      : session.signingKey.sign(digest).serialized;
  return signedBy(message, sign, {
    key: hexlify(enclave.signingKey),
    session: session === undefined ? null : session.address.toLowerCase(),
    attestation: null,
    input: isDetached ? null : { type: "text", salt, text: request },
    output: isDetached ? null : { type: "text", text: answer },
  });
}

function enclaveReceipt(
  enclave: SimulatedEnclave,
  options: { session?: Wallet; isDetached?: boolean } = {},
): Receipt {
  const document = documentOf(enclave);
  const core = { ...enclaveCore(enclave, options), attestation: keccak256(document) };
  return makeReceipt({ core, evidence: [{ type: "attestation", document }] });
}

/** In the page stands the form with the upper s, which the contracts take of P-256; in the receipt the other one. */
function inPage(enclave: SimulatedEnclave): Receipt {
  const document = documentOf(enclave);
  const signed = { ...enclaveCore(enclave), attestation: keccak256(document) };
  const core = hasHighS(signed) ? signed : { ...signed, signature: withOtherS(signed) };
  return makeReceipt({
    core,
    evidence: [{ type: "attestation", document }, pageOf({ core, kind: TEE, others: 2 })],
  });
}

function nodeReceipt(): ReceiptCore {
  const message = {
    modelVersion: MODEL.proved,
    ...{ inputHash: hashWords(WORDS.input), outputHash: hashWords(WORDS.output) },
    requester: NODE.address.toLowerCase(),
    requestId: encodeRequestId({ node: NODE.address, nonce: 256n * 9n + 41n }),
    teeId: NO_ENCLAVE,
  };
  const words = (list: readonly bigint[]) => list.map((word) => toBeHex(word, 32));
  return signedBy(message, (digest) => NODE.signingKey.sign(digest).serialized, {
    ...{ key: null, session: null, attestation: null },
    input: { type: "words", words: words(WORDS.input) },
    output: { type: "words", words: words(WORDS.output) },
  });
}

const resultOf = ({ message }: ReceiptCore) => ({
  ...message,
  ...{ price: BigInt(message.price), timestamp: BigInt(message.timestamp) },
});

const signalsOf = (core: ReceiptCore): bigint[] => [
  ...[...WORDS.input, ...WORDS.output],
  contextOf({ domain: DOMAIN, result: resultOf(core) }),
];

const proofOf = (core: ReceiptCore): Extract<Evidence, { type: "proof" }> => ({
  type: "proof",
  proof: makeProof({ trapdoor, signals: signalsOf(core), a: random(), b: random() }),
  verifyingKey,
});

/** A proof that holds, under a key that somebody made for themselves. */
function otherKeyProof(core: ReceiptCore): Extract<Evidence, { type: "proof" }> {
  const own = makeTrapdoor({ signalCount: 4, random });
  const proof = makeProof({ trapdoor: own, signals: signalsOf(core), a: random(), b: random() });
  return { type: "proof", proof, verifyingKey: makeVerifyingKey(own) };
}

/** A page with this result and a few more. */
function pageOf(parameters: {
  core: ReceiptCore;
  kind: bigint;
  others: number;
}): Extract<Evidence, { type: "page" }> {
  const { core, kind, others } = parameters;
  const { requestId, teeId } = core.message;
  const index = Number(BigInt(requestId) & 0xffn);
  const node = toBeHex(BigInt(requestId) >> 96n, 20);
  const ledgerPage = ledgerPageOf({ node, index: (BigInt(requestId) >> 8n) & ((1n << 88n) - 1n) });
  const digest = hashResult({ domain: DOMAIN, result: resultOf(core) });
  const leaves = new Map([[index, resultLeaf({ digest, signature: core.signature })]]);
  for (let other = 0; other < others; other += 1) {
    leaves.set(100 + other, resultLeaf({ digest: id(`other ${other}`), signature: "0x01" }));
  }
  const tree = buildResultPage(leaves);
  const header = {
    ...{ kind, teeId, ledgerPage, root: resultPageRoot(tree), blobId: id("blob") },
    bitmap: [...leaves.keys()].reduce((sum, place) => sum | (1n << BigInt(place)), 0n),
    ...{ proposer: NODE.address.toLowerCase(), fee: 3n },
  };
  const pageId = pageIdOf({ chainId: CHAIN_ID, pageSettlement: PAGE_SETTLEMENT, header });
  const { bitmap, fee } = header;
  return {
    ...{ type: "page", pageSettlement: PAGE_SETTLEMENT, pageId },
    header: {
      ...header,
      ...{ kind: String(kind), ledgerPage: String(ledgerPage) },
      ...{ bitmap: String(bitmap), fee: String(fee) },
    },
    path: resultPageProof({ tree, index }),
  };
}
