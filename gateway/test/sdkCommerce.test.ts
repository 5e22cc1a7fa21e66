import { createHaca } from "@haca/sdk/client/createHaca";
import { createPayer } from "@haca/sdk/pay/createPayer";
import { memoryJournal } from "@haca/sdk/pay/journal";
import { keySigner } from "@haca/sdk/pay/keySigner";
import { Wallet } from "ethers";
import { expect, it, onTestFinished } from "vitest";
import { HONEST } from "../../sdk/test/support/chains.ts";
import { serveChain } from "../../sdk/test/support/fakeChain.ts";
import type { PaidToken } from "../src/payments/paymentSettings.ts";
import { DOMAIN, VERSION_ID } from "./support/bed.ts";
import { OPG_TOKEN, PRICE } from "./support/paidBed.ts";
import {
  DOLLARS,
  OPERATOR,
  startInTwoTokens,
  USDC_OPERATOR,
  USDC_TOKEN,
} from "./support/usdcBed.ts";

const CHAIN_ID = 31_337n;
/** A gateway that is paid into the public escrow in two tokens, and a client whose payer goes on from one journal. */
async function start({ address, name, version }: PaidToken, operator: string, most: bigint) {
  const bed = await startInTwoTokens({ routes: ["exact", "commerce"] });
  const time = BigInt(Math.floor(Date.now() / 1000));
  const chain = await serveChain({ time, contracts: HONEST });
  onTestFinished(() => chain.close());
  const payer = {
    ...{ signer: keySigner(Wallet.createRandom().privateKey), journal: memoryJournal() },
    ...{ maxPerCall: most, maxPerSession: most },
    pins: { chainId: CHAIN_ID, token: { address, name, version }, operators: [operator] },
  };
  const ask = () =>
    createHaca({
      ...{ chainId: CHAIN_ID, rpcs: [chain.url], nodes: [bed.gateway.url] },
      policy: { attestation: "registry" },
      pins: {
        settlements: [{ chainId: "31337", settlement: String(DOMAIN.verifyingContract) }],
        models: { m: { version: VERSION_ID } },
      },
      payer: createPayer({ ...payer, routes: ["commerce"] }),
    }).chat({
      ...{ model: "m", messages: [{ role: "user", content: "hello" }] },
      idempotencyKey: "k".repeat(16),
    });
  return { bed, ask };
}

it.each([
  { token: OPG_TOKEN, operator: OPERATOR, most: PRICE },
  { token: USDC_TOKEN, operator: USDC_OPERATOR, most: DOLLARS },
])(
  "the SDK pays by commerce in $token.symbol, and the same again has the same answer by the same payment",
  async ({ most, operator, token }) => {
    const { ask, bed } = await start(token, operator, most);
    const first = await ask();
    expect([first.verification, first.payment]).toEqual([
      "verified",
      expect.objectContaining({ token: token.address, operator, most: String(most) }),
    ]);
    const again = await ask();
    expect([again.text, again.payment]).toEqual([first.text, first.payment]);
    // What is brought to the chain, and what the worker captures by: one job, with this payment's number.
    expect(bed.settled.map(({ paymentPayload: { payload } }) => payload)).toEqual([
      expect.objectContaining({
        authorization: expect.objectContaining({ nonce: first.payment?.nonce }),
      }),
    ]);
    expect(bed.results).toHaveLength(1);
  },
);
