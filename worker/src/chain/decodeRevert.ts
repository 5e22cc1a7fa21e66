import { AbiCoder, dataSlice } from "ethers";
import { registryInterface, settlementInterface } from "./chain.ts";

const ERROR_STRING = "0x08c379a0";
const PANIC = "0x4e487b71";

/** Why a call reverted: the name of the custom error, and one line with its arguments. */
export type Revert = { name: string; message: string };

/** Decodes the data of a revert by the contracts' own errors. */
export function decodeRevert(data: string | null | undefined): Revert {
  if (data === null || data === undefined || data === "0x") {
    return { name: "unknown", message: "reverted without a reason" };
  }
  for (const abi of [settlementInterface, registryInterface]) {
    const error = abi.parseError(data);
    if (error === null) continue;
    const values = error.fragment.inputs.map(
      (input, index) => `${input.name}: ${String(error.args[index])}`,
    );
    return { name: error.name, message: `${error.name}(${values.join(", ")})` };
  }
  if (data.startsWith(ERROR_STRING)) {
    const [reason] = AbiCoder.defaultAbiCoder().decode(["string"], dataSlice(data, 4));
    return { name: "Error", message: String(reason) };
  }
  if (data.startsWith(PANIC)) {
    const [code] = AbiCoder.defaultAbiCoder().decode(["uint256"], dataSlice(data, 4));
    return { name: "Panic", message: `panic ${String(code)}` };
  }
  return { name: "unknown", message: `reverted with ${data.slice(0, 74)}` };
}
