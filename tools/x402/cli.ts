/** `npm run x402`: what payments into the escrow and by channels go through, on a local chain. */
import { createProgram, runProgram } from "../../scripts/lib/program.ts";

const program = createProgram({
  name: "x402",
  summary: "Permit2 and x402's contracts: on a local chain, and their genuine codes from source.",
});

program
  .command("place", { isDefault: true })
  .description(
    "Puts Permit2, x402's proxy of the scheme upto, its contract of channels and the public escrow of commerce payments at their addresses on a local chain, before `npm run deploy` there. Stand-ins, but for the genuine codes in the file that HACA_UPTO_CODES names.",
  )
  .option("--rpc-url <url>", "of the local chain, Hardhat's or Anvil's", "http://127.0.0.1:8545")
  .action(async ({ rpcUrl }: { rpcUrl: string }) => {
    const { placeCodes } = await import("./placeCodes.ts");
    await placeCodes(rpcUrl);
  });

program
  .command("build")
  .description(
    "Compiles the genuine codes from a checkout of x402's repository with its submodules, checks that they are what lies at the published addresses, and writes the file for HACA_UPTO_CODES. Fetches the compilers by npm.",
  )
  .requiredOption("--sources <folder>", "checkout of x402, cloned with --recurse-submodules")
  .option("--out <file>", "what is written", "data/x402/codes.json")
  .option("--compilers <folder>", "where compilers are kept", "data/x402/compilers")
  .action(async (options: { sources: string; out: string; compilers: string }) => {
    const { buildCodes } = await import("./build/buildCodes.ts");
    await buildCodes(options);
  });

// Without a verb the codes are placed, also where no option is given.
const words = process.argv.slice(2);
await runProgram(program, words.length === 0 ? ["place"] : words);
