import type { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { settlementDomain } from "@haca/protocol/inferenceResult";
import { computeModelId, computeVersionId } from "@haca/protocol/modelIds";
import { sessionKeyDigest, teeRegistryDomain } from "@haca/protocol/teeMessages";
import { id, Wallet } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { admit, deployRegistry, now, type RegistryFixture } from "./attestationFixture.ts";

/** Registry and settlement with an admitted enclave, RSA key, and a published version of a model without a circuit. */
export async function deployEnclaveResults(connection: NetworkConnection) {
  const fixture = await deployRegistry(connection);
  const { chainId, governance: owner, models } = fixture;
  const modelId = computeModelId({ owner: owner.address, slug: "chat" });
  await models.connect(owner).registerModel("chat");
  await models
    .connect(owner)
    .publishManifest(modelId, 1, 0, id("manifest"), id("blob of the manifest"));
  const { enclave } = await admit(fixture, { kind: "rsa" });
  const settlement = await fixture.settlement.getAddress();
  return {
    ...{ fixture, enclave, versionId: computeVersionId({ modelId, major: 1, minor: 0 }) },
    domain: settlementDomain({ chainId, settlement }),
  };
}

/** A session key that the enclave has certified: its first, for results, for an hour, if not told otherwise. */
export async function certifySession(parameters: {
  fixture: RegistryFixture;
  enclave: SimulatedEnclave;
  signsResults?: boolean;
  /** unix seconds */
  until?: bigint;
}): Promise<Wallet> {
  const { fixture, enclave, signsResults = true } = parameters;
  const { chainId, registry } = fixture;
  const until = parameters.until ?? (await now(fixture)) + 3_600n;
  const session = new Wallet(id("session"));
  const { teeId } = enclave;
  const key = session.address;
  const digest = sessionKeyDigest({
    domain: teeRegistryDomain({ chainId, registry: await registry.getAddress() }),
    ...{ teeId, key, signsResults, until, counter: 1n },
  });
  await registry.certifySessionKey(teeId, key, signsResults, until, 1n, enclave.sign(digest));
  return session;
}
