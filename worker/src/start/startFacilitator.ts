import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { type AddressBook, readAddressBook } from "@haca/protocol/addressBook";
import { createHttpBlobStore } from "@haca/protocol/blobs/httpBlobStore";
import { getAddress, ZeroAddress } from "ethers";
import type { Logger } from "pino";
import { StartError } from "../errors.ts";
import { startServer } from "../http/startServer.ts";
import { createMetrics } from "../metrics/createMetrics.ts";
import { type Condition, Wakeup } from "../repeat.ts";
import { createFacilitatePass, LOT } from "../roles/facilitate/createFacilitatePass.ts";
import { createFacilitatorApp } from "../roles/facilitate/createFacilitatorApp.ts";
import { addPaymentGauges } from "../roles/facilitate/payments/addPaymentGauges.ts";
import { createPaymentPass } from "../roles/facilitate/payments/createPaymentPass.ts";
import { createPayments } from "../roles/facilitate/payments/createPayments.ts";
import { createPaymentChain } from "../roles/facilitate/payments/paymentChain.ts";
import { paymentStore } from "../roles/facilitate/payments/paymentStore.ts";
import { createPaymentWatch } from "../roles/facilitate/payments/watchPayments.ts";
import type { FacilitatorConfig } from "../roles/facilitate/readFacilitatorConfig.ts";
import { releaseAllCalls } from "../roles/facilitate/relayedCalls.ts";
import { createHeartbeatRelay } from "../roles/facilitate/relayHeartbeat.ts";
import { createRenewPass } from "../roles/facilitate/renewBlobs.ts";
import { FeeGate } from "../transactions/fees.ts";
import { GasLimits } from "../transactions/gasLimits.ts";
import { createSender } from "../transactions/sender.ts";
import { CloseStack } from "./closeStack.ts";
import { openAccount } from "./openAccount.ts";
import { PORTS, type Ports } from "./openParts.ts";
import { runLoops } from "./runLoops.ts";
import type { RunningWorker } from "./startWorker.ts";
import { untilReachable } from "./untilReachable.ts";

/** Of one blob: thousands of submissions, or one with a long conversation. */
const MAXIMUM_BLOB_BYTES = 16 * 1024 * 1024;
/** Prompt and answer of an individual submission come in a header. */
const MAXIMUM_HEADER_BYTES = 1024 * 1024;
/** Pause between two looks for blobs to renew. */
const RENEW_LOOK_MS = 10_000;
/** Beyond what storing and reading back can take: transactions and their simulations. */
const LEASE_MARGIN_SECONDS = 60;

/**
 * Starts the role `facilitate` in this process: settles for others what enclaves have signed.
 * @throws StartError or another BaseError, each one line that says what to change
 */
export async function startFacilitator(parameters: {
  config: FacilitatorConfig;
  logger: Logger;
  /** aborts a start that waits for the chain */
  signal: AbortSignal;
  ports?: Ports;
}): Promise<RunningWorker> {
  const { config, logger, ports = PORTS, signal } = parameters;
  const { chainId, confirmations, maxFeePerGas, pollMs, rpcTimeoutMs, rpcUrl } = config;
  const book = readAddressBook(config.addressBook);
  const { escrow, gates, operators, registry, relay, token } = contractsOf({ config, book });
  const closers = new CloseStack();
  try {
    const { chain, database, wallet } = await openAccount({
      ...{ config, book, logger, signal, ports, closers },
      contracts: { TEERegistry: registry, LegacySettlement: relay },
      release: releaseAllCalls,
    });
    const { provider } = chain;
    const account = wallet.address;
    const metrics = createMetrics({ database });
    addPaymentGauges({ database, registers: [metrics.registry] });
    const sender = createSender({
      store: paymentStore(database),
      ...{ chain, wallet, metrics, logger, confirmations },
      gate: new FeeGate({ ceiling: maxFeePerGas, metrics, logger }),
      gasLimits: new GasLimits(),
      rebroadcastMs: config.rebroadcastMs,
      replaceMs: config.replaceMs,
    });
    const stopping = new AbortController();
    const paymentsWakeup = new Wakeup();
    const payments = await untilReachable({
      operation: () =>
        createPayments({
          ...{ database, rpcUrl, rpcTimeoutMs, chainId, account, token, escrow, gates, pollMs },
          ...{ operators, otherTokens: config.paymentTokens, logger },
          ...{ receivers: config.paymentReceivers, leastDeposit: config.leastDeposit },
          waitMs: config.paymentWaitMs,
          stopping: stopping.signal,
          onAccepted: () => paymentsWakeup.notify(),
        }),
      ...{ signal, logger },
    });
    const paymentChain = createPaymentChain({ provider, token, escrow, confirmations });
    const blobs = createHttpBlobStore({
      ...config.blobs,
      // Whatever the store makes of a content: it is read back and compared with what was sent.
      ids: "walrus",
      maximumBytes: MAXIMUM_BLOB_BYTES,
      signal: stopping.signal,
    });
    const owner = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
    const leaseSeconds = LOT * 2 * (config.blobs.timeoutMs / 1_000) + LEASE_MARGIN_SECONDS;
    const shared = { database, blobs, logger, leaseSeconds };
    const { keepSeconds, limits } = config;
    const { renewSeconds } = config.blobs;
    const facilitate = createFacilitatePass({ ...shared, owner, sender, relay, limits });
    // Another name: an owner's own leases do not keep it out.
    const renew = createRenewPass({
      ...{ ...shared, owner: `${owner}-renew`, keepSeconds, renewSeconds },
    });
    const wakeup = new Wakeup();
    const conditions = new Map<string, Condition>([["facilitate", { state: "working" }]]);
    const server = await startServer({
      app: createFacilitatorApp({
        ...{ database, payments, metrics, logger, bodyLimit: config.http.bodyLimit },
        registry: { provider, registry, maximumAge: BigInt(config.submissionAge) },
        relayHeartbeat: createHeartbeatRelay({ provider, registry, sender, pollMs }),
        conditions,
        onAccepted: () => wakeup.notify(),
      }),
      ...config.http,
      maximumHeaderBytes: MAXIMUM_HEADER_BYTES,
    });
    const loops = runLoops({
      loops: [
        { name: "facilitate", pass: facilitate, wakeup, intervalMs: pollMs },
        {
          name: "payments",
          pass: createPaymentPass({ database, sender, chain: paymentChain, logger }),
          wakeup: paymentsWakeup,
          intervalMs: pollMs,
        },
        {
          name: "watch",
          pass: createPaymentWatch({ database, provider, reorgBlocks: config.reorgBlocks, logger }),
          wakeup: new Wakeup(),
          intervalMs: pollMs,
        },
        { name: "renew", pass: renew, wakeup: new Wakeup(), intervalMs: RENEW_LOOK_MS },
      ],
      ...{ conditions, metrics, signal: stopping.signal, logger },
    });
    closers.add(async () => {
      stopping.abort();
      await Promise.all([server.close(), ...loops]);
    });
    logger.info({ url: server.url, account, registry, relay }, "listening");
    return { url: server.url, stop: () => closers.close() };
  } catch (error) {
    await closers.close();
    throw error;
  }
}

function contractsOf(parameters: { config: FacilitatorConfig; book: AddressBook }): {
  registry: string;
  relay: string;
  /** of payments; the zero address where none are settled */
  token: string;
  escrow: string | undefined;
  gates: string | undefined;
  operators: string | undefined;
} {
  const { config, book } = parameters;
  const contracts: Readonly<Record<string, { address: string } | undefined>> = book.contracts;
  const addressOf = (name: string, given?: string): string => {
    const address = given ?? contracts[name]?.address;
    if (address !== undefined) return getAddress(address);
    throw new StartError({
      code: "facilitate.noContract",
      message: `HACA_ADDRESS_BOOK: ${config.addressBook} has no ${name}: deploy it first`,
    });
  };
  const escrow = config.escrow ?? contracts.InferenceEscrow?.address;
  return {
    escrow: escrow && getAddress(escrow),
    gates: contracts.ChannelGates && getAddress(contracts.ChannelGates.address),
    operators: contracts.CommerceOperators && getAddress(contracts.CommerceOperators.address),
    registry: addressOf("TEERegistry"),
    relay: addressOf("LegacySettlement", config.relay),
    token: config.paymentReceivers.length === 0 ? ZeroAddress : addressOf("OPG"),
  };
}
