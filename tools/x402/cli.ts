/** `npm run x402 -- --rpc-url <url>`: what payments into the escrow and by channels go through, on a local chain. */
import { createProgram, runProgram } from "../../scripts/lib/program.ts";

await runProgram(
  createProgram({
    name: "x402",
    summary:
      "Puts Permit2, x402's proxy of the scheme upto and its contract of channels at their addresses on a local chain, before `npm run deploy` there.",
  })
    .option("--rpc-url <url>", "of the local chain, Hardhat's or Anvil's", "http://127.0.0.1:8545")
    .action(async ({ rpcUrl }: { rpcUrl: string }) => {
      const { placeCodes } = await import("./placeCodes.ts");
      await placeCodes(rpcUrl);
    }),
);
