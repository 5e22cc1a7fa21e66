import { keccak, sliceHex, toBytes } from "../../bytes.ts";
import { keysOfEnclave } from "../../chain/registeredNodes.ts";
import type { Policy } from "../../isVerified.ts";
import { keyIn } from "../../receipt/receiptOfAnswer.ts";
import { askEnclave, requireEnclave } from "../chat/askEnclave.ts";
import type { Channel } from "../chat/openChannel.ts";
import type { Client, KeptEnclave } from "../client.ts";
import { nodeError } from "../nodeError.ts";
import { enclaveOf } from "../nodes/registryNodes.ts";
import type { Call } from "../send.ts";
import { isUsable, noSealingKey, signedSealingKey } from "./sealingKey.ts";
import { letGo, sendSealed } from "./sendSealed.ts";

type Known = Omit<KeptEnclave, "until">;

type Parameters = {
  client: Client;
  node: URL;
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
 * vouch for who has signed it.
 * @throws BaseError `node.notActive`, `node.noSealingKey`, `node.badSealingKey`; as `askEnclave` and `requireEnclave`; `chain.*`
 */
export async function openOblivious(parameters: Parameters): Promise<Channel> {
  const { client, node, policy } = parameters;
  const isByRegistry = policy.attestation === "registry";
  const place = `${isByRegistry ? "registry" : "direct"} ${node.href}`;
  const kept = client.sealing.get(place);
  const isKept = kept !== undefined && performance.now() < kept.until;
  const known = isKept ? kept : await look();
  return {
    ...{ enclave: known.enclave, enclaveNode: sliceHex(known.teeId, 12) },
    async send(call) {
      const { isOpened, sent } = await sealed(call, known);
      if (isOpened || sent.status !== MALFORMED || !isKept) return sent;
      // The key may be of before. Of another enclave the answer would not be the one that was looked at.
      const { sealing, teeId } = await look();
      const isNew = teeId === known.teeId && sealing.publicKey !== known.sealing.publicKey;
      if (!isNew) return sent;
      await letGo(sent);
      return (await sealed(call, { sealing, teeId })).sent;
    },
  };

  async function look(): Promise<Known> {
    client.sealing.delete(place);
    const found = await (isByRegistry ? registered(parameters) : attested(parameters));
    client.sealing.set(place, { ...found, until: performance.now() + KEPT_MS });
    return found;
  }

  function sealed(call: Call, { sealing, teeId }: Omit<Known, "enclave">) {
    const { limits, relay } = client;
    return sendSealed(call, { key: sealing, teeId, node, relay, limit: limits.answerBytes });
  }
}

async function attested({ client, node, signal }: Parameters): Promise<Known> {
  const enclave = await askEnclave({ client, node, wantsDocument: true, signal });
  await requireEnclave({ client, node, enclave });
  const { key } = keyIn(enclave.signingKey);
  const of = { host: node.host, signingKey: key };
  const sealing = await signedSealingKey(enclave.signingKey, of);
  return { sealing, enclave, teeId: keccak(key) };
}

async function registered({ client, node, policy }: Parameters): Promise<Known> {
  const { chain, registry, teeId } = await enclaveOf(client, node, policy);
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
