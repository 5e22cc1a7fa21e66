import { BaseError } from "@haca/protocol/baseError";
import { enterProject } from "../../lib/enterProject.ts";
import { firstLine } from "../../lib/words.ts";
import { ChainReader } from "./chainReader.ts";
import { httpRequest, RpcError } from "./rpc.ts";

/**
 * Reads a network of hardhat.config.ts, or an endpoint of its own, without any key. Errors: `deploy.badOption`,
 * `deploy.noUrl`, `deploy.wrongChain`, and those of `httpRequest`.
 */
export async function connectReader(parameters: {
  network: string | undefined;
  /** instead of the network's own */
  rpc?: string;
}): Promise<ChainReader> {
  const { network, rpc } = parameters;
  enterProject();
  const { default: hre } = await import("hardhat");
  const { networks } = hre.config;
  const configured = network === undefined ? undefined : networks[network];
  if (configured?.type !== "http") {
    if (network === undefined && rpc !== undefined) return await open(rpc, undefined, "--rpc");
    const names = Object.keys(networks).filter((name) => networks[name]?.type === "http");
    throw new BaseError({
      code: "deploy.badOption",
      message: `--network must be one of ${names.join(", ")}, got ${network}`,
    });
  }
  const url =
    rpc ??
    (await configured.url.getUrl().catch((cause: unknown) => {
      throw new BaseError({
        code: "deploy.noUrl",
        message: `network ${network} has no address of an endpoint: ${firstLine(cause)} Or give --rpc <url>`,
        cause,
      });
    }));
  return await open(url, configured.chainId, `network ${network}`);
}

async function open(url: string, expected: number | undefined, name: string): Promise<ChainReader> {
  const request = httpRequest(url);
  const answer = await request("eth_chainId", []).catch((cause: unknown) => {
    if (!(cause instanceof RpcError)) throw cause;
    throw new BaseError({ code: "chain.refused", message: `${name}: ${cause.message}`, cause });
  });
  const chainId = Number(answer);
  if (expected !== undefined && chainId !== expected) {
    throw new BaseError({
      code: "deploy.wrongChain",
      message: `${name} should be chain ${expected}, but its URL answers for ${chainId}`,
    });
  }
  return new ChainReader({ request, chainId });
}
