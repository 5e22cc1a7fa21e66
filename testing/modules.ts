import { ROLES } from "@haca/protocol/roles";
import { attestationModule, nameRegistry } from "../scripts/deploy/modules/attestation.ts";
import { accessCalls, coreModule } from "../scripts/deploy/modules/core.ts";
import type { Plan, PlannedContract } from "../scripts/deploy/plan/plan.ts";

/** Root and ages of the registry. */
export type Attestation = Omit<Parameters<typeof attestationModule>[1], "accessManager">;

/** The roles that rules of the contracts ask for. */
type Role = Exclude<keyof typeof ROLES, "ADMIN">;

/** Who holds a role, and after which delay in seconds what they schedule can be executed. */
export type Holders = Partial<Record<Role, { account: string; delay?: number }>>;

/** Every role for one account, without delay. */
export const everyRole = (account: string): Holders =>
  Object.fromEntries(Object.keys(ROLES).map((role) => [role, { account }]));

/**
 * The contracts of settlement and the TEE registry with their rules, as the deployment leaves them, and roles for
 * accounts of the test in place of the timelock and those whom governance has chosen. The deployer stays administrator.
 */
export function testModule(
  module: Plan,
  parameters: { settlementWindow: number; attestation: Attestation; holders: Holders },
) {
  const core = coreModule(module, parameters);
  const { accessManager, inferenceSettlement } = core;
  const attested = attestationModule(module, { ...parameters.attestation, accessManager });
  nameRegistry({ module, inferenceSettlement, teeRegistry: attested.teeRegistry });
  accessCalls({
    module,
    accessManager,
    contracts: { InferenceSettlement: core.inferenceSettlement },
  });
  grantRoles({ module, accessManager, holders: parameters.holders });
  return { ...core, ...attested };
}

function grantRoles(parameters: {
  module: Plan;
  accessManager: PlannedContract;
  holders: Holders;
}): void {
  const { module, accessManager, holders } = parameters;
  for (const [role, { account, delay = 0 }] of Object.entries(holders)) {
    if (role === "ADMIN") continue;
    module.call(accessManager, "grantRole", [ROLES[role as Role], account, delay], {
      id: `test_${role}`,
    });
  }
}
