import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { PERMIT2_ADDRESS, x402UptoPermit2ProxyAddress } from "@x402/evm";

const FOLDER = join(import.meta.dirname, "upto");
const NAMES = { Permit2StandIn: PERMIT2_ADDRESS, UptoProxyStandIn: x402UptoPermit2ProxyAddress };
/** JSON of the genuine codes by their addresses, for who has them: they are not the project's to keep. */
const GENUINE = process.env.HACA_UPTO_CODES;

/** Whether the codes are the genuine ones. */
export const areGenuine = GENUINE !== undefined;

type Solc = { compile(input: string): string };

/** Codes of Permit2 and of x402's proxy for `upto`, by their addresses: stand-ins, unless the genuine ones are given. */
export function uptoCodes(): Readonly<Record<string, string>> {
  if (GENUINE !== undefined) return JSON.parse(readFileSync(GENUINE, "utf8"));
  const solc = createRequire(import.meta.url)("solc") as Solc;
  const sources = readdirSync(FOLDER).map((name) => {
    return [name, { content: readFileSync(join(FOLDER, name), "utf8") }] as const;
  });
  const settings = {
    ...{ evmVersion: "osaka", optimizer: { enabled: true, runs: 200 } },
    outputSelection: { "*": { "*": ["evm.deployedBytecode.object"] } },
  };
  const input = { language: "Solidity", sources: Object.fromEntries(sources), settings };
  const { contracts } = JSON.parse(solc.compile(JSON.stringify(input)));
  return Object.fromEntries(
    Object.entries(NAMES).map(([name, address]) => {
      return [address, `0x${contracts[`${name}.sol`][name].evm.deployedBytecode.object}`];
    }),
  );
}
