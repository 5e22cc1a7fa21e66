import { registryInterface, settlementInterface } from "./chain.ts";

/** Why a call reverted: the name of the error, and one line with its arguments. */
export type Revert = { name: string; message: string };

/** Decodes the data of a revert: the contracts' own errors, `Error(string)` and `Panic(uint256)`. */
export function decodeRevert(data: string | null | undefined): Revert {
  if (data === null || data === undefined || data === "0x") {
    return { name: "unknown", message: "reverted without a reason" };
  }
  for (const abi of [settlementInterface, registryInterface]) {
    const error = abi.parseError(data);
    if (error === null) continue;
    const values = error.fragment.inputs.map(({ name }, index) => {
      const value = String(error.args[index]);
      return name === "" ? value : `${name}: ${value}`;
    });
    return { name: error.name, message: `${error.name}(${values.join(", ")})` };
  }
  return { name: "unknown", message: `reverted with ${data.slice(0, 74)}` };
}
