import { encodeClaims } from "@haca/attestation/nitro/encodeClaims";
import { type DocumentResult, MAXIMUM_AGE } from "@haca/attestation/nitro/judgeDocument";
import { verifyDocument } from "@haca/attestation/nitro/verifyDocument";
import { ATTESTATION_VENDORS } from "@haca/protocol/attestationVendors";
import { BaseError } from "@haca/protocol/baseError";
import { hexlify, keccak256, sha256, ZeroAddress } from "ethers";
import { addressOf, nextBlockTime } from "../../lib/chainSession.ts";
import { contractAt } from "../../lib/contracts.ts";
import { verifierAt } from "../../lib/verifierAt.ts";
import { isoTime, opg, printable } from "../../lib/words.ts";
import { deployed } from "../call.ts";
import type { Action, ActionContext } from "./action.ts";
import { readDocumentFile, readEndpoint, readKeyFile, readTlsFile } from "./nodeFiles.ts";
import {
  currentVerifier,
  isRevert,
  readImage,
  readNodeType,
  refuse,
  TEE_REGISTRY,
} from "./teeRegistry.ts";

/** The legacy entry point speaks of it alone. */
const { nitro } = ATTESTATION_VENDORS;
/** Errors of a document that was verified before, which only time brings. */
const OF_TIME = ["tooOld", "fromFuture"];
const SHA256_MULTIHASH = "1220";
/** Clients of these verify RSA alone. */
const LLM_PROXY = 0;
/** As `ISigningKeys` numbers kinds of keys. */
const RSA = 1n;

/**
 * The legacy entry point, for whoever serves the public network's tools. A proposal can never do it: a document is taken
 * for five minutes, and whoever calls becomes the node's operator.
 */
export const registerNode: Action = {
  name: "register-node",
  usage: "<document> <key> <certificate> <payment> <endpoint> <node type>",
  summary: "admits an enclave by a document that was verified before (REGISTRAR)",
  by: "role",
  functions: ["TEERegistry.registerTEEWithAttestation(bytes,bytes,bytes,address,string,uint8)"],
  build: async (context) => {
    const { book, values, account } = context;
    const documentPath = values.text("document");
    const document = readDocumentFile(documentPath);
    const signingKey = readKeyFile(values.text("key"));
    const tlsCertificate = readTlsFile(values.text("certificate"));
    const payment = values.address("payment");
    const endpoint = readEndpoint(values.text("endpoint"));
    const { type, label } = await readNodeType(context);
    if (payment === ZeroAddress) throw refuse("the payment address must not be zero");

    const warning = await keyWarning({ context, signingKey, type });
    const result = await judge(context, document);
    requireOwnKeys({ result, signingKey, tlsCertificate });
    const claims = await requireVerified({ context, document, result, documentPath });
    const { pcrHash } = result;
    const image = await readImage({
      ...context,
      measurement: pcrHash,
      type,
      verifierId: nitro.verifierId,
    });
    if (!image.isApproved) throw refuse(`image ${pcrHash} is not approved for ${label}`);
    const teeId = keccak256(signingKey);
    await requireAdmission(context, teeId);
    const made = result.document.timestamp / 1000n;
    return {
      calls: [
        {
          contract: TEE_REGISTRY,
          target: addressOf(book, TEE_REGISTRY),
          fragment:
            "function registerTEEWithAttestation(bytes attestationDocument, bytes signingPublicKey, bytes tlsCertificate, address paymentAddress, string endpoint, uint8 teeType) returns (bytes32 teeId)",
          arguments: [
            ...[claims, hexlify(signingKey), hexlify(tlsCertificate)],
            ...[payment, endpoint, type],
          ],
          words:
            `node ${teeId} of type ${label} at ${printable(endpoint)}: unknown -> enabled, operated by ${account}, ` +
            `paid at ${payment}, on image ${pcrHash} (version ${image.version}), attested at ${isoTime(made)}; ` +
            "nothing in the document is bound to that operator: be sure whose enclave it is" +
            warning,
        },
      ],
      until: { time: made + MAXIMUM_AGE, reason: "a document is taken for five minutes" },
    };
  },
};

/** What the contracts will say about the document. Error: `governance.badArgument` where it is none. */
async function judge(context: ActionContext, bytes: Uint8Array): Promise<DocumentResult> {
  const { provider } = context;
  const address = await currentVerifier(context, nitro);
  if (address === ZeroAddress) throw refuse("the registry has no verifier of Nitro attestations");
  const { store } = await verifierAt({ address, runner: provider });
  const rootFingerprint = (await store?.rootFingerprint()) ?? "";
  try {
    return verifyDocument({ bytes, now: await nextBlockTime(provider), rootFingerprint });
  } catch (error) {
    if (!(error instanceof BaseError)) throw error;
    throw refuse(`the document is no attestation document (${error.message})`);
  }
}

/** Error: `governance.badArgument`, naming what the document does not vouch for. */
function requireOwnKeys(parameters: {
  result: DocumentResult;
  signingKey: Uint8Array;
  tlsCertificate: Uint8Array;
}): void {
  const { result, signingKey, tlsCertificate } = parameters;
  const actual = hexlify(result.document.userData ?? "0x");
  const part = (bytes: Uint8Array): string => SHA256_MULTIHASH + sha256(bytes).slice(2);
  const [tls, key] = [part(tlsCertificate), part(signingKey)];
  if (actual === `0x${tls}${key}`) return;
  const others = [
    actual.endsWith(key) ? [] : "another signing key",
    actual.startsWith(`0x${tls}`) ? [] : "another TLS certificate",
  ].flat();
  throw refuse(`the document vouches for ${others.join(" and ") || "something else"}`);
}

/** The document's claims, which stand for it. Errors: `governance.badArgument`, with what is to be done first. */
async function requireVerified(parameters: {
  context: ActionContext;
  document: Uint8Array;
  result: DocumentResult;
  documentPath: string;
}): Promise<string> {
  const { context, document, result, documentPath } = parameters;
  const verifier = contractAt({
    ...{ name: nitro.verifier, runner: context.provider },
    address: await currentVerifier(context, nitro),
  });
  const claims = encodeClaims(document);
  const isVerified = await verifier.isVerified(claims);
  const errors = result.errors.filter(({ code }) => !isVerified || OF_TIME.includes(code));
  if (errors.length > 0) {
    const reasons = errors.map(({ message }) => message).join("; ");
    throw refuse(
      `the verifier refuses the document: ${reasons}${errors.some(({ code }) => code === "tooOld") ? "; ask the enclave for another one" : ""}`,
    );
  }
  if (!isVerified) {
    throw refuse(
      `the document is not verified on this chain yet: npm run tee -- submit ${documentPath}, then this command again, all within five minutes of its making`,
    );
  }
  return claims;
}

/** Error: `governance.badArgument` for a key whose signatures the contracts cannot check. */
async function keyWarning(parameters: {
  context: ActionContext;
  signingKey: Uint8Array;
  type: number;
}): Promise<string> {
  const { context, signingKey, type } = parameters;
  const keys = deployed(context, "SigningKeys");
  const kind = await keys.kindOf(hexlify(signingKey)).catch(async (error: unknown) => {
    if (!(await isRevert(error, "SigningKeys_KeyUnsupported"))) throw error;
    throw refuse("the signing key must be RSA of 2048 to 4096 bits, P-256 or secp256k1");
  });
  return type === LLM_PROXY && kind !== RSA
    ? "; its key is not RSA, and clients of an LLMProxy verify no others"
    : "";
}

/** What stands against a new node whatever its evidence says. Error: `governance.badArgument`. */
async function requireAdmission(context: ActionContext, teeId: string): Promise<void> {
  const { account, provider } = context;
  const registry = deployed(context, TEE_REGISTRY);
  const now = await nextBlockTime(provider);
  const until = await registry.admissionPausedUntil();
  if (now < until) throw refuse(`the guardian has paused admission until ${isoTime(until)}`);
  if (await registry.isOperatorDenied(account)) {
    throw refuse(`${account} would be the operator, and is denied`);
  }
  const isKnown = await registry.nodeOf(teeId).then(
    () => true,
    async (error: unknown) => {
      if (await isRevert(error, "TEERegistry_NodeUnknown")) return false;
      throw error;
    },
  );
  if (isKnown) throw refuse(`node ${teeId} is registered already; its operator renews it`);
  await requireBond(context, await registry.bonds());
}

/** The registry takes the bond of whoever calls. */
async function requireBond({ account, provider }: ActionContext, address: string): Promise<void> {
  if (address === ZeroAddress) return;
  const bonds = contractAt({ name: "NodeBonds", address, runner: provider });
  const amount = await bonds.amount();
  const token = contractAt({ name: "OPG", address: await bonds.TOKEN(), runner: provider });
  const balance = await token.balanceOf(account);
  if (balance < amount) {
    throw refuse(`the registry takes a bond of ${opg(amount)}, and ${account} has ${opg(balance)}`);
  }
  if ((await token.allowance(account, address)) < amount) {
    throw refuse(
      `the registry takes a bond of ${opg(amount)}, which ${account} has to let ${address} take: npm run tee -- approve-bond`,
    );
  }
}
