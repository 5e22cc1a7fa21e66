import { BaseError } from "@haca/protocol/baseError";
import type { NetworkConnection } from "hardhat/types/network";
import { enterProject } from "./enterProject.ts";
import { firstLine } from "./words.ts";

/** Chains that are thrown away and started anew under the same id. */
const DEVELOPMENT_CHAINS: ReadonlySet<number> = new Set([31337]);

export const isDevelopmentChain = (chainId: number): boolean => DEVELOPMENT_CHAINS.has(chainId);

/**
 * Connects to a network of hardhat.config.ts and makes sure that it is the chain that the configuration means.
 * Errors, one line each: `deploy.badOption`, `deploy.badKey`, `deploy.noRpc`, `deploy.wrongChain`.
 */
export async function connect(
  network: string | undefined,
): Promise<{ connection: NetworkConnection; chainId: number }> {
  enterProject();
  const { default: hre } = await import("hardhat");
  if (network === undefined || !(network in hre.config.networks)) {
    throw new BaseError({
      code: "deploy.badOption",
      message: `--network must be one of ${Object.keys(hre.config.networks).join(", ")}, got ${network}`,
    });
  }
  const configured = hre.config.networks[network]?.chainId;
  const connection = await hre.network.create(network).catch((cause: unknown) => {
    throw unusable(network, cause);
  });
  try {
    const chainId = Number(
      BigInt(String(await connection.provider.request({ method: "eth_chainId" }))),
    );
    if (configured !== undefined && chainId !== configured) {
      throw wrongChain(network, configured, String(chainId));
    }
    return { connection, chainId };
  } catch (cause) {
    await connection.close();
    if (cause instanceof BaseError) throw cause;
    const text = firstLine(cause);
    if (/chain ?id/i.test(text)) throw wrongChain(network, configured, "another", cause);
    throw unusable(network, cause);
  }
}

/** Hardhat's words for a variable that has no value, or has one that it cannot use. */
const ABOUT_VARIABLE = /configuration variable|private key/i;

const ABOUT_KEY = "(the key is HACA_DEPLOYER_KEY, 0x and 64 hex digits)";

/** Why a network cannot be used: `deploy.badKey` where it is the key, else `deploy.noRpc`. */
export function unusable(network: string, cause: unknown): BaseError {
  const text = firstLine(cause);
  const [, variable] = /Variable "(\w+)"/.exec(text) ?? [];
  const isAboutKey = variable?.endsWith("_KEY") ?? ABOUT_VARIABLE.test(text);
  const reason =
    variable !== undefined
      ? `needs ${variable}: set the variable, or npx hardhat keystore set ${variable}`
      : ABOUT_VARIABLE.test(text)
        ? `cannot be used: ${text} ${ABOUT_KEY}`
        : "does not answer: start the chain or check its URL";
  return new BaseError({
    code: isAboutKey ? "deploy.badKey" : "deploy.noRpc",
    message: `network ${network} ${reason}`,
    cause,
  });
}

const wrongChain = (
  network: string,
  expected: number | undefined,
  actual: string,
  cause?: unknown,
): BaseError =>
  new BaseError({
    code: "deploy.wrongChain",
    message: `network ${network} should be chain ${expected}, but its URL answers for ${actual}`,
    ...(cause === undefined ? {} : { cause }),
  });

/**
 * Why a network does not name its accounts: the endpoint died, or broke one connection off, as endpoints do with those that
 * lie idle while this process is busy; or else it is the key, which is read only now. Every library has its own words for
 * a bad key, so the endpoint is asked again.
 */
export async function withoutAccounts(parameters: {
  network: string;
  cause: unknown;
  request: (method: string) => Promise<unknown>;
}): Promise<BaseError> {
  const { network, cause, request } = parameters;
  const answers = (method: string): Promise<boolean> =>
    request(method).then(
      () => true,
      () => false,
    );
  if (!(await answers("eth_chainId"))) return unusable(network, cause);
  const isOver = await answers("eth_accounts");
  return new BaseError({
    code: isOver ? "deploy.noRpc" : "deploy.badKey",
    message: isOver
      ? `network ${network} broke a connection off and answers again: run the same command again`
      : `network ${network}: ${firstLine(cause)} ${ABOUT_KEY}`,
    cause,
  });
}

/** The account that deploys. Errors: `deploy.badKey`, `deploy.noRpc`, `deploy.noAccount`. */
export async function requireDeployer(connection: NetworkConnection): Promise<string> {
  const [deployer] = await connection.ethers.getSigners().catch(async (cause: unknown) => {
    const request = (method: string) => connection.provider.request({ method });
    throw await withoutAccounts({ network: connection.networkName, cause, request });
  });
  if (deployer === undefined) {
    throw new BaseError({
      code: "deploy.noAccount",
      message: `network ${connection.networkName} has no account: set HACA_DEPLOYER_KEY`,
    });
  }
  return deployer.address;
}
