import { vestingGrant } from "ponder:schema";
import { orNull } from "./columns.ts";
import { isIndexed } from "./isIndexed.ts";
import { on } from "./on.ts";

if (isIndexed("VestingFactory")) {
  indexVaults();
}

function indexVaults(): void {
  on("VestingVault:Revoked", async ({ event, context }) => {
    await context.db.update(vestingGrant, { vault: event.log.address }).set({
      revokedAt: event.block.timestamp,
      refund: event.args.refund,
      revocationBlock: event.block.number,
      revocationLogIndex: event.log.logIndex,
    });
  });

  on("VestingVault:BeneficiaryTransferStarted", async ({ event, context }) => {
    await context.db
      .update(vestingGrant, { vault: event.log.address })
      .set({ pendingBeneficiary: orNull(event.args.pending) });
  });

  on("VestingVault:BeneficiaryTransferred", async ({ event, context }) => {
    await context.db
      .update(vestingGrant, { vault: event.log.address })
      .set({ beneficiary: event.args.current, pendingBeneficiary: null });
  });
}
