import { ACCESS_TABLE } from "@haca/protocol/accessTable";
import type { AddressBook } from "@haca/protocol/addressBook";
import { ROLES } from "@haca/protocol/roles";
import type { Contract } from "ethers";
import { selectorOf } from "../modules/accessCalls.ts";
import { type Finding, finding } from "./finding.ts";

/**
 * Which role each restricted function needs. Rules of the core are written by
 * the hand-over, so they are looked at only after one.
 */
export async function checkAccessRules(parameters: {
  book: AddressBook;
  getContract: (name: string, address: string) => Promise<Contract>;
}): Promise<Finding[]> {
  const { book, getContract } = parameters;
  const { AccessManager, TEERegistry, TimelockController } = book.contracts;
  if (TEERegistry === undefined && TimelockController === undefined) return [];
  const manager = await getContract("AccessManager", AccessManager.address);
  const findings: Finding[] = [];
  for (const { contract, role, functions } of ACCESS_TABLE) {
    if (contract === "InferenceSettlement" && TimelockController === undefined) continue;
    const target = book.contracts[contract as keyof AddressBook["contracts"]]?.address;
    if (target === undefined) continue;
    for (const signature of functions) {
      const actual = await manager.getFunction("getTargetFunctionRole")(
        target,
        selectorOf(signature),
      );
      findings.push(finding(`${contract}.${signature} needs role`, ROLES[role], actual));
    }
  }
  return findings;
}
