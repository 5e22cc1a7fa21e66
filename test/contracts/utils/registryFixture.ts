import { computeModelId } from "@haca/protocol/modelIds";
import type { NetworkConnection } from "hardhat/types/network";
import { makeTrapdoor, makeVerifyingKey } from "./groth16Simulator.ts";
import { scalarsFrom } from "./randomScalars.ts";
import { SIGNAL_COUNT, versionParams } from "./settlementFixture.ts";

/** A sound key whose discrete logarithms are known, and a version that it belongs to. */
export const KEY_TRAPDOOR = makeTrapdoor({
  signalCount: SIGNAL_COUNT,
  random: scalarsFrom("registry"),
});
export const GOOD_KEY = makeVerifyingKey(KEY_TRAPDOOR);
export const GOOD_PARAMS = versionParams({ verifyingKey: GOOD_KEY });

/** A registry with one model that has no version yet. */
export async function deployRegistry({ ethers }: NetworkConnection) {
  const [owner, other] = await ethers.getSigners();
  if (owner === undefined || other === undefined) throw new Error("no accounts");
  const registry = await ethers.deployContract("ModelRegistry", owner);
  await registry.registerModel("model");
  const modelId = computeModelId({ owner: owner.address, slug: "model" });
  return { owner, other, registry, modelId };
}
export type RegistryFixture = Awaited<ReturnType<typeof deployRegistry>>;
