import { COMMERCE_DEPLOYMENTS } from "@haca/protocol/commerceEscrows";
import { nodeOfEnclave } from "@haca/protocol/requestId";
import { createHaca } from "@haca/sdk/client/createHaca";
import { createPayer } from "@haca/sdk/pay/createPayer";
import { memoryJournal, type PaymentJournal } from "@haca/sdk/pay/journal";
import { keySigner } from "@haca/sdk/pay/keySigner";
import { Wallet } from "ethers";
import { expect, it, onTestFinished } from "vitest";
import { HONEST } from "../../sdk/test/support/chains.ts";
import { serveChain } from "../../sdk/test/support/fakeChain.ts";
import { DOMAIN, SIGNER, VERSION_ID } from "./support/bed.ts";
import { PAYEE, PaidBed, PRICE, TOKEN } from "./support/paidBed.ts";

const DAY = 86_400;
const CHAIN_ID = 31_337n;
const OPERATOR = `0x${"66".repeat(20)}`;
const commerce = String(COMMERCE_DEPLOYMENTS[0]?.escrow);

/** A gateway that is paid into the public escrow, and a client whose payer goes on from a journal. */
async function start() {
  const bed = await PaidBed.start({ routes: ["exact", "commerce"], operator: OPERATOR });
  bed.operator = {
    ...{ operator: OPERATOR, node: nodeOfEnclave(SIGNER.teeId), payee: PAYEE, token: TOKEN },
    ...{ feeBps: 0, kinds: 68, commerce, leastWindow: 5 * DAY, mostWindow: 30 * DAY },
  };
  const time = BigInt(Math.floor(Date.now() / 1000));
  const chain = await serveChain({ time, contracts: HONEST });
  onTestFinished(() => chain.close());
  const signer = keySigner(Wallet.createRandom().privateKey);
  const token = { address: TOKEN, name: "OPG", version: "1" };
  const ask = (journal: PaymentJournal) =>
    createHaca({
      ...{ chainId: CHAIN_ID, rpcs: [chain.url], nodes: [bed.gateway.url] },
      policy: { attestation: "registry" },
      pins: {
        settlements: [{ chainId: "31337", settlement: String(DOMAIN.verifyingContract) }],
        models: { m: { version: VERSION_ID } },
      },
      payer: createPayer({
        ...{ signer, journal, routes: ["commerce"], maxPerCall: PRICE, maxPerSession: PRICE },
        pins: { chainId: CHAIN_ID, token, operators: [OPERATOR] },
      }),
    }).chat({
      ...{ model: "m", messages: [{ role: "user", content: "hello" }] },
      idempotencyKey: "k".repeat(16),
    });
  return { bed, ask };
}

it("the SDK pays by commerce, and the same again has the same answer by the same payment", async () => {
  const { ask, bed } = await start();
  const journal = memoryJournal();
  const first = await ask(journal);
  expect([first.verification, first.payment]).toEqual([
    "verified",
    expect.objectContaining({ route: "commerce", operator: OPERATOR, most: String(PRICE) }),
  ]);
  const again = await ask(journal);
  expect([again.text, again.payment]).toEqual([first.text, first.payment]);
  // What is brought to the chain, and what the worker captures by: one job, with this payment's number.
  expect(bed.settled.map(({ paymentPayload: { payload } }) => payload)).toEqual([
    expect.objectContaining({
      authorization: expect.objectContaining({ nonce: first.payment?.nonce }),
    }),
  ]);
  expect(bed.results).toHaveLength(1);
});
