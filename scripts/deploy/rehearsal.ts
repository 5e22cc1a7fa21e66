import { BaseError } from "@haca/protocol/baseError";
import { BATCH_SETTLEMENT_ADDRESS } from "@haca/protocol/channelGates";
import { COMMERCE_DEPLOYMENTS, type CommerceDeployment } from "@haca/protocol/commerceEscrows";
import { formatEther, formatUnits } from "ethers";
import type { ChainType, NetworkConnection } from "hardhat/types/network";
import { openChainInMemory } from "../lib/chainAlone.ts";
import { grouped, isoTime } from "../lib/words.ts";
import { REFUSING_ESCROW } from "./chain/refusingEscrow.ts";
import { moduleOf, type Wanted } from "./deployPart.ts";
import type { GovernanceParameters } from "./parameters/readParameters.ts";
import type { Deployment } from "./plan/openDeployment.ts";
import type { Plan, PlannedContract } from "./plan/plan.ts";
import { runModule } from "./plan/runModule.ts";

export type Rehearsal = {
  gas: bigint;
  /** gas of the largest transaction */
  largest: bigint;
  transactions: number;
  /** by step, in their order */
  gasOf: ReadonlyMap<string, bigint>;
};

/**
 * Gas and number of a deployment's transactions, and the gas of the largest of them, measured by doing it on a chain
 * in memory with the same parameters. On an OP-stack chain the fee for the data on the chain below comes on top; it is
 * small beside this.
 */
export async function rehearse(parameters: {
  build: (module: Plan) => Record<string, PlannedContract>;
  chainType: ChainType;
  /** what the chain has besides, by address */
  codes?: Readonly<Record<string, string>>;
}): Promise<Rehearsal> {
  const { chainType, codes = {} } = parameters;
  const connection = await openChainInMemory({ chainType });
  try {
    for (const params of Object.entries(codes)) {
      await connection.provider.request({ method: "hardhat_setCode", params });
    }
    const { transactions } = await runModule({ connection, build: parameters.build });
    const gasOf = new Map<string, bigint>();
    for (const [step, { hash }] of transactions) {
      const receipt = await connection.ethers.provider.getTransactionReceipt(hash);
      gasOf.set(step, receipt?.gasUsed ?? 0n);
    }
    return { ...sumUp([...gasOf.values()]), gasOf };
  } finally {
    await connection.close();
  }
}

/** What some transactions take together. */
export function sumUp(gas: readonly bigint[]): Omit<Rehearsal, "gasOf"> {
  let [sum, largest] = [0n, 0n];
  for (const used of gas) {
    sum += used;
    if (used > largest) largest = used;
  }
  return { gas: sum, largest, transactions: gas.length };
}

/** With which of x402's contracts a deployment is. */
type Payments = {
  /** x402's proxy, for a deployment with the escrow */
  uptoProxy?: string | undefined;
  /** whether it is with gates of channels */
  hasGates?: boolean;
  /** the public escrow of commerce payments, for a deployment with operators over it */
  commerce?: CommerceDeployment | undefined;
};

/** Contracts of x402's that a deployment goes by. */
const neededBy = ({ commerce, hasGates = false, uptoProxy }: Payments): string[] => [
  ...(uptoProxy === undefined ? [] : [uptoProxy]),
  ...(hasGates ? [BATCH_SETTLEMENT_ADDRESS] : []),
  ...(commerce === undefined
    ? []
    : [commerce.escrow, commerce.erc3009Collector, commerce.permit2Collector]),
];

/** In the place of a contract that is only looked at whether it is there. */
const STAND_IN = "0x00";
/** What stands in the place of x402's contracts in a rehearsal without a chain. */
const standInFor = (address: string): string =>
  COMMERCE_DEPLOYMENTS.some(({ escrow }) => escrow === address) ? REFUSING_ESCROW : STAND_IN;

/** The rehearsal of everything. */
export const dryRun = (
  parameters: Payments & {
    settlementWindow: number;
    governance: GovernanceParameters;
    chainType: ChainType;
  },
): Promise<Rehearsal> =>
  rehearse({
    chainType: parameters.chainType,
    codes: Object.fromEntries(
      neededBy(parameters).map((address) => [address, standInFor(address)]),
    ),
    build: moduleOf({ ...parameters, part: "governance", isDevelopmentChain: false }),
  });

/** Shows what will happen and what it costs; error `deploy.noFunds` if the deployer cannot pay what is left. */
export async function printPlan(parameters: {
  deployment: Deployment;
  wanted: Wanted;
}): Promise<void> {
  const { deployment, wanted } = parameters;
  const { connection, deployer, journal, provider } = deployment;
  if (wanted.part === "governance") {
    console.log(`  deployer ${deployer}, left without any permission`);
  } else {
    console.log(`  deployer ${deployer}, who stays administrator until everything is deployed`);
  }
  if (wanted.part !== "core") {
    const { governance } = wanted;
    console.log(`  root of attestations ${governance.attestation.rootFingerprint}`);
    if (wanted.part === "governance") printGovernance(governance);
  }
  const payments: Payments = wanted.part === "core" ? {} : wanted;
  const { commerce, hasGates = false, uptoProxy: proxy } = payments;
  if (proxy !== undefined) console.log(`  escrow over x402's proxy ${proxy}`);
  if (hasGates) console.log(`  gates of channels of x402's contract ${BATCH_SETTLEMENT_ADDRESS}`);
  if (commerce !== undefined) {
    console.log(
      `  operators of payments in the public escrow ${commerce.version} ${commerce.escrow}`,
    );
  }
  const codes: Record<string, string> = {};
  for (const address of neededBy(payments)) {
    codes[address] = await provider.getCode(address);
  }
  const { gasOf } = await rehearse({
    ...{ chainType: connection.chainType, build: moduleOf(wanted), codes },
  });
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
  console.log(`  delay of forced inclusion ${governance.forcedInclusionDelay} s`);
  console.log(`  token generation event ${isoTime(governance.tge)}`);
}

/** Prints what the deployment would cost; error `deploy.noFunds` if the deployer cannot pay it. */
export async function requireFunds(parameters: {
  connection: NetworkConnection;
  deployer: string;
  gas: bigint;
  /** gas of the largest transaction */
  largest: bigint;
  transactions: number;
}): Promise<void> {
  const { connection, deployer, gas, largest, transactions } = parameters;
  const { provider } = connection.ethers;
  const { maxFeePerGas, gasPrice } = await provider.getFeeData();
  const price = maxFeePerGas ?? gasPrice ?? 0n;
  const balance = await provider.getBalance(deployer);
  console.log(
    `  ${transactions} transactions, ${grouped(gas)} gas (the largest ${grouped(largest)}), at most ${formatEther(gas * price)} ETH ` +
      `at ${formatUnits(price, "gwei")} gwei; ${deployer} has ${formatEther(balance)} ETH`,
  );
  if (balance < gas * price) {
    throw new BaseError({
      code: "deploy.noFunds",
      message: `${deployer} has ${formatEther(balance)} ETH, the deployment needs ${formatEther(gas * price)} ETH`,
    });
  }
}
