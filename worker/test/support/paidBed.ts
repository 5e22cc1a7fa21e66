import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeSigningKeys } from "@haca/enclave-simulator/simulatedEnclave";
import { escrowInterface } from "@haca/protocol/escrowCalls";
import { nodeOfEnclave } from "@haca/protocol/requestId";
import { decodePaymentSignatureHeader } from "@x402/core/http";
import { Wallet } from "ethers";
import type { ContractOf } from "../../../scripts/lib/contracts.ts";
import { channelAt, DELAY, openGate } from "./channels.ts";
import { createOperator } from "./commerce.ts";
import { pricesWith } from "./dollars.ts";
import { FEE_BPS } from "./escrow.ts";
import { checkGateway, GatewayProcess } from "./gatewayProcess.ts";
import { ETHER, PaidChain, type PaidChainParts, PRICE } from "./paidChain.ts";
import { waitFor } from "./processes.ts";
import type { Settings } from "./worker.ts";

export const FEE = (PRICE * FEE_BPS) / 10_000n;
/** A question that costs `PRICE`. */
export const QUESTION = { model: "chat", messages: [{ role: "user", content: "hello" }] };

/** The chain, a worker that settles and captures, and a gateway whose answers are paid for. */
export class PaidBed extends PaidChain {
  readonly gateway: GatewayProcess;
  /** of the worker that collects, settles and captures */
  readonly workerUrl: string;
  /** of the model `chat` */
  readonly versionId: string;
  /** What `check` says of a gateway with other settings. */
  readonly check: (settings: Settings) => Promise<string>;
  /** Starts a gateway of the same node that has the attested key itself, and takes sealed requests for `PRICE`. */
  readonly sealing: () => Promise<GatewayProcess>;
  /** where payment channels are paid */
  readonly gate: ContractOf<"ChannelGate">;
  /** where payments into the public escrow are */
  readonly operator: ContractOf<"CommerceOperator">;
  /** the same in dollars */
  readonly dollarOperator: ContractOf<"CommerceOperator">;

  private constructor(
    parts: PaidChainParts,
    served: Pick<
      PaidBed,
      | "check"
      | "dollarOperator"
      | "gate"
      | "gateway"
      | "operator"
      | "sealing"
      | "versionId"
      | "workerUrl"
    >,
  ) {
    super(parts);
    this.gateway = served.gateway;
    this.versionId = served.versionId;
    this.gate = served.gate;
    this.operator = served.operator;
    this.dollarOperator = served.dollarOperator;
    this.check = served.check;
    this.sealing = served.sealing;
    this.workerUrl = served.workerUrl;
  }

  static async start(): Promise<PaidBed> {
    const chain = await PaidChain.open();
    const { closers, dollars, escrow, folder, seller: payee, tee } = chain;
    const own = { ...chain.sellerSettings, HACA_CLAIM_SECONDS: "0" };
    const url = await chain.worker(["collect", "settle"], own);
    const keys = makeSigningKeys("secp256k1");
    const enclave = tee.enclave("secp256k1", keys);
    await tee.admit(enclave);
    const versionId = await tee.chain.publishManifest("chat");
    const gates = tee.chain.book.contracts.ChannelGates?.address ?? "";
    const node = nodeOfEnclave(enclave.teeId);
    const gate = await openGate({ tee, escrow, gates, node, payee });
    const operators = tee.chain.book.contracts.CommerceOperators?.address ?? "";
    const opg = String(chain.pages.token.target);
    const operator = await createOperator({ tee, escrow, operators, node, payee, token: opg });
    const dollarOperator = await createOperator({
      ...{ tee, escrow, operators, node, payee, token: dollars.address },
    });
    const session = await tee.certifySession(enclave, true);
    const parts = { enclave, session, url, versionId, folder };
    const settings = {
      ...{ ...chain.gatewaySettings, HACA_GATEWAY_ROUTES: "escrow,exact,commerce" },
      ...{ HACA_GATEWAY_GATE: String(gate.target), HACA_GATEWAY_WITHDRAW_DELAY: String(DELAY) },
      HACA_GATEWAY_COMMERCE_OPERATOR: String(operator.target),
      HACA_GATEWAY_PRICES: pricesWith(dollars.inTable(String(dollarOperator.target))),
      HACA_GATEWAY_MIN_REFUND: String(PRICE),
    };
    const gateway = await GatewayProcess.start({ ...parts, settings });
    const check = (changes: Settings) =>
      checkGateway({ ...parts, settings: { ...settings, ...changes } });
    closers.unshift(() => gateway.stop());
    const sealing = async () => {
      const key = join(folder, "attested.pem");
      writeFileSync(key, keys.privateKey.export({ type: "pkcs8", format: "pem" }));
      const { models } = JSON.parse(chain.gatewaySettings.HACA_GATEWAY_PRICES ?? "");
      const own = {
        ...{ HACA_GATEWAY_ATTESTED_KEY: key, HACA_GATEWAY_SESSION_KEY: "" },
        HACA_GATEWAY_ANSWERS: join(folder, "sealed.answers"),
        HACA_GATEWAY_PRICES: JSON.stringify({ models, oblivious: models.chat }),
      };
      const other = await GatewayProcess.start({ ...parts, settings: { ...settings, ...own } });
      closers.unshift(() => other.stop());
      return other;
    };
    const served = { check, dollarOperator, gate, gateway, operator, sealing, versionId };
    return new PaidBed(chain, { ...served, workerUrl: url });
  }

  /** Asks the gateway with such a client. */
  ask(paying: typeof fetch, body: object = QUESTION, headers: Record<string, string> = {}) {
    return this.#post("/v1/chat/completions", paying, body, headers);
  }

  /** Asks it where it is paid by channels. */
  askByChannel(paying: typeof fetch, body: object = QUESTION) {
    return this.#post("/v1/channel/chat/completions", paying, body);
  }

  /** Waits until so much was claimed of a channel; makes blocks, for those who wait for them. Returns what came into it. */
  async claimed(channelId: string, amount: bigint): Promise<bigint> {
    return await waitFor(async () => {
      await this.tee.chain.send("evm_mine");
      const { balance, claimed } = await channelAt(this.tee, channelId);
      return claimed === amount ? balance : undefined;
    });
  }

  #post(path: string, paying: typeof fetch, body: object, headers: Record<string, string> = {}) {
    return paying(`${this.gateway.url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
  }

  /** Opens the job of a payment, as somebody who has seen its header. Returns the transaction. */
  async openAsStranger(header: string): Promise<string> {
    const { accepted, payload } = decodePaymentSignatureHeader(header);
    const { permit2Authorization: permit, signature } = payload as {
      permit2Authorization: {
        permitted: { amount: string };
        witness: { validAfter: string };
      } & Record<"from" | "nonce" | "deadline", string>;
      signature: string;
    };
    const payment = {
      ...{ payer: permit.from, amount: permit.permitted.amount, nonce: permit.nonce, signature },
      ...{ validAfter: permit.witness.validAfter, validUntil: permit.deadline },
    };
    const data = escrowInterface.encodeFunctionData("open", [accepted.extra.haca, payment]);
    const stranger = new Wallet(Wallet.createRandom().privateKey, this.tee.chain.provider);
    await this.tee.chain.send("anvil_setBalance", stranger.address, ETHER);
    const sent = await stranger.sendTransaction({ to: String(this.escrow.target), data });
    await sent.wait();
    return sent.hash;
  }

  /** Waits until a job stands so; makes blocks, for those who wait for them. */
  async until(jobId: string, status: bigint): Promise<void> {
    await waitFor(async () => {
      await this.tee.chain.send("evm_mine");
      return (await this.escrow.statusOf?.(jobId)) === status ? true : undefined;
    });
  }
}
