import type { AddressBook } from "@haca/protocol/addressBook";
import type { Provider } from "ethers";
import type { Creation } from "../plan/runModule.ts";
import { describeContract } from "./describeContract.ts";

/** The core contracts' entries in the address book. */
export async function describeCore(parameters: {
  provider: Provider;
  creations: ReadonlyMap<string, Creation>;
  deployer: string;
  settlementWindow: number;
  accessManager: string;
  modelRegistry: string;
  inferenceSettlement: string;
}): Promise<
  Pick<AddressBook["contracts"], "AccessManager" | "ModelRegistry" | "InferenceSettlement">
> {
  const { accessManager, modelRegistry, inferenceSettlement, settlementWindow, deployer } =
    parameters;
  const entry = (address: string, constructorArguments: string[]) =>
    describeContract({ ...parameters, address, constructorArguments });
  return {
    AccessManager: await entry(accessManager, [deployer]),
    ModelRegistry: await entry(modelRegistry, []),
    InferenceSettlement: await entry(inferenceSettlement, [
      accessManager,
      modelRegistry,
      String(settlementWindow),
    ]),
  };
}
