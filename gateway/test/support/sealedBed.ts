import { createPublicKey } from "node:crypto";
import { createHaca } from "@haca/sdk/client/createHaca";
import { hexlify } from "ethers";
import { servedChains } from "../../../sdk/test/support/chains.ts";
import { registryOf } from "../../../sdk/test/support/nodeRegistry.ts";
import type { PaymentSettings } from "../../src/payments/paymentSettings.ts";
import type { Price } from "../../src/payments/prices.ts";
import { DOMAIN, SIGNER, VERSION_ID } from "./bed.ts";
import { type Sealed, sealRequest } from "./ohttpClient.ts";
import { type PaidBed, PRICE, QUESTION } from "./paidBed.ts";
import { sealedPost } from "./payingRelay.ts";

/** What a sealed request costs, whatever is in it. */
export const FLAT = 7_000n;
/** Prices with one for sealed requests; others are paid by the escrow, where the test does not say otherwise. */
export const SEALED: Partial<PaymentSettings> = {
  prices: {
    models: new Map<string, Price>([["m", { amount: PRICE }]]),
    oblivious: { amount: FLAT },
    rate: undefined,
  },
  routes: ["escrow"],
};
export const PATH = "/v1/ohttp";
export const MALFORMED = '{"error":"malformed encapsulated request"}';

const configOf = async (bed: PaidBed) =>
  (await (await fetch(`${bed.gateway.url}/v1/ohttp/config`)).json()) as {
    key_id: number;
    public_key: string;
  };

/** Seals a question as clients do. */
export async function sealFor(bed: PaidBed, question: unknown = QUESTION): Promise<Sealed> {
  const { key_id: keyId, public_key: publicKey } = await configOf(bed);
  const text = typeof question === "string" ? question : JSON.stringify(question);
  return sealRequest({ keyId, publicKey }, text);
}

/** Brings what was sealed, paid or not. */
export const bring = (
  bed: PaidBed,
  bytes: Uint8Array,
  by: { paying?: typeof fetch; headers?: Record<string, string>; path?: string } = {},
): Promise<Response> => {
  const { headers, path = PATH, paying = fetch } = by;
  return paying(`${bed.gateway.url}${path}`, sealedPost(bytes, headers));
};

/** What its client reads of an answer. */
export const readBy = async ({ open }: Sealed, response: Response) =>
  JSON.parse(open(new Uint8Array(await response.arrayBuffer())));

/** Has the gateway make the next key. */
export async function rotate(bed: PaidBed): Promise<void> {
  const { key_id: keyId } = await configOf(bed);
  await fetch(`${bed.gateway.operatorUrl}/enclave/ohttp-key/next`, {
    ...{ method: "POST", body: JSON.stringify({ keyId }) },
  });
}

/** The SDK's client, over a registry that has the gateway's enclave and key, by a relay; for a file of tests. */
export function relayedClients(): (
  bed: PaidBed,
  relay: string,
) => Promise<ReturnType<typeof createHaca>> {
  const start = servedChains();
  return async (bed, relay) => {
    const { key_id: keyId, public_key } = await configOf(bed);
    const spki = createPublicKey(SIGNER.publicKey).export({ type: "spki", format: "der" });
    const suite = { kemId: 0x20, kdfId: 1, aeadId: 3 };
    const keyConfig = `0x${keyId.toString(16).padStart(2, "0")}0020${public_key}000400010003`;
    const contracts = registryOf([
      {
        ...{ endpoint: bed.gateway.url, teeId: SIGNER.teeId, publicKey: hexlify(spki) },
        ohttpConfig: { keyId, ...suite, publicKey: `0x${public_key}`, keyConfig, registeredAt: 1 },
      },
    ]);
    const time = BigInt(Math.floor(Date.now() / 1_000));
    return createHaca({
      ...{ chainId: 31_337n, rpcs: [await start({ time, contracts })], relay },
      pins: {
        settlements: [{ chainId: "31337", settlement: String(DOMAIN.verifyingContract) }],
        models: { m: { version: VERSION_ID } },
      },
      ...{ nodes: [bed.gateway.url], channel: "oblivious", policy: { attestation: "registry" } },
    });
  };
}
