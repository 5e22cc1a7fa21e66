import type { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { addressBookPath, readAddressBook } from "@haca/protocol/addressBook";
import { hashResult, type InferenceResult, settlementDomain } from "@haca/protocol/inferenceResult";
import { computeModelId, computeVersionId } from "@haca/protocol/modelIds";
import { encodeRequestId, nodeOfEnclave } from "@haca/protocol/requestId";
import { hexlify, id, type Provider, sha256, toUtf8Bytes, Wallet, ZeroHash } from "ethers";
import { contractAt } from "../lib/contracts.ts";
import { CHAIN_ID, developmentKey, withChain } from "./localChain.ts";

const OWNER = 0;
/** Whoever has an answer may settle it. */
export const CLIENT = 5;
const SLUG = "demo-chat";
const MANIFEST = { format: 1, slug: SLUG, model: "none", provider: "demo", policy: "an example" };

/** Version of the model without a circuit. */
export function chatVersionId(): string {
  const { address: owner } = new Wallet(developmentKey(OWNER));
  const modelId = computeModelId({ owner, slug: SLUG });
  return computeVersionId({ modelId, major: 1, minor: 0 });
}

/** Publishes a model without a circuit. */
export async function publishModel(provider: Provider): Promise<void> {
  const { contracts } = readAddressBook(addressBookPath(CHAIN_ID));
  const owner = new Wallet(developmentKey(OWNER), provider);
  const models = contractAt({
    ...{ name: "ModelRegistry", address: contracts.ModelRegistry.address, runner: owner },
  });
  const modelId = computeModelId({ owner: owner.address, slug: SLUG });
  const manifestHash = sha256(toUtf8Bytes(JSON.stringify(MANIFEST)));
  await (await models.registerModel(SLUG)).wait();
  await (await models.publishManifest(modelId, 1, 0, manifestHash, ZeroHash)).wait();
}

/** Hash of what the enclave is asked under a nonce. */
export const requestHash = (nonce: bigint): string =>
  id(`What is settled here, for the ${nonce}th time?`);

/** An answer of that model, signed with the enclave's attested key. */
export async function signAnswer(parameters: {
  provider: Provider;
  enclave: SimulatedEnclave;
  nonce: bigint;
  /** smallest units; without it the answer is free */
  price?: bigint;
  /** who asks; without one the demo's client */
  requester?: string;
}): Promise<{ result: InferenceResult; signature: string }> {
  const { provider, enclave, nonce, price = 0n, requester } = parameters;
  const { contracts } = readAddressBook(addressBookPath(CHAIN_ID));
  const timestamp = (await provider.getBlock("latest"))?.timestamp ?? 0;
  const result: InferenceResult = {
    modelVersion: chatVersionId(),
    inputHash: requestHash(nonce),
    outputHash: id("That this enclave gave this answer."),
    requester: requester ?? new Wallet(developmentKey(CLIENT)).address,
    requestId: encodeRequestId({ node: nodeOfEnclave(enclave.teeId), nonce }),
    price,
    timestamp: BigInt(timestamp),
    teeId: enclave.teeId,
  };
  const settlement = contracts.InferenceSettlement.address;
  const domain = settlementDomain({ chainId: BigInt(CHAIN_ID), settlement });
  return { result, signature: hexlify(enclave.sign(hashResult({ domain, result }))) };
}

/**
 * Publishes a model without a circuit, has the enclave sign an answer of it, and lets the client settle that. Returns the
 * request.
 */
export async function settleByEnclave(parameters: {
  rpcUrl: string;
  enclave: SimulatedEnclave;
}): Promise<string> {
  const { rpcUrl, enclave } = parameters;
  return withChain(rpcUrl, async (provider) => {
    await publishModel(provider);
    const { result, signature } = await signAnswer({ provider, enclave, nonce: 0n });
    const { address } = readAddressBook(addressBookPath(CHAIN_ID)).contracts.InferenceSettlement;
    const runner = new Wallet(developmentKey(CLIENT), provider);
    const settlement = contractAt({ name: "InferenceSettlement", address, runner });
    await (await settlement.settleTee(result, signature)).wait();
    return result.requestId;
  });
}
