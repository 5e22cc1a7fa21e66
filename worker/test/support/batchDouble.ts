import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { JsonRpcProvider } from "ethers";

const { compile }: { compile: (input: string) => string } = createRequire(import.meta.url)("solc");
const NAME = "BatchDouble";
const SOURCE = join(import.meta.dirname, `${NAME}.sol`);
/** Where the contract looks for the settlement's own code. */
const CODE = "0x000000000000000000000000000000000000c0de";

type Output = {
  errors?: { severity: string; formattedMessage: string }[];
  contracts?: Record<string, Record<string, { evm: { deployedBytecode: { object: string } } }>>;
};

function compileDouble(): string {
  const input = {
    language: "Solidity",
    sources: { [NAME]: { content: readFileSync(SOURCE, "utf8") } },
    settings: { outputSelection: { "*": { "*": ["evm.deployedBytecode.object"] } } },
  };
  const { contracts, errors = [] } = JSON.parse(compile(JSON.stringify(input))) as Output;
  const fault = errors.find(({ severity }) => severity === "error");
  if (fault !== undefined) throw new Error(fault.formattedMessage);
  return `0x${contracts?.[NAME]?.[NAME]?.evm.deployedBytecode.object}`;
}

/** Lets a settlement contract on an Anvil settle batches: see `BatchDouble.sol`. */
export async function installBatchDouble(parameters: {
  provider: JsonRpcProvider;
  settlement: string;
}): Promise<void> {
  const { provider, settlement } = parameters;
  await provider.send("anvil_setCode", [CODE, await provider.getCode(settlement)]);
  await provider.send("anvil_setCode", [settlement, compileDouble()]);
}
