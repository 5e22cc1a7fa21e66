import { constants, createPublicKey, type KeyObject, sign } from "node:crypto";
import type { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { hashResult, type InferenceResult } from "@haca/protocol/inferenceResult";
import { PROPOSAL_TYPES, type Proposal } from "@haca/protocol/proposal";
import {
  decodeRequestId,
  encodeRequestId,
  nodeOfEnclave,
  placeInLedger,
} from "@haca/protocol/requestId";
import { judgeTee, judgeVanilla } from "@haca/protocol/verdicts/judgeSigned";
import {
  concat,
  dataLength,
  dataSlice,
  getBytes,
  hexlify,
  id,
  TypedDataEncoder,
  toBeHex,
  Wallet,
  ZeroHash,
} from "ethers";
import { ECDSA_MUTATIONS } from "./byteMutations.ts";
import { GAS } from "./transactionGas.ts";
import {
  baseResult,
  consentChanges,
  consentOf,
  draftChanges,
  type Kind,
  type Makes,
} from "./verdictCases.ts";
import { ask, type World } from "./verdictWorld.ts";

/** Order of P-256. */
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** Who signs: an enclave, or a key that says that it is one's. */
export type Signed = { result: InferenceResult; signer: SimulatedEnclave | Wallet };

const digestOf = ({ state }: World, result: InferenceResult): string =>
  hashResult({ domain: state.domain, result });

const signBy = (signer: Signed["signer"], digest: string): string =>
  signer instanceof Wallet
    ? signer.signingKey.sign(digest).serialized
    : hexlify(signer.sign(digest));

/** The result as one of another enclave, or the same. */
const asOf = (result: InferenceResult, { teeId }: SimulatedEnclave): InferenceResult => {
  const { nonce } = decodeRequestId(result.requestId);
  return { ...result, teeId, requestId: encodeRequestId({ node: nodeOfEnclave(teeId), nonce }) };
};

/** Of RSA: the same number, written as another one. Where that needs a byte more, as it was. */
function addModulus(signature: string, { signingKey }: SimulatedEnclave): string {
  const key = createPublicKey({ key: Buffer.from(signingKey), format: "der", type: "spki" });
  const { n = "" } = key.export({ format: "jwk" });
  const sum = BigInt(signature) + BigInt(hexlify(Buffer.from(n, "base64url")));
  const length = dataLength(signature);
  return sum < 1n << BigInt(8 * length) ? toBeHex(sum, length) : signature;
}

/** A signature by the enclave's own key, in a form that is not the registry's. */
function signOtherwise(
  { digest, signer }: { digest: string; signer: SimulatedEnclave },
  options: { saltLength?: number; padding?: number; hash?: string },
): string {
  const key = Reflect.get(signer, "privateKey") as KeyObject;
  const { hash = "sha256", padding = constants.RSA_PKCS1_PSS_PADDING, saltLength } = options;
  return hexlify(
    sign(hash, getBytes(digest), {
      ...{ key, padding },
      ...(saltLength === undefined ? {} : { saltLength }),
    }),
  );
}

const isRsa = (signer: Signed["signer"]): signer is SimulatedEnclave =>
  !(signer instanceof Wallet) && signer.kind === "rsa";

type Evidence = { signature: string };
type ChangeEvidence = Kind<Signed, Evidence>["evidences"][string];

const rsaChange =
  (options: Parameters<typeof signOtherwise>[1]): ChangeEvidence =>
  (evidence, { result, signer }, { world }) =>
    isRsa(signer)
      ? { signature: signOtherwise({ digest: digestOf(world, result), signer }, options) }
      : evidence;

export const TEE: Kind<Signed, Evidence> = {
  base: (makes) => {
    const { world, random } = makes;
    const [enclave, signer] = random.pick([
      ...Object.values(world.enclaves).map((one) => [one, one] as const),
      [world.enclaves.rsa, world.sessions.live] as const,
    ]);
    const modelVersion = random.pick([world.versions.signed, world.versions.proved]);
    return { result: asOf(baseResult(makes, { modelVersion }), enclave), signer };
  },
  drafts: {
    ...draftChanges<Signed>(),
    takenRequest: ({ result, signer }, { world, random }) => {
      const { signed } = world.taken;
      const requestId = signed.length === 0 ? undefined : random.pick(signed);
      if (requestId === undefined) return { result, signer };
      return { result: { ...result, requestId, teeId: world.enclaves.rsa.teeId }, signer };
    },
    ofAnotherEnclave: ({ result, signer }, { world, random }) => ({
      ...{ result: asOf(result, random.pick(Object.values(world.enclaves))), signer },
    }),
    noEnclave: ({ result, signer }) => ({
      result: { ...result, teeId: ZeroHash, requestId: toBeHex(5n, 32) },
      signer,
    }),
    byAStranger: ({ result }) => ({ result, signer: new Wallet(id("stranger")) }),
    ...Object.fromEntries(
      (["live", "short", "ended", "heartbeats"] as const).flatMap((name) => [
        [
          `session ${name}`,
          ({ result }: Signed, { world }: Makes) => ({
            result: asOf(result, world.enclaves.rsa),
            signer: world.sessions[name],
          }),
        ],
        [
          `session ${name} at a moment`,
          ({ result }: Signed, { world, random }: Makes) => ({
            result: {
              ...asOf(result, world.enclaves.rsa),
              timestamp: random.pick(world.moments) + BigInt(random.below(3) - 1),
            },
            signer: world.sessions[name],
          }),
        ],
      ]),
    ),
    "session fleeting, ahead": ({ result }, { world }) => ({
      result: { ...asOf(result, world.enclaves.rsa), timestamp: world.state.now + 60n },
      signer: world.sessions.fleeting,
    }),
    sessionOfAnother: ({ result }, { world }) => ({
      ...{ result: asOf(result, world.enclaves.p256), signer: world.sessions.live },
    }),
    ...Object.fromEntries(
      (["rsa", "rsa4096", "p256", "secp256k1"] as const).map((name) => [
        `${name} at a moment`,
        ({ result }: Signed, { world, random }: Makes) => ({
          result: {
            ...asOf(result, world.enclaves[name]),
            timestamp: random.pick(world.moments) + BigInt(random.below(3) - 1),
          },
          signer: world.enclaves[name],
        }),
      ]),
    ),
  },
  seal: ({ result, signer }, { world }) => ({ signature: signBy(signer, digestOf(world, result)) }),
  evidences: {
    ...Object.fromEntries(
      Object.entries(ECDSA_MUTATIONS).map(([name, change]) => [
        name,
        ({ signature }: Evidence, _: Signed, { random }: Makes) => ({
          signature: change(signature, random),
        }),
      ]),
    ),
    p256HighS: (evidence) => {
      const { signature } = evidence;
      if (dataLength(signature) !== 64) return evidence;
      const s = P256_ORDER - BigInt(dataSlice(signature, 32));
      return s < 0n
        ? evidence
        : { signature: concat([dataSlice(signature, 0, 32), toBeHex(s, 32)]) };
    },
    modulusAdded: (evidence, { signer }) =>
      isRsa(signer) && dataLength(evidence.signature) > 0
        ? { signature: addModulus(evidence.signature, signer) }
        : evidence,
    shortSalt: rsaChange({ saltLength: 20 }),
    noSalt: rsaChange({ saltLength: 0 }),
    longSalt: rsaChange({ saltLength: 64 }),
    pkcs1: rsaChange({ padding: constants.RSA_PKCS1_PADDING }),
    otherHash: rsaChange({ hash: "sha512", saltLength: 32 }),
  },
  compare: async ({ result }, { signature }, { world }) => {
    const { state, settlement, f } = world;
    const call = () =>
      settlement.settleTee.staticCall(result, signature, { from: f.attacker.address, ...GAS });
    return { here: await judgeTee({ result, signature, state }), there: await ask(call) };
  },
};

type Plain = { result: InferenceResult; deadline: bigint; proposal: Partial<Proposal> };
type PlainEvidence = { signature: string; sender: string; deadline: bigint };

export const VANILLA: Kind<Plain, PlainEvidence> = {
  base: (makes) => {
    const { world, random } = makes;
    const modelVersion = random.pick([world.versions.signed, world.versions.proved]);
    return {
      result: baseResult(makes, { modelVersion }),
      ...{ deadline: world.state.now + 600n, proposal: {} },
    };
  },
  drafts: {
    ...draftChanges<Plain>(),
    takenRequest: (draft, { world }) => ({
      ...draft,
      result: { ...draft.result, requestId: world.taken.proved[0] ?? draft.result.requestId },
    }),
    recordedRequest: (draft, { world }) => ({
      ...draft,
      result: { ...draft.result, requestId: world.taken.vanilla[0] ?? draft.result.requestId },
    }),
    ofAContract: (draft, { world }) => {
      const { nonce } = decodeRequestId(draft.result.requestId);
      const requestId = encodeRequestId({ node: String(world.wallet.target), nonce });
      return { ...draft, result: { ...draft.result, requestId } };
    },
    untilNow: (draft, { world }) => ({ ...draft, deadline: world.state.now }),
    untilBefore: (draft, { world }) => ({ ...draft, deadline: world.state.now - 1n }),
    noDeadline: (draft) => ({ ...draft, deadline: 0n }),
    proposalOfAnotherKind: (draft) => ({ ...draft, proposal: { kind: 2 } }),
    proposalOfTwo: (draft) => ({
      ...draft,
      proposal: { bitmap: placeInLedger(draft.result.requestId).bit | 3n },
    }),
    proposalOfAnotherPage: (draft) => ({
      ...draft,
      proposal: { page: placeInLedger(draft.result.requestId).page ^ 1n },
    }),
    proposalWithABlob: (draft) => ({ ...draft, proposal: { blobId: id("blob") } }),
    proposalOfAnotherResult: (draft) => ({ ...draft, proposal: { root: id("another") } }),
    proposalForLonger: (draft) => ({ ...draft, proposal: { deadline: draft.deadline + 1n } }),
  },
  seal: (draft, { world }) => ({
    signature: world.node.signingKey.sign(proposalDigest(world, draft)).serialized,
    ...{ sender: world.f.attacker.address, deadline: draft.deadline },
  }),
  evidences: {
    ...consentChanges<Plain, PlainEvidence>(),
    receiptInPlace: (evidence, { result }, { world }) => ({
      ...evidence,
      signature: world.node.signingKey.sign(digestOf(world, result)).serialized,
    }),
  },
  compare: async ({ result }, { signature, sender, deadline }, { world }) => {
    const { state, settlement } = world;
    const { node } = decodeRequestId(result.requestId);
    const digest = proposalDigest(world, { result, deadline, proposal: {} });
    const consent = await consentOf({ world, node, digest, sender, signature });
    const call = () =>
      settlement.settleVanilla.staticCall(result, deadline, signature, { from: sender, ...GAS });
    return { here: judgeVanilla({ result, deadline, consent, state }), there: await ask(call) };
  },
};

function proposalDigest(world: World, { result, deadline, proposal }: Plain): string {
  const { page, bit } = placeInLedger(result.requestId);
  return TypedDataEncoder.hash(world.state.domain, PROPOSAL_TYPES, {
    ...{ kind: 0, page, bitmap: bit, blobId: ZeroHash, deadline },
    root: digestOf(world, result),
    ...proposal,
  });
}
