import type { Context } from "ponder:registry";
import { accessFunction, accessMember, accessRole, accessTarget } from "ponder:schema";
import type { Hex } from "viem";
import { on } from "./on.ts";

/** What a role is before anything is said about it. */
const NEW_ROLE = {
  label: "",
  ...{ adminRoleId: 0n, guardianRoleId: 0n, grantDelay: 0n, grantDelaySince: 0n },
};
const NEW_TARGET = { isClosed: false, adminDelay: 0n, adminDelaySince: 0n };

on("AccessManager:RoleGranted", async ({ event, context }) => {
  const { roleId, account, newMember } = event.args;
  const delay = BigInt(event.args.delay);
  const since = BigInt(event.args.since);
  await context.db
    .insert(accessRole)
    .values({ id: roleId, ...NEW_ROLE })
    .onConflictDoNothing();
  const changed = { executionDelay: delay, executionDelaySince: since };
  if (newMember) {
    const member = { since, ...changed, revokedAt: null };
    await context.db
      .insert(accessMember)
      .values({ roleId, account, ...member })
      .onConflictDoUpdate(member);
  } else {
    // A member's new delay: `since` is when that takes effect.
    await context.db.update(accessMember, { roleId, account }).set(changed);
  }
});

on("AccessManager:RoleRevoked", async ({ event, context }) => {
  const { roleId, account } = event.args;
  await context.db
    .update(accessMember, { roleId, account })
    .set({ revokedAt: event.block.timestamp });
});

on("AccessManager:RoleLabel", async ({ event, context }) => {
  const { roleId, label } = event.args;
  await setRole({ context, roleId, changed: { label } });
});

on("AccessManager:RoleAdminChanged", async ({ event, context }) => {
  const { roleId, admin: adminRoleId } = event.args;
  await setRole({ context, roleId, changed: { adminRoleId } });
});

on("AccessManager:RoleGuardianChanged", async ({ event, context }) => {
  const { roleId, guardian: guardianRoleId } = event.args;
  await setRole({ context, roleId, changed: { guardianRoleId } });
});

on("AccessManager:RoleGrantDelayChanged", async ({ event, context }) => {
  const { roleId, delay, since } = event.args;
  const changed = { grantDelay: BigInt(delay), grantDelaySince: BigInt(since) };
  await setRole({ context, roleId, changed });
});

on("AccessManager:TargetFunctionRoleUpdated", async ({ event, context }) => {
  const { target, selector, roleId } = event.args;
  const changed = { roleId, changedAt: event.block.timestamp };
  await context.db
    .insert(accessFunction)
    .values({ target, selector, ...changed })
    .onConflictDoUpdate(changed);
});

on("AccessManager:TargetClosed", async ({ event, context }) => {
  const { target, closed: isClosed } = event.args;
  await setTarget({ context, target, changed: { isClosed } });
});

on("AccessManager:TargetAdminDelayUpdated", async ({ event, context }) => {
  const { target, delay, since } = event.args;
  const changed = { adminDelay: BigInt(delay), adminDelaySince: BigInt(since) };
  await setTarget({ context, target, changed });
});

async function setRole(parameters: {
  context: Context;
  roleId: bigint;
  changed: Partial<typeof NEW_ROLE>;
}): Promise<void> {
  const { context, roleId, changed } = parameters;
  await context.db
    .insert(accessRole)
    .values({ id: roleId, ...NEW_ROLE, ...changed })
    .onConflictDoUpdate(changed);
}

async function setTarget(parameters: {
  context: Context;
  target: Hex;
  changed: Partial<typeof NEW_TARGET>;
}): Promise<void> {
  const { context, target: address, changed } = parameters;
  await context.db
    .insert(accessTarget)
    .values({ address, ...NEW_TARGET, ...changed })
    .onConflictDoUpdate(changed);
}
