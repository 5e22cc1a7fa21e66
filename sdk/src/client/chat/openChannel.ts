import { parseDocument } from "@haca/attestation/nitro/parseDocument";
import { BaseError } from "@haca/protocol/baseError";
import { sha256 } from "@noble/hashes/sha2.js";
import { tls } from "#send";
import { keccak, toHex } from "../../bytes.ts";
import { certificateOfActive } from "../../chain/registeredNodes.ts";
import type { Policy } from "../../isVerified.ts";
import { keyIn } from "../../receipt/receiptOfAnswer.ts";
import { certificateOf } from "../askNode.ts";
import type { AttestedTls, Client, EnclaveWords } from "../client.ts";
import { nodeError } from "../nodeError.ts";
import { openNodeRegistry } from "../nodes/registryNodes.ts";
import type { Send } from "../send.ts";
import { askEnclave, requireEnclave } from "./askEnclave.ts";
import { refuseOblivious } from "./channelOptions.ts";

/** A way to a node that ends in its enclave, and whose enclave that is. */
export type Channel = {
  send: Send;
  enclave: EnclaveWords;
  enclaveNode: string;
  /** of several enclaves at one address: a way to another one, where this one could not open what was sent; else undefined */
  next?: () => Promise<Channel | undefined>;
};

const MULTIHASH = "0x1220";
const HASH_LENGTH = 34;

/**
 * Looks at a node's enclave, over connections whose certificate is the one that the enclave attests: nothing but a nonce is sent
 * before. Where the node shows another one than before, or its enclave attests another one, it is looked at anew, once.
 * @throws BaseError `node.otherCertificate`, `node.noCertificate`, `node.notActive`; as `askEnclave` and `requireEnclave`; `chain.*`
 */
export async function openChannel(parameters: {
  client: Client;
  node: URL;
  policy: Policy;
  signal: AbortSignal | undefined;
}): Promise<Channel> {
  const { client, node, signal } = parameters;
  // Options that ask for a channel are refused there.
  if (tls === undefined) throw nodeError("noCertificate", "a page is shown no certificate");
  const known = client.channels.get(node.origin);
  if (known !== undefined) {
    try {
      return await attested(parameters, known);
    } catch (error) {
      if (!isOfCertificate(error)) throw error;
      client.channels.delete(node.origin);
    }
  }
  const limits = { bytes: client.limits.askBytes, ms: client.limits.askMs };
  const certificate = await certificateOf({ tls, node, limits, signal });
  const fresh = { certificate, send: tls.pinnedTo(node, certificate) };
  const channel = await attested(parameters, fresh);
  client.channels.set(node.origin, fresh);
  return channel;
}

/**
 * The connections to a node by which a client asks it what is no prompt: attested ones where it wants these, any where not.
 * @throws BaseError `option.wrong` of a client whose requests are oblivious: none of these is
 */
export async function sendFor(
  parameters: Pick<Parameters<typeof openChannel>[0], "client" | "node" | "signal">,
): Promise<Send | undefined> {
  const { client } = parameters;
  refuseOblivious(client, "a question that is no prompt");
  if (!client.isChannelAttested) return undefined;
  return (await openChannel({ ...parameters, policy: client.policy })).send;
}

const isOfCertificate = (error: unknown): boolean =>
  error instanceof BaseError && error.code === "node.otherCertificate";

/** The channel over these connections, where the enclave vouches for their certificate. */
async function attested(
  { client, node, policy, signal }: Parameters<typeof openChannel>[0],
  { certificate, send }: AttestedTls,
): Promise<Channel> {
  const wantsDocument = policy.attestation !== "registry";
  const enclave = await askEnclave({ client, node, wantsDocument, signal, send });
  const enclaveNode = await requireEnclave({ client, node, enclave });
  const shown = toHex(sha256(certificate));
  const attests =
    enclave.document === undefined
      ? await registered(client, node, enclave)
      : inDocument(enclave.document);
  if (attests === shown) return { send, enclave, enclaveNode };
  throw nodeError(
    "otherCertificate",
    `${node.host} shows another certificate than its enclave attests`,
    { details: { shown, attested: attests ?? null } },
  );
}

/** SHA-256 of the certificate for which a document vouches, as the user data of enclaves' gateways begin. */
function inDocument(document: Uint8Array): string | undefined {
  const { userData } = parseDocument(document);
  if (userData?.length !== 2 * HASH_LENGTH) return undefined;
  const hash = toHex(userData.subarray(0, HASH_LENGTH));
  return hash.startsWith(MULTIHASH) ? `0x${hash.slice(MULTIHASH.length)}` : undefined;
}

/** The same of the registry's word for the enclave of this key, at RPCs that agree. */
async function registered(client: Client, node: URL, enclave: EnclaveWords): Promise<string> {
  const { chain, registry } = await openNodeRegistry(client);
  const teeId = keccak(keyIn(enclave.signingKey).key);
  const certificate = await certificateOfActive(chain, registry, teeId);
  if (certificate !== null) return toHex(sha256(certificate));
  throw nodeError("notActive", `${node.host} shows the key of no enclave that is active`);
}
