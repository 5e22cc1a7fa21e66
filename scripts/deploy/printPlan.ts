import type { DeployOptions } from "./deploy.ts";
import { rehearse, sumUp } from "./dryRun.ts";
import { teeModule } from "./modules/attestation.ts";
import { coreModule } from "./modules/core.ts";
import { governanceModule } from "./modules/governance.ts";
import type { GovernanceParameters } from "./parameters/readParameters.ts";
import type { Deployment } from "./plan/openDeployment.ts";
import type { Plan } from "./plan/plan.ts";
import { requireFunds } from "./requireFunds.ts";

/** Shows what will happen and what it costs; error `deploy.noFunds` if the deployer cannot pay what is left. */
export async function printPlan(parameters: {
  deployment: Deployment;
  settlementWindow: number;
  part: DeployOptions["part"];
  governance: GovernanceParameters | undefined;
}): Promise<void> {
  const { deployment, settlementWindow, part, governance } = parameters;
  const { connection, deployer, journal } = deployment;
  if (part === undefined) console.log(`  deployer ${deployer}, left without any permission`);
  else console.log(`  deployer ${deployer}, who stays administrator until everything is deployed`);
  if (governance !== undefined) {
    console.log(`  root of attestations ${governance.attestation.rootFingerprint}`);
    if (part === undefined) printGovernance(governance);
  }
  const { chainType } = connection;
  const build = (module: Plan) => {
    if (governance === undefined) return coreModule(module, { settlementWindow });
    const { attestation } = governance;
    return part === "tee"
      ? teeModule(module, { settlementWindow, attestation, isDevelopmentChain: false })
      : governanceModule(module, { settlementWindow, governance });
  };
  const { gasOf } = await rehearse({ chainType, build });
  const done = new Set(journal.minedSteps().map(({ step }) => step));
  const left = [...gasOf].filter(([step]) => !done.has(step)).map(([, gas]) => gas);
  if (left.length < gasOf.size) {
    console.log(`  ${gasOf.size - left.length} of ${gasOf.size} transactions are done already`);
  }
  if (left.length === 0) return;
  await requireFunds({ connection, deployer, ...sumUp(left) });
}

function printGovernance(governance: GovernanceParameters): void {
  console.log(`  image approver ${governance.imageApprover}`);
  console.log(`  guardian ${governance.guardian}, timelock delay ${governance.timelockDelay} s`);
  console.log(`  token generation event ${new Date(governance.tge * 1000).toISOString()}`);
}
