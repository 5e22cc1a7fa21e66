import { BaseError } from "@haca/protocol/baseError";
import type { NetworkConnection } from "hardhat/types/network";
import { enterProject } from "./enterProject.ts";

/** First line of whatever was thrown, without Hardhat's advertisement of its documentation. */
export const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";

/**
 * Connects to a network of hardhat.config.ts and makes sure that it is the chain that the configuration means.
 * Errors, one line each: `deploy.badOption`, `deploy.noRpc`, `deploy.wrongChain`.
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

function unusable(network: string, cause: unknown): BaseError {
  const text = firstLine(cause);
  const [, variable] = /Variable "(\w+)"/.exec(text) ?? [];
  const reason =
    variable !== undefined
      ? `needs ${variable}: set the variable, or npx hardhat keystore set ${variable}`
      : ABOUT_VARIABLE.test(text)
        ? `cannot be used: ${text} (the key is HACA_DEPLOYER_KEY, 0x and 64 hex digits)`
        : "does not answer: start the chain or check its URL";
  return new BaseError({
    code: "deploy.noRpc",
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
