import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..", "..", "..");

/**
 * A checkout of the public escrow's sources with its submodules, which are not the project's to keep: HACA_COMMERCE_PAYMENTS
 * names its folder, by default it is looked for beside the project.
 */
const FOLDER = process.env.HACA_COMMERCE_PAYMENTS ?? join(ROOT, "..", "commerce-payments");
const SOURCES = {
  AuthCaptureEscrow: "src/AuthCaptureEscrow.sol",
  ERC3009PaymentCollector: "src/collectors/ERC3009PaymentCollector.sol",
  Permit2PaymentCollector: "src/collectors/Permit2PaymentCollector.sol",
} as const;
/** Where what they import lies in the checkout; OpenZeppelin's are this project's. */
const REMAPPED = { "solady/": "lib/solady/src/", "permit2/": "lib/permit2/src/" };

/** Why the genuine contracts cannot be tested against; undefined where they can. */
export const whyNoGenuineCommerce = existsSync(join(FOLDER, SOURCES.AuthCaptureEscrow))
  ? undefined
  : `no sources of the public escrow at ${FOLDER} (HACA_COMMERCE_PAYMENTS)`;

type Compiled = { abi: unknown[]; evm: { bytecode: { object: string } } };
type Solc = {
  compile(input: string, callbacks: { import: (path: string) => { contents: string } }): string;
};

/** ABIs and creation codes of the genuine escrow and of its collectors. */
export function compileGenuineCommerce(): Record<
  keyof typeof SOURCES,
  { abi: unknown[]; bytecode: string }
> {
  const solc = createRequire(import.meta.url)("solc") as Solc;
  const sources = Object.fromEntries(
    Object.values(SOURCES).map((path) => [
      path,
      { content: readFileSync(join(FOLDER, path), "utf8") },
    ]),
  );
  const settings = {
    ...{ evmVersion: "cancun", optimizer: { enabled: true, runs: 200 }, viaIR: true },
    outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
  };
  const input = JSON.stringify({ language: "Solidity", sources, settings });
  const output = JSON.parse(solc.compile(input, { import: imported })) as {
    contracts?: Record<string, Record<string, Compiled>>;
    errors?: { severity: string; formattedMessage: string }[];
  };
  const error = output.errors?.find(({ severity }) => severity === "error");
  if (error !== undefined) throw new Error(error.formattedMessage);
  const compiled = (name: keyof typeof SOURCES) => {
    const found = output.contracts?.[SOURCES[name]]?.[name];
    if (found === undefined) throw new Error(`${SOURCES[name]} has no ${name}`);
    return { abi: found.abi, bytecode: `0x${found.evm.bytecode.object}` };
  };
  return {
    AuthCaptureEscrow: compiled("AuthCaptureEscrow"),
    ERC3009PaymentCollector: compiled("ERC3009PaymentCollector"),
    Permit2PaymentCollector: compiled("Permit2PaymentCollector"),
  };
}

function imported(path: string): { contents: string } {
  const read = (file: string) => ({ contents: readFileSync(file, "utf8") });
  if (path.startsWith("@")) return read(join(ROOT, "node_modules", path));
  for (const [prefix, folder] of Object.entries(REMAPPED)) {
    if (path.startsWith(prefix)) return read(join(FOLDER, folder, path.slice(prefix.length)));
  }
  return read(join(FOLDER, path));
}
