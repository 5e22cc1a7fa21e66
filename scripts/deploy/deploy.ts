import { existsSync } from "node:fs";
import { type AddressBook, addressBookPath, writeAddressBook } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import { userPath } from "@haca/protocol/userPath";
import type { NetworkConnection } from "hardhat/types/network";
import { confirm } from "../lib/confirm.ts";
import { connect, isDevelopmentChain, requireDeployer } from "../lib/connect.ts";
import { enterProject } from "../lib/enterProject.ts";
import { writeAbi } from "../lib/writeAbi.ts";
import { keepEarlier, readEarlier } from "./addressBook/earlier.ts";
import { whyNoGates } from "./chain/batchSettlement.ts";
import { commerceFor } from "./chain/commercePayments.ts";
import { probeFor } from "./chain/probeChain.ts";
import { proxyForEscrow } from "./chain/uptoProxy.ts";
import { ensureCompiled } from "./compiled/ensureCompiled.ts";
import { DEFAULT_SETTLEMENT_WINDOW, deployPart, type Wanted } from "./deployPart.ts";
import { belowFloor, checkDeployer } from "./parameters/checkParameters.ts";
import { parametersPath, readParameters, refuse } from "./parameters/readParameters.ts";
import { type Deployment, journalPath, openDeployment } from "./plan/openDeployment.ts";
import { printPlan } from "./rehearsal.ts";

export type DeployOptions = {
  network: string;
  part?: "core" | "tee";
  parameters?: string;
  settlementWindow?: number;
  yes: boolean;
};

/** Carries out `npm run deploy`. */
export async function deploy(options: DeployOptions): Promise<void> {
  const { connection, chainId } = await connect(options.network);
  try {
    await deployTo({ options, connection, chainId });
  } finally {
    await connection.close();
  }
}

async function deployTo(parameters: {
  options: DeployOptions;
  connection: NetworkConnection;
  chainId: number;
}): Promise<void> {
  const { options, connection, chainId } = parameters;
  const { part, settlementWindow = DEFAULT_SETTLEMENT_WINDOW } = options;
  const network = connection.networkName;
  const path = addressBookPath(chainId);
  console.log(`deploying to ${network} (chain ${chainId}), address book ${path}`);
  const deployer = await requireDeployer(connection);
  const isDevelopment = isDevelopmentChain(chainId);
  const problems = isDevelopment ? [] : belowFloor("settlementWindow", settlementWindow);
  const source =
    options.parameters === undefined ? parametersPath(network) : userPath(options.parameters);
  const governance =
    part === "core"
      ? undefined
      : readParameters({
          path: source,
          isDevelopmentChain: isDevelopment,
          ...{ deployer, chainId },
          problems,
        });
  if (part === "core" && !isDevelopment) refuse(network, [...checkDeployer(deployer), ...problems]);

  enterProject();
  const { default: hre } = await import("hardhat");
  await ensureCompiled();
  writeAbi();
  const deployment = await openDeployment({ hre, connection, chainId });
  const earlier = await readEarlier({ connection, path, chainId });
  if (await isComplete({ deployment, earlier, part })) return;

  const base = { settlementWindow, isDevelopmentChain: isDevelopment };
  const escrow =
    governance === undefined || part !== undefined
      ? undefined
      : await proxyForEscrow({
          ...{ deployment, given: governance.uptoProxy, source },
          earlier: {
            isHandedOver: earlier?.contracts.TimelockController !== undefined,
            hasEscrow: earlier?.contracts.InferenceEscrow !== undefined,
          },
        });
  const uptoProxy = escrow !== undefined && "proxy" in escrow ? escrow.proxy : undefined;
  const noGates = uptoProxy === undefined ? undefined : await whyNoGates(deployment);
  const hasGates = uptoProxy !== undefined && noGates === undefined;
  const operators =
    uptoProxy === undefined
      ? undefined
      : await commerceFor({
          ...{ deployment, earlier: earlier?.contracts.CommerceOperators?.constructorArguments },
        });
  const commerce =
    operators !== undefined && "commerce" in operators ? operators.commerce : undefined;
  const payments = { uptoProxy, hasGates, commerce };
  const wanted: Wanted =
    governance === undefined
      ? { ...base, part: "core" }
      : { ...base, part: part === "tee" ? "tee" : "governance", governance, ...payments };
  const off = await probeFor({ deployment, part: wanted.part, hasEscrow: uptoProxy !== undefined });
  if (escrow !== undefined && "reason" in escrow) off.push(escrow.reason);
  if (noGates !== undefined) off.push(noGates);
  if (operators !== undefined && "reason" in operators) off.push(operators.reason);
  for (const line of off) console.log(`  on this chain ${line}`);
  if (!isDevelopment) {
    await printPlan({ deployment, wanted });
    if (!(await confirm({ question: `Deploy to ${network}?`, yes: options.yes }))) {
      console.log("nothing deployed");
      return;
    }
  }
  // What a lost journal knew is found on the chain: only the account's count tells what was sent now.
  const countSent = () => deployment.provider.getTransactionCount(deployer);
  const sentBefore = await countSent();
  const deployed = await deployPart({ deployment, wanted });
  const book = earlier === undefined ? deployed : keepEarlier({ book: deployed, earlier });
  writeAddressBook({ path, book });
  for (const [name, contract] of Object.entries(book.contracts)) {
    console.log(`  ${name.padEnd(24)} ${contract?.address}  block ${contract?.block}`);
  }
  if (part === undefined) await verify({ connection, book });
  for (const line of off) console.log(`  but on this chain ${line}`);
  if (part !== undefined)
    console.log(`  ${deployer} is administrator; npm run deploy without --part hands over`);
  if ((await countSent()) === sentBefore) {
    console.log("  everything was there: no transaction was sent");
  }
}

/**
 * Whether there is nothing to do though the journal cannot say so: a part of what is handed over, or an address book
 * that came without its journal. Error: `deploy.noJournal` if that address book is not of everything.
 */
async function isComplete(parameters: {
  deployment: Deployment;
  earlier: AddressBook | undefined;
  part: DeployOptions["part"];
}): Promise<boolean> {
  const { deployment, earlier, part } = parameters;
  const { connection, chainId, journal, adoptFrom } = deployment;
  if (earlier === undefined) return false;
  const isHandedOver = earlier.contracts.TimelockController !== undefined;
  if (isHandedOver && (part === "tee" || journal.isEmpty)) {
    console.log("  everything is there and handed over; nothing to do");
    if (part === undefined) await verify({ connection, book: earlier });
    return true;
  }
  if (journal.isEmpty && adoptFrom === undefined && !isDevelopmentChain(chainId)) {
    const hint = existsSync(journalPath(chainId)) ? "is empty" : "is not here";
    throw new BaseError({
      code: "deploy.noJournal",
      message: `${addressBookPath(chainId)} has contracts of an earlier run, and its journal ${journalPath(chainId)} ${hint}: bring it from where that run was, deploy with that run's account, or move the address book away to begin anew`,
    });
  }
  return false;
}

async function verify(parameters: {
  connection: NetworkConnection;
  book: AddressBook;
}): Promise<void> {
  const [{ checkDeployment }, { isMatch }] = await Promise.all([
    import("./check/checkDeployment.ts"),
    import("./check/finding.ts"),
  ]);
  const findings = await checkDeployment(parameters);
  const [different] = findings.filter((found) => !isMatch(found));
  if (different !== undefined) {
    throw new BaseError({
      code: "deploy.different",
      message: `${different.subject}: expected ${different.expected}, got ${different.actual}`,
    });
  }
  console.log(
    `  verified: ${findings.length} comparisons with the chain; the deployer holds no role`,
  );
}
