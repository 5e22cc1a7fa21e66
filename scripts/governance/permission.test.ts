import { ROLES } from "@haca/protocol/roles";
import { expect, it } from "vitest";
import { permissionOf, roleFor } from "./permission.ts";

type Manager = Parameters<typeof permissionOf>[0]["manager"];

const MANAGER = `0x${"11".repeat(20)}`;
const REGISTRY = `0x${"22".repeat(20)}`;
const ACCOUNT = `0x${"33".repeat(20)}`;

/** An AccessManager in which an account has some roles, each with a delay, and one contract an administration delay. */
const managerWith = (delays: ReadonlyMap<bigint, bigint>): Manager =>
  ({
    target: MANAGER,
    canCall: async () => [false, 7n],
    hasRole: async (role: bigint) => ({
      isMember: delays.has(role),
      executionDelay: delays.get(role) ?? 0n,
    }),
    getRoleAdmin: async (role: bigint) => (role === ROLES.REGISTRAR ? ROLES.GOVERNANCE : 0n),
    getTargetAdminDelay: async (target: string) => (target === REGISTRY ? 60n : 0n),
    getTargetFunctionRole: async () => ROLES.IMAGE_APPROVER,
  }) as unknown as Manager;

const call = (fragment: string, ...values: unknown[]) => ({
  ...{ contract: "AccessManager", target: MANAGER, fragment: `function ${fragment}` },
  ...{ arguments: values, words: "" },
});
const closing = (target: string) =>
  call("setTargetClosed(address target, bool closed)", target, true);
const granting = (role: bigint) =>
  call("grantRole(uint64 roleId, address account, uint32 delay)", role, ACCOUNT, 0n);
const labelling = call("labelRole(uint64 roleId, string label)", 1n, "label");

it.each([
  ["changes about a contract wait for its delay", closing(REGISTRY), [[0n, 0n]], 60n],
  ["or for the caller's, if that is longer", closing(REGISTRY), [[0n, 90n]], 90n],
  ["changes about another contract do not", closing(ACCOUNT), [[0n, 0n]], 0n],
  ["other changes wait for the caller's delay alone", labelling, [[0n, 5n]], 5n],
  ["a role is given by its administrators", granting(ROLES.REGISTRAR), [[1n, 3n]], 3n],
  ["and by nobody else, ADMIN included", granting(ROLES.REGISTRAR), [[0n, 0n]], undefined],
  ["roles without another administrator by ADMIN", granting(ROLES.GUARDIAN), [[0n, 0n]], 0n],
  ["without any role nothing is allowed", labelling, [], undefined],
  [
    "what is executed was allowed when it was scheduled",
    call("execute(address target, bytes data)", REGISTRY, "0x12345678"),
    [],
    0n,
  ],
] as const)("%s", async (_, asked, roles, delay) => {
  const delays = new Map<bigint, bigint>(roles.map(([role, wait]) => [role, wait] as const));
  const manager = managerWith(delays);
  const permission = await permissionOf({ manager, account: ACCOUNT, call: asked });
  expect(permission?.delay).toBe(delay);
});

it("asks the manager about calls of other contracts", async () => {
  const manager = managerWith(new Map());
  const banning = { ...call("banTEE(bytes32 id)", `0x${"00".repeat(32)}`), target: REGISTRY };
  expect(await permissionOf({ manager, account: ACCOUNT, call: banning })).toEqual({ delay: 7n });
  expect(await roleFor(manager, banning)).toBe(ROLES.IMAGE_APPROVER);
});
