import { createHash, X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { AWS_ROOT_FINGERPRINT } from "@haca/attestation/document/verifyDocument";
import { ACCESS_TABLE } from "@haca/protocol/accessTable";
import { ROLES } from "@haca/protocol/roles";
import { getCreateAddress, hexlify, isAddress, ZeroAddress } from "ethers";
import { selectorOf } from "../../deploy/modules/accessCalls.ts";
import { printable } from "../../lib/printable.ts";
import { addressOf, type Call } from "../call.ts";
import { isCodeOf } from "../deployBeforehand.ts";
import type { Action, ActionContext, Deployment } from "./action.ts";
import { readView, readViewAt } from "./readView.ts";
import { refuse, TEE_REGISTRY } from "./teeRegistry.ts";

const NITRO = 0;
const STORE = "CertificateStore";
const VERIFIER = "NitroAttestationVerifier";

type Root = { der: string; fingerprint: string; words: string };

/**
 * A certificate store pins its root for good, so another root takes another store, and a verifier over it. Whoever
 * proposes deploys the two; they can do nothing until the proposal makes the registry use them. With a verifier that is
 * there already, nothing is deployed: its code and its store's are compared with this repository's instead.
 */
export const rotateRoot: Action = {
  name: "rotate-root",
  usage: "<file with the new root, DER> [<verifier that is deployed already>]",
  summary: "replaces the root certificate of attestations",
  by: "proposal",
  build: async (context) => {
    const root = readRootFile(context.values.text("file"));
    const existing = context.values.optional();
    const ecdsa = addressOf(context.book, "EcdsaP384");
    const pair =
      existing === undefined
        ? await planPair({ context, root, ecdsa })
        : await checkPair({ context, root, ecdsa, verifier: existing });
    const { words: before, fingerprint } = await currentRoot(context);
    if (fingerprint === root.fingerprint) throw refuse("that root is pinned already");

    const [, verifier] = pair;
    const calls: Call[] = [
      ...guardianRules({ context, store: pair[0].address }),
      {
        contract: TEE_REGISTRY,
        target: addressOf(context.book, TEE_REGISTRY),
        fragment: "function setVerifier(uint8 verifierId, address verifier)",
        arguments: [NITRO, verifier.address],
        words:
          `root of Nitro attestations: ${before} -> ${root.words}; every node is inactive until it attests ` +
          "again under the new root; revocations in the old store do not carry over",
      },
    ];
    return existing === undefined ? { calls, deployments: pair } : { calls };
  },
};

const CERTIFICATES = "function CERTIFICATES() view returns (address)";

/** The root that the registry's verifier goes by now. */
async function currentRoot(
  context: ActionContext,
): Promise<{ words: string; fingerprint: string | undefined }> {
  const { provider } = context;
  const view = "function verifier(uint8) view returns (address)";
  const verifier: string = await readView(context, TEE_REGISTRY, view, NITRO);
  if (verifier === ZeroAddress) return { words: "none", fingerprint: undefined };
  const store: string = await readViewAt(provider, verifier, CERTIFICATES);
  const rootView = "function rootFingerprint() view returns (bytes32)";
  const fingerprint: string = await readViewAt(provider, store, rootView);
  return { words: nameRoot(fingerprint), fingerprint };
}

const nameRoot = (fingerprint: string): string =>
  fingerprint === `0x${AWS_ROOT_FINGERPRINT}`
    ? `AWS's (SHA-256 ${fingerprint})`
    : `not AWS's known one (SHA-256 ${fingerprint})`;

function readRootFile(path: string): Root {
  if (!existsSync(path)) throw refuse(`no file ${path}`);
  const der = readFileSync(path);
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(der);
  } catch {
    throw refuse(`${path} is no certificate`);
  }
  if (!certificate.raw.equals(der))
    throw refuse(`${path} is not DER, or has more than one certificate`);
  const curve = certificate.publicKey.asymmetricKeyDetails?.namedCurve;
  if (!certificate.ca || curve !== "secp384r1") {
    throw refuse(`${path} is no authority with a key on P-384`);
  }
  const fingerprint = `0x${createHash("sha256").update(der).digest("hex")}`;
  const subject = printable(certificate.subject.replaceAll("\n", ", "));
  const words = `${nameRoot(fingerprint)}, ${subject}, valid to ${certificate.validTo}`;
  return { der: hexlify(der), fingerprint, words };
}

type PairParameters = { context: ActionContext; root: Root; ecdsa: string };
type Pair = readonly [store: Deployment, verifier: Deployment];

function describePair(parameters: PairParameters & { store: string; verifier: string }): Pair {
  const { context, root, ecdsa, store, verifier } = parameters;
  const manager = addressOf(context.book, "AccessManager");
  return [
    {
      contract: STORE,
      constructorArguments: [manager, ecdsa, root.der],
      address: store,
      words: `a certificate store that pins the new root, ${root.fingerprint}`,
    },
    {
      contract: VERIFIER,
      constructorArguments: [store, ecdsa],
      address: verifier,
      words: "a Nitro verifier over that store",
    },
  ];
}

async function planPair(parameters: PairParameters): Promise<Pair> {
  const { account: from, provider } = parameters.context;
  const nonce = await provider.getTransactionCount(from);
  return describePair({
    ...parameters,
    store: getCreateAddress({ from, nonce }),
    verifier: getCreateAddress({ from, nonce: nonce + 1 }),
  });
}

async function checkPair(parameters: PairParameters & { verifier: string }): Promise<Pair> {
  const { context, verifier } = parameters;
  const { provider } = context;
  if (!isAddress(verifier) || (await provider.getCode(verifier)) === "0x") {
    throw refuse(`there is no contract ${verifier}`);
  }
  const store: string = await readViewAt(provider, verifier, CERTIFICATES).catch(() => {
    throw refuse(`${verifier} is no Nitro verifier`);
  });
  const pair = describePair({ ...parameters, store });
  for (const deployed of pair) {
    if (await isCodeOf({ ...deployed, provider })) continue;
    throw refuse(
      `the code of ${deployed.address} is not that of ${deployed.contract} with the new root and the parts of this deployment`,
    );
  }
  return pair;
}

/** The new store's restricted functions need the roles that the old one's need. */
function guardianRules(parameters: { context: ActionContext; store: string }): Call[] {
  const { context, store } = parameters;
  return ACCESS_TABLE.filter(({ contract }) => contract === STORE).map(({ role, functions }) => ({
    contract: "AccessManager",
    target: addressOf(context.book, "AccessManager"),
    fragment: "function setTargetFunctionRole(address target, bytes4[] selectors, uint64 roleId)",
    arguments: [store, functions.map(selectorOf), ROLES[role]],
    words: `${role} may call ${functions.join(", ")} of the new certificate store ${store}`,
  }));
}
