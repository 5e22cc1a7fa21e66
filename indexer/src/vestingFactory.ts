import { vestingGrant } from "ponder:schema";
import { orNull } from "./columns.ts";
import { isIndexed } from "./isIndexed.ts";
import { on } from "./on.ts";

/** Names of `IVestingVault.Transferability`, by number. */
const TRANSFERABILITIES = ["fixed", "transferable", "redirectableOnce"] as const;

if (isIndexed("VestingFactory")) {
  indexGrants();
}

function indexGrants(): void {
  on("VestingFactory:GrantCreated", async ({ event, context }) => {
    const { vault, beneficiary, funder, terms } = event.args;
    const transferability = TRANSFERABILITIES[terms.transferability];
    if (transferability === undefined) {
      throw new RangeError(`transferability of ${vault} is ${terms.transferability}`);
    }
    await context.db.insert(vestingGrant).values({
      ...{ vault, funder, beneficiary, originalBeneficiary: beneficiary, transferability },
      total: terms.total,
      tgeAmount: terms.tgeAmount,
      tge: BigInt(terms.tge),
      start: BigInt(terms.start),
      end: BigInt(terms.end),
      revoker: orNull(terms.revoker),
      refundTo: orNull(terms.refundTo),
      released: 0n,
      createdAt: event.block.timestamp,
      transactionHash: event.transaction.hash,
    });
  });
}
