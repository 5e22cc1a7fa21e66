/** `npm run airdrop -- build|proof|status`: the airdrop's tree, from a CSV file. */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { addressBookPath, readAddressBook } from "@haca/protocol/addressBook";
import {
  type AirdropEntry,
  airdropProof,
  airdropRoot,
  buildAirdropTree,
} from "@haca/protocol/airdropTree";
import { ALLOCATIONS } from "@haca/protocol/allocations";
import { BaseError } from "@haca/protocol/baseError";
import { type Contract, formatUnits } from "ethers";
import { connect } from "../deploy/connect.ts";
import { reportFailure } from "../lib/reportFailure.ts";
import { readAirdropCsv } from "./readAirdropCsv.ts";

const HELP = `The airdrop's tree, from a CSV file with the columns address,amount (OPG).

usage: npm run airdrop -- build <file.csv> [--out <tree.json>]   checks the rows, prints root and sum
       npm run airdrop -- proof <file.csv> <address>             what an account needs to claim, as JSON
       npm run airdrop -- status <file.csv> [--network <name>]   what is claimed on the chain`;

const sumOf = (entries: readonly AirdropEntry[]): bigint =>
  entries.reduce((sum, { amount }) => sum + amount, 0n);

function build(file: string, out: string | undefined): void {
  const entries = readAirdropCsv(file);
  const tree = buildAirdropTree(entries);
  const sum = sumOf(entries);
  console.log(`${entries.length} claims, ${formatUnits(sum, 18)} OPG, root ${airdropRoot(tree)}`);
  const allocation = ALLOCATIONS.find(({ name }) => name === "Airdrop")?.amount ?? 0n;
  if (sum !== allocation) {
    console.log(
      `the allocation has ${formatUnits(allocation, 18)} OPG: a deployment refuses any other sum`,
    );
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

function proof(file: string, account: string): void {
  const entries = readAirdropCsv(file);
  const index = entries.findIndex((entry) => entry.account.toLowerCase() === account.toLowerCase());
  const entry = entries[index];
  if (entry === undefined) {
    throw new BaseError({
      code: "airdrop.unknownAccount",
      message: `${account} is not in ${file}`,
    });
  }
  const tree = buildAirdropTree(entries);
  console.log(
    JSON.stringify(
      {
        ...{ index, account: entry.account, amount: String(entry.amount) },
        proof: airdropProof({ tree, index }),
      },
      null,
      2,
    ),
  );
}

async function status(file: string, network: string): Promise<void> {
  const entries = readAirdropCsv(file);
  const { connection, chainId } = await connect(network);
  try {
    const entry = readAddressBook(addressBookPath(chainId)).contracts.MerkleAirdrop;
    if (entry === undefined) {
      throw new BaseError({
        code: "airdrop.notDeployed",
        message: `chain ${chainId} has no airdrop`,
      });
    }
    const airdrop = (await connection.ethers.getContractAt(
      "MerkleAirdrop",
      entry.address,
    )) as unknown as Contract;
    const root = airdropRoot(buildAirdropTree(entries));
    const deployed: string = await airdrop.getFunction("root")();
    if (root !== deployed) {
      throw new BaseError({
        code: "airdrop.otherTree",
        message: `${file} has root ${root}, the airdrop of chain ${chainId} has ${deployed}`,
      });
    }
    const claimed: AirdropEntry[] = [];
    for (let word = 0; word * 256 < entries.length; word += 1) {
      const bitmap: bigint = await airdrop.getFunction("claimedBitmap")(word);
      entries.slice(word * 256, word * 256 + 256).forEach((candidate, bit) => {
        if ((bitmap >> BigInt(bit)) & 1n) claimed.push(candidate);
      });
    }
    const deadline = Number(await airdrop.getFunction("deadline")());
    console.log(
      `${claimed.length} of ${entries.length} claimed, ${formatUnits(sumOf(claimed), 18)} of ` +
        `${formatUnits(sumOf(entries), 18)} OPG; ends ${new Date(deadline * 1000).toISOString()}`,
    );
  } finally {
    await connection.close();
  }
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      network: { type: "string", default: "localhost" },
      out: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  const [command, file, account] = positionals;
  if (values.help || command === undefined) console.log(HELP);
  else if (command === "build" && file !== undefined) build(file, values.out);
  else if (command === "proof" && file !== undefined && account !== undefined) proof(file, account);
  else if (command === "status" && file !== undefined) await status(file, values.network);
  else {
    throw new BaseError({
      code: "airdrop.badOption",
      message: `expected build, proof or status with a CSV file, got ${positionals.join(" ")}`,
    });
  }
}

main().catch(reportFailure);
