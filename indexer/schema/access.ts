import { index, onchainTable, primaryKey, relations } from "ponder";
import { rowBlock } from "./rowBlock.ts";

/** Tables of the AccessManager: who may call what. Delays are in seconds. Role 0 is its administrator's. */

export const accessRole = onchainTable("access_role", (t) => ({
  id: t.bigint().primaryKey(),
  /** empty if it was never labelled */
  label: t.text().notNull(),
  /** who grants and revokes it */
  adminRoleId: t.bigint().notNull(),
  /** who cancels what its members scheduled */
  guardianRoleId: t.bigint().notNull(),
  /** between a grant and its effect, from `grantDelaySince` on */
  grantDelay: t.bigint().notNull(),
  grantDelaySince: t.bigint().notNull(),
  rowBlock: rowBlock(t),
}));

export const accessMember = onchainTable(
  "access_member",
  (t) => ({
    roleId: t.bigint().notNull(),
    account: t.hex().notNull(),
    /** from when on it is a member */
    since: t.bigint().notNull(),
    /** that its calls wait, from `executionDelaySince` on */
    executionDelay: t.bigint().notNull(),
    executionDelaySince: t.bigint().notNull(),
    /** null while it is a member */
    revokedAt: t.bigint(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    pk: primaryKey({ columns: [table.roleId, table.account] }),
    accountIndex: index().on(table.account),
  }),
);

/** Who may call a restricted function. Functions without a row are the administrator's. */
export const accessFunction = onchainTable(
  "access_function",
  (t) => ({
    target: t.hex().notNull(),
    selector: t.hex().notNull(),
    roleId: t.bigint().notNull(),
    changedAt: t.bigint().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({ pk: primaryKey({ columns: [table.target, table.selector] }) }),
);

/** A contract that was closed, or whose administration has a delay of its own. */
export const accessTarget = onchainTable("access_target", (t) => ({
  address: t.hex().primaryKey(),
  /** nobody may call its restricted functions */
  isClosed: t.boolean().notNull(),
  adminDelay: t.bigint().notNull(),
  adminDelaySince: t.bigint().notNull(),
  rowBlock: rowBlock(t),
}));

export const accessRoleRelations = relations(accessRole, ({ many }) => ({
  members: many(accessMember),
  functions: many(accessFunction),
}));

export const accessMemberRelations = relations(accessMember, ({ one }) => ({
  role: one(accessRole, { fields: [accessMember.roleId], references: [accessRole.id] }),
}));

export const accessFunctionRelations = relations(accessFunction, ({ one }) => ({
  role: one(accessRole, { fields: [accessFunction.roleId], references: [accessRole.id] }),
}));
