import { BaseError } from "@haca/protocol/baseError";
import { sha256 } from "ethers";
import { ChannelSource } from "./channels/channelSource.ts";
import { gateProblem } from "./channels/gateProblem.ts";
import { LegacyFacilitator } from "./legacy/legacyFacilitator.ts";
import { Facilitator } from "./payments/facilitator.ts";
import { judgeOperator } from "./payments/operatorProblem.ts";
import { inEachToken, type PaymentSettings } from "./payments/paymentSettings.ts";
import { ResultQueue } from "./queue/resultQueue.ts";
import type { GatewayConfig } from "./settings/readGatewayConfig.ts";
import { shownBy } from "./settings/readTls.ts";
import { isLocal, openUpstream } from "./upstream/openUpstream.ts";

/** What a gateway with these settings would meet, line by line. No model is asked and nothing is signed. */
export async function checkGateway(
  config: GatewayConfig,
): Promise<{ isGood: boolean; lines: string[] }> {
  const { domain, facilitator, models, queue, signer, upstream } = config;
  const { tls } = config.http;
  const by = signer.session === null ? "by the attested key" : `by session key ${signer.session}`;
  const findings = [
    ...(await checkUpstream(config)),
    ...(await checkQueue(config)),
    ...(await checkFacilitator(config)),
    ...(await checkGate(config)),
    ...(await checkOperators(config)),
    ...(await checkSealed(config)),
  ];
  return {
    isGood: findings.length === 0,
    lines: [
      `enclave     ${signer.teeId}, results signed ${by}`,
      `settlement  ${domain.verifyingContract} on chain ${domain.chainId}`,
      `upstream    ${isLocal(upstream) ? upstream.folder : upstream.url}`,
      `models      ${[...models.keys()].join(", ")}`,
      `queue       ${queue.url}`,
      `tls         ${tls === undefined ? "none" : `certificate ${sha256(shownBy(tls))}`}`,
      `legacy      ${facilitator?.url ?? "no answers"}`,
      ...(config.payments === undefined ? [] : inEachToken(config.payments).map(tokenLine)),
      ...findings.map((finding) => `problem     ${finding}`),
    ],
  };
}

const tokenLine = ({ routes, token }: PaymentSettings): string =>
  `paid in     ${token.symbol} ${token.address}, ${token.decimals} decimals, by ${routes.join(", ")}`;

async function checkUpstream({ models, upstream }: GatewayConfig): Promise<string[]> {
  try {
    const there = new Set(await (await openUpstream(upstream)).models());
    const absent = [...models.keys()].filter((name) => !there.has(name));
    return absent.map((name) => `HACA_GATEWAY_MODELS: the upstream does not name ${name}`);
  } catch (error) {
    if (!(error instanceof BaseError)) throw error;
    return [`HACA_GATEWAY_UPSTREAM: ${error.message}`];
  }
}

async function checkFacilitator({ facilitator }: GatewayConfig): Promise<string[]> {
  if (facilitator === undefined || (await new LegacyFacilitator(facilitator).isThere())) return [];
  return ["HACA_GATEWAY_LEGACY_FACILITATOR: no facilitator answers"];
}

/** Whether what channels pay could be claimed for this gateway's results. */
async function checkGate({ payments }: GatewayConfig): Promise<string[]> {
  const channel = payments?.channel;
  if (payments === undefined || channel === undefined) return [];
  return await askingFacilitator(async () => {
    const gate = await new ChannelSource(payments.facilitator).gate(channel.gate);
    const problem = gateProblem({ settings: payments, channel, gate });
    return problem === undefined ? [] : [problem];
  });
}

/** Whether jobs in the public escrow could be captured for this gateway's results, in whatever token. */
async function checkOperators({ payments }: GatewayConfig): Promise<string[]> {
  if (payments === undefined) return [];
  const facilitator = new Facilitator(payments);
  return await askingFacilitator(async () => {
    const problems: string[] = [];
    for (const settings of inEachToken(payments)) {
      const { operator: address } = settings;
      if (address === undefined) continue;
      const operator = await facilitator.operator(address);
      const judged = judgeOperator({ settings, address, operator });
      if ("problem" in judged) problems.push(judged.problem);
    }
    return problems;
  });
}

/** Whether anybody brings what relays pay for sealed requests to the chain. */
async function checkSealed({ payments }: GatewayConfig): Promise<string[]> {
  if (payments?.prices.oblivious === undefined) return [];
  return await askingFacilitator(async () => {
    const { exact } = await new Facilitator(payments).supported();
    return exact
      ? []
      : ["HACA_GATEWAY_FACILITATOR: takes no transfers, which pay for what is sealed"];
  });
}

/** What is found by asking the facilitator; where it does not say, why. */
async function askingFacilitator(find: () => Promise<string[]>): Promise<string[]> {
  try {
    return await find();
  } catch (error) {
    if (!(error instanceof BaseError)) throw error;
    return [`HACA_GATEWAY_FACILITATOR: ${error.message}`];
  }
}

async function checkQueue({ queue }: GatewayConfig): Promise<string[]> {
  const state = await new ResultQueue(queue).state();
  if (state === "ready") return [];
  return [
    state === "away"
      ? "HACA_GATEWAY_QUEUE: no worker with the role collect answers"
      : "HACA_COLLECT_SECRET: is missing, or is not the worker's",
  ];
}
