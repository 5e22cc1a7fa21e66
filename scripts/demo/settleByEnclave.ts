import type { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { addressBookPath, readAddressBook } from "@haca/protocol/addressBook";
import { hashResult, type InferenceResult, settlementDomain } from "@haca/protocol/inferenceResult";
import { computeModelId, computeVersionId } from "@haca/protocol/modelIds";
import { encodeRequestId, nodeOfEnclave } from "@haca/protocol/requestId";
import { hexlify, id, JsonRpcProvider, sha256, toUtf8Bytes, Wallet, ZeroHash } from "ethers";
import { contractAt } from "../lib/contracts.ts";
import { CHAIN_ID, developmentKey } from "./localChain.ts";

const OWNER = 0;
/** Whoever has the answer may settle it. */
const CLIENT = 5;
const SLUG = "demo-chat";
const MANIFEST = { format: 1, slug: SLUG, model: "none", provider: "demo", policy: "an example" };

/**
 * Publishes a model without a circuit, has the enclave sign an answer of it with its attested key, and lets the client
 * settle that. Returns the request.
 */
export async function settleByEnclave(parameters: {
  rpcUrl: string;
  enclave: SimulatedEnclave;
}): Promise<string> {
  const { rpcUrl, enclave } = parameters;
  const provider = new JsonRpcProvider(rpcUrl, CHAIN_ID, { staticNetwork: true, cacheTimeout: -1 });
  provider.pollingInterval = 100;
  try {
    const { contracts } = readAddressBook(addressBookPath(CHAIN_ID));
    const owner = new Wallet(developmentKey(OWNER), provider);
    const client = new Wallet(developmentKey(CLIENT), provider);
    const models = contractAt({
      ...{ name: "ModelRegistry", address: contracts.ModelRegistry.address, runner: owner },
    });
    const modelId = computeModelId({ owner: owner.address, slug: SLUG });
    const manifestHash = sha256(toUtf8Bytes(JSON.stringify(MANIFEST)));
    await (await models.registerModel(SLUG)).wait();
    await (await models.publishManifest(modelId, 1, 0, manifestHash, ZeroHash)).wait();

    const { address } = contracts.InferenceSettlement;
    const timestamp = (await provider.getBlock("latest"))?.timestamp ?? 0;
    const result: InferenceResult = {
      modelVersion: computeVersionId({ modelId, major: 1, minor: 0 }),
      inputHash: id("What is settled here?"),
      outputHash: id("That this enclave gave this answer."),
      requester: client.address,
      requestId: encodeRequestId({ node: nodeOfEnclave(enclave.teeId), nonce: 0n }),
      price: 0n,
      timestamp: BigInt(timestamp),
      teeId: enclave.teeId,
    };
    const domain = settlementDomain({ chainId: BigInt(CHAIN_ID), settlement: address });
    const signature = hexlify(enclave.sign(hashResult({ domain, result })));
    const settlement = contractAt({ name: "InferenceSettlement", address, runner: client });
    await (await settlement.settleTee(result, signature)).wait();
    return result.requestId;
  } finally {
    provider.destroy();
  }
}
