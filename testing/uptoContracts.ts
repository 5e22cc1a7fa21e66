import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { PERMIT2_COLLECTOR_ADDRESS } from "@haca/protocol/channelGates";
import { COMMERCE_DEPLOYMENTS } from "@haca/protocol/commerceEscrows";
import {
  BATCH_SETTLEMENT_ADDRESS,
  ERC3009_DEPOSIT_COLLECTOR_ADDRESS,
  PERMIT2_ADDRESS,
  x402UptoPermit2ProxyAddress,
} from "@x402/evm";

const ROOT = join(import.meta.dirname, "..");
/** Their names in what the compiler is given are paths from the root, so that it resolves imports as Hardhat does. */
const FOLDER = "testing/upto";
type Names = readonly (readonly [name: string, address: string])[];
const X402_NAMES: Names = [
  ["Permit2StandIn", PERMIT2_ADDRESS],
  ["UptoProxyStandIn", x402UptoPermit2ProxyAddress],
  ["BatchSettlementStandIn", BATCH_SETTLEMENT_ADDRESS],
  ["Erc3009CollectorStandIn", ERC3009_DEPOSIT_COLLECTOR_ADDRESS],
];
/** Files of genuine codes need not have it. */
const LATER_NAMES: Names = [["Permit2CollectorStandIn", PERMIT2_COLLECTOR_ADDRESS]];
const COMMERCE_NAMES: Names = COMMERCE_DEPLOYMENTS.flatMap(
  ({ version, escrow, erc3009Collector, permit2Collector }) =>
    [
      [version === "1.0" ? "CommerceEscrowV10StandIn" : "CommerceEscrowStandIn", escrow],
      ["CommerceErc3009StandIn", erc3009Collector],
      ["CommercePermit2StandIn", permit2Collector],
    ] as const,
);
/** JSON of the genuine codes by their addresses, which `npm run x402 -- build` makes: they are not the project's to keep. */
const GENUINE = process.env.HACA_UPTO_CODES || undefined;

/** Whether those of Permit2 and x402 are the genuine ones. */
export const areGenuine = GENUINE !== undefined;

type Solc = {
  compile(input: string, callbacks: { import: (path: string) => { contents: string } }): string;
};

/** Codes of a file. @throws BaseError `x402.badCodes` */
export function readCodes(path: string): Readonly<Record<string, string>> {
  const refused = (why: string, cause?: unknown) =>
    new BaseError({ code: "x402.badCodes", message: `HACA_UPTO_CODES: ${path}: ${why}`, cause });
  let codes: unknown;
  try {
    codes = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw refused("cannot be read as JSON", cause);
  }
  if (typeof codes !== "object" || codes === null) throw refused("not an object of codes");
  for (const [address, code] of Object.entries(codes)) {
    if (!/^0x[0-9a-f]{40}$/i.test(address)) throw refused(`${address} is no address`);
    if (!/^0x([0-9a-f]{2})+$/i.test(String(code))) {
      throw refused(`the code of ${address} is not hex`);
    }
  }
  for (const [name, address] of X402_NAMES) {
    const what = name.replace("StandIn", "");
    if (!(address in codes)) throw refused(`no code of ${address} (${what})`);
  }
  return codes as Record<string, string>;
}

/**
 * Codes of Permit2, of x402's proxy for `upto`, of its contract of channels and of what collects deposits by EIP-3009 and Permit2 for it,
 * and of the public escrow of commerce payments with its collectors, by their addresses: stand-ins, but for the genuine ones
 * that are given.
 */
export const uptoCodes = (): Readonly<Record<string, string>> => ({
  ...standInCodes(),
  ...genuineCodes(),
});

/** The genuine ones that are given; at least x402's and Permit2's, or none. */
export const genuineCodes = (): Readonly<Record<string, string>> =>
  GENUINE === undefined ? {} : readCodes(GENUINE);

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
    [...X402_NAMES, ...LATER_NAMES, ...COMMERCE_NAMES].map(([name, address]) => {
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
