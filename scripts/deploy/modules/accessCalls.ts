import { ACCESS_TABLE } from "@haca/protocol/accessTable";
import { ROLES } from "@haca/protocol/roles";
import type {
  CallableContractFuture,
  Future,
  IgnitionModuleBuilder,
} from "@nomicfoundation/ignition-core";
import { id } from "ethers";

export const selectorOf = (signature: string): string => id(signature).slice(0, 10);

/** Writes the rules of some contracts from the access table into the AccessManager, one call per contract and role. */
export function accessCalls(parameters: {
  module: IgnitionModuleBuilder;
  accessManager: CallableContractFuture<string>;
  /** by the names that the table uses */
  contracts: Readonly<Record<string, CallableContractFuture<string>>>;
  /** what has to happen while the functions are still the administrator's */
  after?: Future[];
}): Future[] {
  const { module, accessManager, contracts, after = [] } = parameters;
  return ACCESS_TABLE.flatMap(({ contract, role, functions }) => {
    const target = contracts[contract];
    if (target === undefined) return [];
    return module.call(
      accessManager,
      "setTargetFunctionRole",
      [target, functions.map(selectorOf), ROLES[role]],
      { id: `access_${contract}_${role}`, after },
    );
  });
}
