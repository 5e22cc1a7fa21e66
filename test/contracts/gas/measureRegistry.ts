import { computeModelId, computeVersionId } from "@haca/protocol/modelIds";
import { makeTrapdoor, makeVerifyingKey } from "../utils/groth16Simulator.ts";
import { scalarsFrom } from "../utils/randomScalars.ts";
import { SIGNAL_COUNT, versionParams } from "../utils/settlementFixture.ts";
import { gasOf, type Measure } from "./measurement.ts";

const SAMPLES = 3;

/** The registry's transactions, with a key for 4 public signals. */
export const measureRegistry: Measure = async ({ ethers }) => {
  const [owner] = await ethers.getSigners();
  if (owner === undefined) throw new Error("no account");
  const registry = await ethers.deployContract("ModelRegistry", owner);
  await registry.registerModel("the-first-model");

  const samples: Record<string, bigint[]> = {
    "registry.registerModel": [],
    "registry.publishVersion": [],
    "registry.deprecateVersion": [],
  };
  for (let i = 0; i < SAMPLES; i++) {
    const slug = `digits-${i}`;
    const modelId = computeModelId({ owner: owner.address, slug });
    const random = scalarsFrom(`gas ${i}`);
    const verifyingKey = makeVerifyingKey(makeTrapdoor({ signalCount: SIGNAL_COUNT, random }));
    samples["registry.registerModel"]?.push(await gasOf(registry.registerModel(slug)));
    samples["registry.publishVersion"]?.push(
      await gasOf(registry.publishVersion(modelId, versionParams({ verifyingKey }))),
    );
    const versionId = computeVersionId({ modelId, major: 1, minor: 0 });
    samples["registry.deprecateVersion"]?.push(await gasOf(registry.deprecateVersion(versionId)));
  }
  return {
    samples,
    notes: {
      "registry.registerModel": "a slug of 8 characters",
      "registry.publishVersion": "first version of a model, 4 public signals, 3 tensors",
      "registry.deprecateVersion": "one version",
    },
  };
};
