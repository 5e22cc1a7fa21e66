import { ACCESS_TABLE, selectorOf } from "@haca/protocol/accessTable";
import { ATTESTATION_VENDORS } from "@haca/protocol/attestationVendors";
import { ROLES } from "@haca/protocol/roles";
import { ZeroAddress } from "ethers";
import { addressOf } from "../../lib/chainSession.ts";
import type { Call } from "../call.ts";
import type { Action, ActionContext, Plan } from "./action.ts";
import { nameRoot, type Root, readRootFile } from "./rootFile.ts";
import { currentVerifier, refuse, TEE_REGISTRY } from "./teeRegistry.ts";
import { findPair, planPair, STORE, storeOf } from "./verifierPair.ts";

const { nitro } = ATTESTATION_VENDORS;

const REPLACING: Action["functions"] = [
  "TEERegistry.setVerifier(uint8,address)",
  "AccessManager.setTargetFunctionRole(address,bytes4[],uint64)",
];

/**
 * A certificate store pins its root for good, so another root takes another store, and a verifier over it. Whoever
 * proposes deploys the two; they can do nothing until the proposal makes the registry use them. With a verifier that is
 * there already, nothing is deployed: its code and its store's are compared with this repository's instead.
 */
export const rotateRoot: Action = {
  name: "rotate-root",
  usage: "<file.der> [<verifier that is deployed already>]",
  summary: "replaces the root certificate of attestations",
  by: "proposal",
  functions: REPLACING,
  build: async (context) => {
    const root = readRootFile(context.values.text("file"));
    const before = await currentRoot(context);
    if (before === root.fingerprint) {
      throw refuse(
        "that root is pinned already; replace-verifier replaces what reads attestations",
      );
    }
    const change = `root of Nitro attestations: ${before === undefined ? "none" : nameRoot(before)} -> ${root.words}`;
    return replacePair({ context, root, change });
  },
};

/** The same with the root that is pinned already, for code that was mended. */
export const replaceVerifier: Action = {
  name: "replace-verifier",
  usage: "<pinned.der> [<verifier that is deployed already>]",
  summary: "replaces the contracts that read attestations, under the same root",
  by: "proposal",
  functions: REPLACING,
  build: async (context) => {
    const root = readRootFile(context.values.text("file"));
    const before = await currentRoot(context);
    if (before !== root.fingerprint) {
      const pinned = before === undefined ? "no root is pinned" : `the pinned root is ${before}`;
      throw refuse(`${pinned}, not ${root.fingerprint}; rotate-root replaces it`);
    }
    const change = `verifier of Nitro attestations: ${await currentVerifier(context, nitro)} -> a new one under the same root`;
    return replacePair({ context, root, change });
  },
};

async function replacePair(parameters: {
  context: ActionContext;
  root: Root;
  /** what is replaced, in words */
  change: string;
}): Promise<Plan> {
  const { context, root, change } = parameters;
  const existing = context.values.optional();
  const pair =
    existing === undefined
      ? await planPair({ context, root })
      : await findPair({ context, root, verifier: existing });
  const [store, verifier] = pair;
  if (verifier.address === (await currentVerifier(context, nitro))) {
    throw refuse(`${verifier.address} is the verifier in use`);
  }
  const calls: Call[] = [
    ...rulesOf({ context, store: store.address }),
    {
      contract: TEE_REGISTRY,
      target: addressOf(context.book, TEE_REGISTRY),
      fragment: "function setVerifier(uint8 verifierId, address verifier)",
      arguments: [nitro.verifierId, verifier.address],
      words:
        `${change}; every node is inactive until the new verifier ${verifier.address} has read its evidence; ` +
        "results from before count as they did, and revoked certificates stay revoked",
    },
  ];
  return existing === undefined ? { calls, deployments: pair } : { calls };
}

/** Fingerprint of the root that the registry's verifier goes by now. */
async function currentRoot(context: ActionContext): Promise<string | undefined> {
  const { provider } = context;
  const verifier = await currentVerifier(context, nitro);
  if (verifier === ZeroAddress) return undefined;
  return await (await storeOf(provider, verifier)).rootFingerprint();
}

/** The new store's restricted functions need the roles that the old one's need. */
function rulesOf(parameters: { context: ActionContext; store: string }): Call[] {
  const { context, store } = parameters;
  return ACCESS_TABLE.filter(({ contract }) => contract === STORE).map(({ role, functions }) => ({
    contract: "AccessManager",
    target: addressOf(context.book, "AccessManager"),
    fragment: "function setTargetFunctionRole(address target, bytes4[] selectors, uint64 roleId)",
    arguments: [store, functions.map(selectorOf), ROLES[role]],
    words: `${role} may call ${functions.join(", ")} of the new certificate store ${store}`,
  }));
}
