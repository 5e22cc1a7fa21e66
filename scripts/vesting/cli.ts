/** `npm run vesting -- table|status|release|chart`: the allocation table and its grants. */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { addressBookPath, readAddressBook } from "@haca/protocol/addressBook";
import { ALLOCATIONS, DEFAULT_TGE, OPG_UNIT, vestingPeriod } from "@haca/protocol/allocations";
import { BaseError } from "@haca/protocol/baseError";
import { type Contract, formatUnits } from "ethers";
import { connect, firstLine } from "../deploy/connect.ts";
import { reportFailure } from "../lib/reportFailure.ts";
import { formatTable } from "../lib/table.ts";
import { vestingChart } from "./chart.ts";

const HELP = `The allocation table and its grants.

usage: npm run vesting -- table                     amounts and times of every allocation
       npm run vesting -- status [<beneficiary>]    what is vested, paid and to come, of all grants or one's
       npm run vesting -- release <vault>           pays what is vested; anyone may
       npm run vesting -- chart <file.svg>          the unlock schedule as a picture

  --network  for status and release (default localhost)
  --account  which of the network's accounts pays the gas (default 0)`;

const date = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 19);
const tokens = (amount: bigint): string => (amount / OPG_UNIT).toLocaleString("en");

function table(): void {
  const rows = ALLOCATIONS.map((allocation) => {
    const { start, end } = vestingPeriod({ allocation, tge: DEFAULT_TGE });
    const isVesting = end > start;
    return [
      allocation.name,
      tokens(allocation.amount),
      tokens(allocation.tgeAmount),
      isVesting ? date(start) : "at once",
      isVesting ? date(end) : "",
      isVesting ? String(start) : "",
      isVesting ? String(end) : "",
    ];
  });
  const sum = (pick: (allocation: (typeof ALLOCATIONS)[number]) => bigint): string =>
    tokens(ALLOCATIONS.reduce((total, allocation) => total + pick(allocation), 0n));
  rows.push([
    "Sum",
    sum(({ amount }) => amount),
    sum(({ tgeAmount }) => tgeAmount),
    "",
    "",
    "",
    "",
  ]);
  console.log(`token generation event ${date(DEFAULT_TGE)} UTC (${DEFAULT_TGE})\n`);
  console.log(
    formatTable({
      columns: ["allocation", "OPG", "at the event", "accrues from", "to", "from (s)", "to (s)"],
      rows,
    }),
  );
}

async function onChain(options: {
  network: string;
  account: string;
  positionals: string[];
}): Promise<void> {
  const [command, text] = options.positionals;
  const { connection, chainId } = await connect(options.network);
  try {
    const { grants = [] } = readAddressBook(addressBookPath(chainId));
    const signer = (await connection.ethers.getSigners())[Number(options.account)];
    const vaultAt = async (address: string): Promise<Contract> =>
      (await connection.ethers.getContractAt(
        "VestingVault",
        address,
        signer,
      )) as unknown as Contract;
    const same = (a: string, b = ""): boolean => a.toLowerCase() === b.toLowerCase();

    if (command === "release") {
      if (!grants.some(({ vault }) => same(vault, text))) {
        throw new BaseError({
          code: "vesting.unknownVault",
          message: `${text} is no vault of the address book: npm run vesting -- status`,
        });
      }
      const vault = await vaultAt(text ?? "");
      const before = await vault.getFunction("releasable")();
      const receipt = await (await vault.getFunction("release")()).wait();
      const receiver = await vault.getFunction("beneficiary")();
      console.log(
        `about ${formatUnits(before, 18)} OPG to ${receiver}, transaction ${receipt.hash}`,
      );
      return;
    }
    const rows: string[][] = [];
    for (const grant of grants) {
      const vault = await vaultAt(grant.vault);
      const read = (view: string) => vault.getFunction(view)();
      const receiver: string = await read("beneficiary");
      if (text !== undefined && !same(receiver, text)) continue;
      const next = Number(await read("nextUnlock"));
      const [releasable, released] = [await read("releasable"), await read("released")];
      rows.push([
        grant.allocation,
        grant.vault,
        receiver,
        tokens(BigInt(grant.total)),
        tokens(releasable + released),
        tokens(released),
        tokens(releasable),
        next === 0 ? "never" : date(next),
      ]);
    }
    console.log(
      formatTable({
        columns: [
          ...["allocation", "vault", "beneficiary", "OPG", "vested", "paid", "releasable"],
          "next unlock",
        ],
        rows,
      }),
    );
  } catch (cause) {
    if (cause instanceof BaseError) throw cause;
    throw new BaseError({ code: "vesting.refused", message: firstLine(cause), cause });
  } finally {
    await connection.close();
  }
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      network: { type: "string", default: "localhost" },
      account: { type: "string", default: "0" },
      help: { type: "boolean", default: false },
    },
  });
  const [command, file] = positionals;
  if (values.help || command === undefined) console.log(HELP);
  else if (command === "table") table();
  else if (command === "status" || command === "release") await onChain({ ...values, positionals });
  else if (command === "chart" && file !== undefined) {
    writeFileSync(file, vestingChart({ tge: DEFAULT_TGE }));
    console.log(`written to ${file}`);
  } else {
    throw new BaseError({
      code: "vesting.badOption",
      message: `expected table, status, release <vault> or chart <file>, got ${positionals.join(" ")}`,
    });
  }
}

main().catch(reportFailure);
