import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Subject } from "./collect.ts";
import { identifierOf } from "./service.ts";

/**
 * For a verification by hand: each contract's standard JSON, and a table of what an explorer's form asks for. The
 * input is the whole compilation's, to the byte: with fewer sources the compiler may number, and so order, things
 * differently.
 */
export function writeFiles(parameters: {
  folder: string;
  chainId: number;
  subjects: readonly Subject[];
}): void {
  const { folder, chainId, subjects } = parameters;
  mkdirSync(folder, { recursive: true });
  const table = subjects.map((subject) => {
    const { contract, address, constructorArguments, transaction } = subject;
    const file = `${contract.name}.json`;
    writeFileSync(join(folder, file), JSON.stringify(contract.buildInput));
    return {
      name: contract.name,
      address,
      file,
      contract: identifierOf(subject),
      compiler: `v${contract.compilerVersion}`,
      constructorArguments: constructorArguments.slice(2),
      creationTransaction: transaction,
    };
  });
  writeFileSync(
    join(folder, "contracts.json"),
    `${JSON.stringify({ chainId, contracts: table }, null, 2)}\n`,
  );
}
