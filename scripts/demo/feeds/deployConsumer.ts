import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { Contract, ContractFactory, type Signer } from "ethers";
import { PROJECT_ROOT } from "../../lib/projectRoot.ts";

const SOURCE = "examples/FeedConsumer.sol";
const NAME = "FeedConsumer";
const INTERFACE = "contracts/interfaces/AggregatorV3Interface.sol";

/** The example's one function. */
export type Consumer = { price: { (): Promise<bigint>; estimateGas: () => Promise<bigint> } };
type Compiler = { compile: (input: string) => string };
type Output = {
  errors?: { severity: string; formattedMessage: string }[];
  contracts?: Record<string, Record<string, { abi: []; evm: { bytecode: { object: string } } }>>;
};

/** Compiles the example of a consumer, which is no part of a deployment, and creates it for a feed's reader. */
export async function deployConsumer(parameters: {
  owner: Signer;
  reader: string;
  maximumAge: bigint;
}): Promise<Consumer> {
  const { maximumAge, owner, reader } = parameters;
  // The compiler's own package has no types.
  const solc = createRequire(import.meta.url)("solc") as Compiler;
  const read = (path: string) => ({ content: readFileSync(join(PROJECT_ROOT, path), "utf8") });
  const input = {
    language: "Solidity",
    sources: { [SOURCE]: read(SOURCE), [INTERFACE]: read(INTERFACE) },
    settings: {
      optimizer: { enabled: true },
      outputSelection: { "*": { [NAME]: ["abi", "evm.bytecode.object"] } },
    },
  };
  const output: Output = JSON.parse(solc.compile(JSON.stringify(input)));
  const compiled = output.contracts?.[SOURCE]?.[NAME];
  if (compiled === undefined) {
    const error = output.errors?.find(({ severity }) => severity === "error");
    throw new BaseError({
      code: "demo.notCompiled",
      message: `${SOURCE} does not compile: ${error?.formattedMessage ?? "no output"}`,
    });
  }
  const { abi, evm } = compiled;
  const created = await new ContractFactory(abi, evm.bytecode.object, owner).deploy(
    ...([reader, maximumAge] as const),
  );
  await created.waitForDeployment();
  return new Contract(await created.getAddress(), abi, owner) as unknown as Consumer;
}
