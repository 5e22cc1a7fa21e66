import { keccak, sliceHex, toBytes } from "../../bytes.ts";
import { isActive } from "../../chain/contractReads.ts";
import { keysOfEnclave } from "../../chain/registeredNodes.ts";
import type { Policy } from "../../isVerified.ts";
import { keyIn } from "../../receipt/receiptOfAnswer.ts";
import { askEnclave, requireEnclave } from "../chat/askEnclave.ts";
import type { Channel } from "../chat/openChannel.ts";
import type { Client, SealedTo } from "../client.ts";
import { nodeError } from "../nodeError.ts";
import {
  byParts,
  enclavesAt,
  type NodeRegistry,
  notActive,
  openNodeRegistry,
} from "../nodes/registryNodes.ts";
import type { Call } from "../send.ts";
import { isUsable, noSealingKey, signedSealingKey } from "./sealingKey.ts";
import { type Answered, sendSealed } from "./sendSealed.ts";

type Parameters = {
  client: Client;
  node: URL;
  /** of the registry, where the node was drawn there */
  teeId?: string | undefined;
  policy: Policy;
  signal: AbortSignal | undefined;
};

/** For so long an enclave's key is kept: whoever asks a node for it is seen by that, and so asks seldom. */
const KEPT_MS = 600_000;
/** Says who could not open a request, as for all that cannot be opened. */
const MALFORMED = 400;

/**
 * A way to an enclave that nobody on it can read: requests are sealed to a key that the enclave has signed. By the policy
 * `attestation: "registry"` it is the registry's, and nobody but endpoints is asked for it; else the node is, whose document has to
 * vouch for who has signed it. Whoever registers an enclave says what its address is: of several at one each is asked that the ones
 * before could not open the request of, once.
 * @throws BaseError `node.notActive`, `node.noSealingKey`, `node.badSealingKey`; as `askEnclave` and `requireEnclave`; `chain.*`
 */
export async function openOblivious(parameters: Parameters): Promise<Channel> {
  const { client, node, policy, teeId = "" } = parameters;
  const isByRegistry = policy.attestation === "registry";
  const place = `${isByRegistry ? `registry ${teeId}` : "direct"} ${node.href}`;
  const kept = client.sealing.get(place);
  let mayLook = kept !== undefined && performance.now() < kept.until;
  let known = kept !== undefined && mayLook ? kept.enclaves : await look();
  const asked = new Set<string>();
  const [first] = known;
  if (first === undefined) throw notActive(node);
  return channelTo(first);

  function channelTo(enclave: SealedTo): Channel {
    let isUnopened = false;
    asked.add(enclave.teeId);
    return {
      ...{ enclave: enclave.enclave, enclaveNode: sliceHex(enclave.teeId, 12) },
      async send(call) {
        let answer = await sealed(call, enclave);
        // The key may be of before.
        if (isRefused(answer) && mayLook) answer = await sealedAnew(call, enclave, answer);
        isUnopened = isRefused(answer);
        if (answer.isOpened) prefer(enclave.teeId);
        return answer.sent;
      },
      async next() {
        const other = known.find((one) => !asked.has(one.teeId));
        return isUnopened && other !== undefined ? channelTo(other) : undefined;
      },
    };
  }

  /** Of another enclave the answer would not be the one that was looked at. */
  async function sealedAnew(call: Call, to: SealedTo, refused: Answered): Promise<Answered> {
    mayLook = false;
    known = await look().catch((error: unknown) => {
      refused.letGo();
      throw error;
    });
    const now = known.find((one) => one.teeId === to.teeId);
    if (now === undefined || now.sealing.publicKey === to.sealing.publicKey) return refused;
    refused.letGo();
    return await sealed(call, now);
  }

  async function look(): Promise<readonly SealedTo[]> {
    client.sealing.delete(place);
    const enclaves = await (isByRegistry ? registered(parameters) : attested(parameters));
    client.sealing.set(place, { enclaves, until: performance.now() + KEPT_MS });
    return enclaves;
  }

  /** Whoever has opened a request is asked first, as long as its key is kept. */
  function prefer(opener: string): void {
    const entry = client.sealing.get(place);
    if (entry === undefined) return;
    const isIt = ({ teeId: id }: SealedTo): boolean => id === opener;
    const others = entry.enclaves.filter((one) => !isIt(one));
    entry.enclaves = [...entry.enclaves.filter(isIt), ...others];
  }

  async function sealed(call: Call, { sealing, teeId: to }: SealedTo): Promise<Answered> {
    const { limits, relay } = client;
    return await sendSealed(call, {
      ...{ key: sealing, teeId: to, node, relay, limit: limits.answerBytes },
    });
  }
}

const isRefused = ({ isOpened, sent }: Answered): boolean => !isOpened && sent.status === MALFORMED;

async function attested({ client, node, signal }: Parameters): Promise<readonly SealedTo[]> {
  const enclave = await askEnclave({ client, node, wantsDocument: true, signal });
  await requireEnclave({ client, node, enclave });
  const { key } = keyIn(enclave.signingKey);
  const of = { host: node.host, signingKey: key };
  const sealing = await signedSealingKey(enclave.signingKey, of);
  return [{ sealing, enclave, teeId: keccak(key) }];
}

/** Those of the registry's enclaves at a node that can be asked so. */
async function registered(parameters: Parameters): Promise<readonly SealedTo[]> {
  const { client, node, policy, teeId } = parameters;
  const at = await openNodeRegistry(client);
  const teeIds = teeId === undefined ? await enclavesAt(at, { client, node, policy }) : [teeId];
  let failure: unknown;
  const found = await byParts(teeIds, (id) =>
    sealingOf(at, { node, teeId: id }).catch((error: unknown) => {
      failure ??= error;
      return undefined;
    }),
  );
  const usable = found.filter((one) => one !== undefined);
  if (usable.length > 0) return usable;
  throw failure;
}

async function sealingOf(
  { chain, registry }: NodeRegistry,
  { node, teeId }: { node: URL; teeId: string },
): Promise<SealedTo> {
  if (!(await isActive(chain, registry, teeId))) throw notActive(node);
  const { sealing, signingKey } = await keysOfEnclave(chain, registry, teeId);
  if (keccak(signingKey) !== teeId) {
    throw nodeError("badSealingKey", `the registry shows another key than that of ${node.host}`);
  }
  if (!isUsable(sealing)) throw noSealingKey(node.host);
  return { sealing, teeId, enclave: { signingKey: wordsOf(signingKey) } };
}

/** As nodes show their key. */
function wordsOf(signingKey: string): object {
  const base64 = btoa(String.fromCharCode(...toBytes(signingKey)));
  const pem = `-----BEGIN PUBLIC KEY-----\n${base64}\n-----END PUBLIC KEY-----\n`;
  return { public_key: pem, session_key: null };
}
