import { writeFileSync } from "node:fs";
import {
  type AirdropEntry,
  airdropProof,
  airdropRoot,
  buildAirdropTree,
} from "@haca/protocol/airdropTree";
import { ALLOCATIONS } from "@haca/protocol/allocations";
import { BaseError } from "@haca/protocol/baseError";
import { formatUnits } from "ethers";
import { readAirdropCsv } from "../../lib/readAirdropCsv.ts";

export const sumOf = (entries: readonly AirdropEntry[]): bigint =>
  entries.reduce((sum, { amount }) => sum + amount, 0n);

/** Checks a file and writes its tree. Errors: those of `readAirdropCsv`, `airdrop.wrongSum`. */
export function build(parameters: { file: string; out?: string }): void {
  const { file, out } = parameters;
  const entries = readAirdropCsv(file);
  const tree = buildAirdropTree(entries);
  const sum = sumOf(entries);
  console.log(`${entries.length} claims, ${formatUnits(sum, 18)} OPG`);
  console.log(`root ${airdropRoot(tree)}`);
  const allocation = ALLOCATIONS.find(({ name }) => name === "Airdrop")?.amount ?? 0n;
  if (sum !== allocation) {
    throw new BaseError({
      code: "airdrop.wrongSum",
      message: `${file} sums to ${formatUnits(sum, 18)} OPG, the allocation has ${formatUnits(allocation, 18)}; a deployment refuses any other sum, and nothing was written`,
    });
  }
  if (out === undefined) return;
  const claims = entries.map(({ account, amount }, index) => ({
    index,
    account,
    amount: String(amount),
  }));
  writeFileSync(
    out,
    `${JSON.stringify({ root: airdropRoot(tree), total: String(sum), claims, nodes: tree.nodes }, null, 1)}\n`,
  );
  console.log(`written to ${out}`);
}

/** A claim with its proof. Error: `airdrop.unknownAccount`. */
export function claimOf(parameters: { file: string; address: string }) {
  const { file, address } = parameters;
  const entries = readAirdropCsv(file);
  const index = entries.findIndex((entry) => entry.account.toLowerCase() === address.toLowerCase());
  const entry = entries[index];
  if (entry === undefined) {
    throw new BaseError({
      code: "airdrop.unknownAccount",
      message: `${address} is not in ${file}`,
    });
  }
  const tree = buildAirdropTree(entries);
  return { index, ...entry, proof: airdropProof({ tree, index }), root: airdropRoot(tree) };
}

export function proof(parameters: { file: string; address: string }): void {
  const { index, account, amount, proof: path } = claimOf(parameters);
  console.log(JSON.stringify({ index, account, amount: String(amount), proof: path }, null, 2));
}
