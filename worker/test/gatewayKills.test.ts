import { once } from "node:events";
import { escrowInterface } from "@haca/protocol/escrowCalls";
import { operatorInterface } from "@haca/protocol/operatorCalls";
import { nodeOfEnclave } from "@haca/protocol/requestId";
import type { Wallet } from "ethers";
import { expect, it, onTestFinished } from "vitest";
import type { ContractOf } from "../../scripts/lib/contracts.ts";
import { channelClient, signedIn as channelPaymentIn } from "./support/channelClient.ts";
import { channelAt, DELAY, openGate } from "./support/channels.ts";
import { createOperator, DEPLOYMENT } from "./support/commerce.ts";
import { freePorts } from "./support/freePorts.ts";
import { signedIn, startGateway, startUpstream } from "./support/gatewayProcess.ts";
import { KilledPair, type Part } from "./support/killedPair.ts";
import { PaidChain, PRICE } from "./support/paidChain.ts";
import { waitFor } from "./support/processes.ts";
import type { PaidScheme } from "./support/schemeClient.ts";
import { seeded } from "./support/seeded.ts";
import { temporaryQueue } from "./support/temporaryFolder.ts";
import { WorkerProcess } from "./support/worker.ts";

const isDeep = process.env.HACA_DEEP === "1";
/** A multiple of four. */
const REQUESTS = isDeep ? Number(process.env.HACA_KILLED_REQUESTS ?? 1_000) : 8;
/** The short one's deaths are two: of the gateway, and of both. */
const SEED = isDeep ? "kills 1000" : "kills 8, 271";
/** Of one channel, one after another. */
const CHANNEL_REQUESTS = 100;
const REFUNDS = 18;
/** Of four requests two are paid, and one of these two is a stream. */
const isPaid = (index: number): boolean => index % 4 < 2;
/** Of four that are paid two are held by the escrow, and two by the public one. */
const schemeOf = (index: number): PaidScheme => (index % 8 < 4 ? "upto" : "auth-capture");
const isStream = (index: number): boolean => index % 2 === 1;
const PAID = REQUESTS / 2;
/** Requests between two deaths, on the average. */
const APART = isDeep ? 10 : 4;
const CLIENTS = 4;
/** A death comes so long after a request went upstream at most: while it is signed, stored, handed in, shown, or settled. */
const MAXIMUM_DELAY_MS = 60;
/** The same after a payer has begun to ask for what is left of its channel: it is told a sum, ordered, sent, or known of. */
const MAXIMUM_REFUND_MS = 1_000;
/** A death costs seconds, and the deep run has a hundred of them. */
const TIMEOUT_MS = isDeep ? 7_200_000 : 600_000;
/** After so many answers the deep run says how far it is. */
const TOLD = 50;

const VICTIMS: readonly (readonly Part[])[] = [["gateway"], ["worker"], ["gateway", "worker"]];

async function startPair(onAsked: () => void) {
  const chain = await PaidChain.open();
  onTestFinished(() => chain.stop());
  const { folder, tee } = chain;
  const enclave = tee.enclave("secp256k1");
  await tee.admit(enclave);
  const session = await tee.certifySession(enclave, true);
  const versionId = await tee.chain.publishManifest("chat");
  const upstream = await startUpstream(() => {
    onAsked();
    return undefined;
  });
  onTestFinished(async () => {
    upstream.closeAllConnections();
    upstream.close();
    await once(upstream, "close");
  });
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const queue = {
    ...{ HACA_HTTP_PORT: String(port), HACA_DATA_DIR: temporaryQueue(), HACA_CLAIM_SECONDS: "0" },
  };
  const gates = tee.chain.book.contracts.ChannelGates?.address ?? "";
  const node = nodeOfEnclave(enclave.teeId);
  const { escrow, seller: payee } = chain;
  const gate = await openGate({ tee, escrow, gates, node, payee });
  const operator = await createOperator({
    ...{ tee, escrow, node, payee, token: String(chain.pages.token.target) },
    operators: tee.chain.book.contracts.CommerceOperators?.address ?? "",
  });
  const settings = { ...chain.settings, ...chain.sellerSettings, ...queue };
  const gatewaySettings = {
    ...chain.gatewaySettings,
    ...{ HACA_GATEWAY_GATE: String(gate.target), HACA_GATEWAY_WITHDRAW_DELAY: String(DELAY) },
    ...{ HACA_GATEWAY_ROUTES: "escrow,commerce", HACA_GATEWAY_MIN_REFUND: String(PRICE) },
    HACA_GATEWAY_COMMERCE_OPERATOR: String(operator.target),
    HACA_GATEWAY_MODELS: `chat=${versionId},free=${versionId}`,
    HACA_GATEWAY_PRICES: JSON.stringify({
      models: { chat: { token: "OPG", amount: String(PRICE) }, free: { free: true } },
    }),
  };
  const pair = new KilledPair({
    gateway: () =>
      startGateway({
        ...{ enclave, session, versionId, url, folder, upstream, settings: gatewaySettings },
      }),
    worker() {
      const worker = new WorkerProcess({ settings, roles: ["collect", "settle"] });
      return { child: worker.child, url: worker.url() };
    },
  });
  onTestFinished(() => pair.stop());
  await pair.start("worker");
  await pair.start("gateway");
  return { chain, gate, operator, pair, worker: url };
}

/** A client that asks until it has a whole answer: of what is paid, with the payment that it made, as long as that is good. */
class Insisting {
  readonly #pair: KilledPair;
  readonly #paying: typeof fetch;
  #payment: string | undefined;

  constructor(parameters: {
    chain: PaidChain;
    pair: KilledPair;
    payer: Wallet;
    scheme: PaidScheme;
  }) {
    const { chain, pair, payer, scheme } = parameters;
    this.#pair = pair;
    this.#paying = chain.client(payer, scheme, async (input, init) => {
      this.#payment = (input as Request).headers.get("payment-signature") ?? this.#payment;
      return await fetch(input, init);
    });
  }

  /** Returns the id of the answer's result. */
  async ask(index: number): Promise<string> {
    for (;;) {
      const url = await this.#pair.url;
      try {
        const response = await this.#post(url, index);
        // The process that made the quote is dead, and has taken nothing: the next one is paid.
        if (response.status === 402) this.#payment = undefined;
        const { haca } = signedIn(await response.text());
        if (haca !== undefined) return haca.message.requestId;
      } catch {
        // It was killed in the middle.
      }
      await this.#pair.settled();
    }
  }

  #post(url: string, index: number): Promise<Response> {
    const paid = this.#payment === undefined ? {} : { "payment-signature": this.#payment };
    const headers = isPaid(index) ? paid : { "idempotency-key": `key-${index}` };
    const send = isPaid(index) && this.#payment === undefined ? this.#paying : fetch;
    return send(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({
        ...{ model: isPaid(index) ? "chat" : "free", messages: [] },
        ...{ stream: isStream(index), seed: index },
      }),
    });
  }
}

/** Results that captured a job, in the order of their captures. */
async function capturedBy({ escrow, tee }: PaidChain, operator: string): Promise<string[]> {
  const { provider } = tee.chain;
  await tee.chain.send("evm_mine");
  const found: string[] = [];
  for (const [address, of] of [
    [String(escrow.target), escrowInterface],
    [operator, operatorInterface],
  ] as const) {
    const topics = [of.getEvent("JobCaptured")?.topicHash ?? null];
    const logs = await provider.getLogs({ address, topics, fromBlock: 0 });
    found.push(...logs.map((log) => String(of.parseLog(log)?.args.requestId)));
  }
  return found;
}

it(
  `kill -9 of gateway, worker and both at random points over ${REQUESTS} requests: every answer is settled, and charged, once`,
  async () => {
    const random = seeded(SEED);
    let asked = 0;
    const { chain, operator, pair, worker } = await startPair(() => {
      asked += 1;
      // The first APART are left alone, so that there is something to lose.
      if (asked < APART || random(APART) > 0) return;
      pair.kill(VICTIMS[random(VICTIMS.length)] ?? [], random(MAXIMUM_DELAY_MS));
    });
    const money = PRICE * BigInt(2 * PAID);
    const payer = await chain.payer(money);
    const answers = new Map<number, string>();
    const clients = new Map<number, Insisting>();
    let next = 0;
    const takeTurns = async (): Promise<void> => {
      while (next < REQUESTS) {
        const index = next;
        next += 1;
        const client = new Insisting({ chain, pair, payer, scheme: schemeOf(index) });
        clients.set(index, client);
        answers.set(index, await client.ask(index));
        if (isDeep && answers.size % TOLD === 0) {
          console.log(
            `${new Date().toISOString()}: ${answers.size} answers, ${pair.deaths} deaths`,
          );
        }
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, takeTurns));
    await pair.settled();
    expect(pair.deaths).toBeGreaterThan(0);

    // Whoever asks again is shown the same.
    for (const [index, client] of [...clients].slice(0, 20)) {
      expect(await client.ask(index)).toBe(answers.get(index));
    }
    const jobs = await waitFor(async () => {
      const health = await fetch(`${worker}/health`);
      const { jobs: states } = (await health.json()) as { jobs: Record<string, number> };
      const { accepted, proven, submitted } = states;
      return accepted === 0 && proven === 0 && submitted === 0 ? states : undefined;
    });
    expect(jobs).toMatchObject({ settled: REQUESTS, failed: 0 });
    const counts = await chain.tee.chain.countSettlements();
    expect([...counts.keys()].sort()).toEqual([...answers.values()].sort());
    expect([...counts.values()].every((count) => count === 1)).toBe(true);

    const paid = [...answers].flatMap(([index, id]) => (isPaid(index) ? [id] : [])).sort();
    expect(paid).toHaveLength(PAID);
    // Each is captured, by its own result, and whatever else was held is with the payer again.
    const captured = await waitFor(async () => {
      const found = await capturedBy(chain, String(operator.target));
      const holders = [String(chain.escrow.target), DEPLOYMENT.escrow];
      const held = await Promise.all(holders.map((holder) => chain.balanceOf(holder)));
      const isEmpty = held.every((amount) => amount === 0n);
      return isEmpty && found.length >= PAID ? found : undefined;
    });
    expect(captured.sort()).toEqual(paid);
    expect(await chain.balanceOf(payer.address)).toBe(money - PRICE * BigInt(PAID));
  },
  TIMEOUT_MS,
);

/** Asks by channel until there is a whole answer. Returns the id of its result. */
async function askByChannel(parameters: {
  pair: KilledPair;
  paying: typeof fetch;
  seed: number;
}): Promise<string> {
  const { pair, paying, seed } = parameters;
  for (;;) {
    const url = await pair.url;
    try {
      const response = await paying(`${url}/v1/channel/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model: "chat", messages: [], seed, stream: isStream(seed) }),
      });
      const { haca } = signedIn(await response.text());
      if (haca !== undefined) return haca.message.requestId;
    } catch {
      // It was killed in the middle.
    }
    await pair.settled();
  }
}

/** All answers are settled, once, and each result that is was claimed of the channel. */
async function expectClaimed(parameters: {
  chain: PaidChain;
  gate: ContractOf<"ChannelGate">;
  channelId: string;
  answers: readonly string[];
}): Promise<void> {
  const { answers, chain, channelId, gate } = parameters;
  const counts = await waitFor(async () => {
    await chain.tee.chain.send("evm_mine");
    const { claimed } = await channelAt(chain.tee, channelId);
    const settled = await chain.tee.chain.countSettlements();
    // What was settled so far may be claimed before the last answers are.
    const isAll = answers.every((id) => settled.has(id));
    const isClaimed = isAll && claimed === (await gate.provenOf(channelId));
    return isClaimed && claimed === PRICE * BigInt(settled.size) ? settled : undefined;
  });
  // A stream whose client was told of nothing may be settled besides, signed over what it was sent.
  expect([...counts.values()].every((count) => count === 1)).toBe(true);
}

it.runIf(isDeep)(
  `kill -9 over ${CHANNEL_REQUESTS} requests of one channel: every answer is claimed once, and nothing else is`,
  async () => {
    const random = seeded("kills of a channel");
    let asked = 0;
    const { chain, gate, pair } = await startPair(() => {
      asked += 1;
      if (asked < APART || random(APART) > 0) return;
      pair.kill(VICTIMS[random(VICTIMS.length)] ?? [], random(MAXIMUM_DELAY_MS));
    });
    // Enough for what is noted as charged for answers that nobody got, too.
    const payer = await chain.payer(PRICE * BigInt(10 * CHANNEL_REQUESTS));
    const { paying, payments } = channelClient({ payer, rpcUrl: chain.tee.chain.url });
    const answers: string[] = [];
    for (let seed = 0; seed < CHANNEL_REQUESTS; seed++) {
      answers.push(await askByChannel({ pair, paying, seed }));
    }
    await pair.settled();
    expect(pair.deaths).toBeGreaterThan(0);
    expect(new Set(answers).size).toBe(CHANNEL_REQUESTS);
    await expectClaimed({
      chain,
      gate,
      channelId: channelPaymentIn(payments[0]).channelId,
      answers,
    });
  },
);

it.runIf(isDeep)(
  `kill -9 over ${REFUNDS} refunds of one channel: what was charged is claimed, and the rest is with its payer`,
  async () => {
    const random = seeded("kills of refunds");
    const { chain, gate, pair } = await startPair(() => undefined);
    const money = PRICE * BigInt(10 * REFUNDS);
    const payer = await chain.payer(money);
    const { paying, payments, scheme } = channelClient({ payer, rpcUrl: chain.tee.chain.url });
    const answers: string[] = [];
    for (let seed = 0; seed < REFUNDS; seed++) {
      answers.push(await askByChannel({ pair, paying, seed }));
      const { channelId } = channelPaymentIn(payments[0]);
      const parts = VICTIMS[seed % VICTIMS.length] ?? [];
      pair.kill(parts, random(MAXIMUM_REFUND_MS));
      // It asks until all is with it that is not charged.
      await waitFor(async () => {
        const url = await pair.url;
        await scheme.refund(`${url}/v1/channel/chat/completions`).catch(() => undefined);
        await pair.settled();
        // The next is not taken before the one before is as deep as reorganisations are watched for.
        await chain.tee.chain.send("evm_mine");
        const { balance } = await channelAt(chain.tee, channelId);
        return balance === PRICE * BigInt(answers.length) ? true : undefined;
      });
      expect(await chain.balanceOf(payer.address)).toBe(money - PRICE * BigInt(answers.length));
    }
    expect(pair.deaths).toBe(REFUNDS);
    expect(new Set(answers).size).toBe(REFUNDS);
    await expectClaimed({
      chain,
      gate,
      channelId: channelPaymentIn(payments[0]).channelId,
      answers,
    });
  },
  TIMEOUT_MS,
);
