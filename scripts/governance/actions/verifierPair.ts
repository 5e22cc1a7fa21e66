import { getCreateAddress, isAddress, type Provider } from "ethers";
import { addressOf } from "../../lib/chainSession.ts";
import { type ContractOf, contractAt } from "../../lib/contracts.ts";
import { isCodeOf } from "../deployBeforehand.ts";
import type { ActionContext, Deployment } from "./action.ts";
import type { Root } from "./rootFile.ts";
import { refuse } from "./teeRegistry.ts";

export const STORE = "CertificateStore";
export const VERIFIER = "NitroAttestationVerifier";

/** The certificate store that a verifier stands on. */
export async function storeOf(
  runner: Provider,
  verifier: string,
): Promise<ContractOf<typeof STORE>> {
  const contract = contractAt({ name: VERIFIER, address: verifier, runner });
  return contractAt({ name: STORE, address: await contract.CERTIFICATES(), runner });
}

/** A certificate store that pins a root, and the verifier over it. */
export type Pair = readonly [store: Deployment, verifier: Deployment];

type Parameters = { context: Omit<ActionContext, "values">; root: Root };

function describePair(parameters: Parameters & { store: string; verifier: string }): Pair {
  const { context, root, store, verifier } = parameters;
  const manager = addressOf(context.book, "AccessManager");
  const ecdsa = addressOf(context.book, "EcdsaP384");
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

/** The pair that the account's next two transactions would create. */
export async function planPair(parameters: Parameters): Promise<Pair> {
  const { account: from, provider } = parameters.context;
  const nonce = await provider.getTransactionCount(from);
  return describePair({
    ...parameters,
    store: getCreateAddress({ from, nonce }),
    verifier: getCreateAddress({ from, nonce: nonce + 1 }),
  });
}

/**
 * The pair of a verifier that is there. Error: `governance.badArgument` unless its code, and its store's, are what
 * this repository's sources make of the root and of the deployment's other parts.
 */
export async function findPair(parameters: Parameters & { verifier: string }): Promise<Pair> {
  const { context, verifier } = parameters;
  const { provider } = context;
  if (!isAddress(verifier) || (await provider.getCode(verifier)) === "0x") {
    throw refuse(`there is no contract ${verifier}`);
  }
  const store = await storeOf(provider, verifier).catch(() => {
    throw refuse(`${verifier} is no Nitro verifier`);
  });
  const pair = describePair({ ...parameters, store: store.target });
  for (const deployed of pair) {
    if (await isCodeOf({ ...deployed, provider })) continue;
    throw refuse(
      `the code of ${deployed.address} is not that of ${deployed.contract} with the new root and the parts of this deployment`,
    );
  }
  return pair;
}
