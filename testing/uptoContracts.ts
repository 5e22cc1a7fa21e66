import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { COMMERCE_DEPLOYMENTS } from "@haca/protocol/commercePayments";
import {
  BATCH_SETTLEMENT_ADDRESS,
  ERC3009_DEPOSIT_COLLECTOR_ADDRESS,
  PERMIT2_ADDRESS,
  x402UptoPermit2ProxyAddress,
} from "@x402/evm";

const ROOT = join(import.meta.dirname, "..");
/** Their names in what the compiler is given are paths from the root, so that it resolves imports as Hardhat does. */
const FOLDER = "testing/upto";
const NAMES: readonly (readonly [name: string, address: string])[] = [
  ["Permit2StandIn", PERMIT2_ADDRESS],
  ["UptoProxyStandIn", x402UptoPermit2ProxyAddress],
  ["BatchSettlementStandIn", BATCH_SETTLEMENT_ADDRESS],
  ["Erc3009CollectorStandIn", ERC3009_DEPOSIT_COLLECTOR_ADDRESS],
  ...COMMERCE_DEPLOYMENTS.flatMap(
    ({ version, escrow, erc3009Collector, permit2Collector }) =>
      [
        [version === "1.0" ? "CommerceEscrowV10StandIn" : "CommerceEscrowStandIn", escrow],
        ["CommerceErc3009StandIn", erc3009Collector],
        ["CommercePermit2StandIn", permit2Collector],
      ] as const,
  ),
];
/** JSON of the genuine codes by their addresses, for who has them: they are not the project's to keep. */
const GENUINE = process.env.HACA_UPTO_CODES;

/** Whether the codes are the genuine ones. */
export const areGenuine = GENUINE !== undefined;

type Solc = {
  compile(input: string, callbacks: { import: (path: string) => { contents: string } }): string;
};

/**
 * Codes of Permit2, of x402's proxy for `upto`, of its contract of channels and of what collects deposits by EIP-3009 for it,
 * and of the public escrow of commerce payments with its collectors, by their addresses: stand-ins, unless the genuine ones are given.
 */
export const uptoCodes = (): Readonly<Record<string, string>> =>
  GENUINE === undefined ? standInCodes() : JSON.parse(readFileSync(GENUINE, "utf8"));

/** Of this process: compiling them takes seconds. */
let compiled: Readonly<Record<string, string>> | undefined;

/** Stand-ins of them all, whatever is given. */
export function standInCodes(): Readonly<Record<string, string>> {
  compiled ??= compileStandIns();
  return compiled;
}

function compileStandIns(): Readonly<Record<string, string>> {
  const solc = createRequire(import.meta.url)("solc") as Solc;
  const sources = readdirSync(join(ROOT, FOLDER)).map((name) => {
    return [
      `${FOLDER}/${name}`,
      { content: readFileSync(join(ROOT, FOLDER, name), "utf8") },
    ] as const;
  });
  const wanted = { "*": ["evm.deployedBytecode.object"] };
  const settings = {
    ...{ evmVersion: "osaka", optimizer: { enabled: true, runs: 200 } },
    outputSelection: Object.fromEntries(sources.map(([path]) => [path, wanted])),
  };
  const input = { language: "Solidity", sources: Object.fromEntries(sources), settings };
  const { contracts } = JSON.parse(solc.compile(JSON.stringify(input), { import: imported }));
  return Object.fromEntries(
    NAMES.map(([name, address]) => {
      const { evm } = contracts[`${FOLDER}/${name}.sol`][name];
      return [address, `0x${evm.deployedBytecode.object}`];
    }),
  );
}

/** Of a package, or of this repository by its path from the root. */
const imported = (path: string): { contents: string } => ({
  contents: readFileSync(
    join(ROOT, path.startsWith("@") ? join("node_modules", path) : path),
    "utf8",
  ),
});
