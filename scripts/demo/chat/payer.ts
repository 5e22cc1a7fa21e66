import { LOCAL_MODEL } from "@haca/gateway/localModel/localModel";
import { addressBookPath, readAddressBook } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import { PERMIT2_ADDRESS } from "@haca/protocol/signedPayments";
import { toClientEvmSigner } from "@x402/evm";
import { UptoEvmScheme } from "@x402/evm/upto/client";
import { decodePaymentResponseHeader, wrapFetchWithPaymentFromConfig } from "@x402/fetch";
import { type JsonRpcProvider, MaxUint256, Wallet } from "ethers";
import { privateKeyToAccount } from "viem/accounts";
import { z } from "zod";
import { CHAIN_ID, developmentKey } from "../localChain.ts";
import { fund, storyContracts } from "../validators/storyContracts.ts";

const PAYER = 19;
const NETWORK = `eip155:${CHAIN_ID}` as const;
const MAXIMUM_TOKENS = 24;

const signedSchema = z.object({
  haca: z.object({ message: z.object({ requestId: z.string(), timestamp: z.string() }) }),
});
const chunkSchema = z.object({
  choices: z.array(z.object({ delta: z.object({ content: z.string().nullish() }).optional() })),
});
const wholeSchema = z.object({
  choices: z.tuple([z.object({ message: z.object({ content: z.string() }) })]).rest(z.unknown()),
});

/** What a client knows of an answer when it has it. */
export type ChatAnswer = {
  text: string;
  requestId: string;
  /** unix seconds: when the client had it, and what is signed */
  answeredAt: number;
  signedAt: number;
  /** the transaction that holds the payment */
  paid: string;
};

/** An account with so much OPG that lets Permit2 have it, and asks by a stock client of x402. */
export async function openPayer(provider: JsonRpcProvider, amount: bigint) {
  const wallet = new Wallet(developmentKey(PAYER), provider);
  const { token } = storyContracts(wallet);
  await fund(provider, wallet.address, amount);
  await (await token.approve(PERMIT2_ADDRESS, MaxUint256)).wait();
  const signer = toClientEvmSigner(privateKeyToAccount(wallet.privateKey as `0x${string}`));
  const asset = readAddressBook(addressBookPath(CHAIN_ID)).contracts.OPG?.address ?? "";
  const paying = wrapFetchWithPaymentFromConfig(fetch, {
    schemes: [{ network: NETWORK, client: new UptoEvmScheme(signer) }],
    spendControls: {
      allowedAssets: [{ network: NETWORK, asset, maxAmountPerPayment: String(amount) }],
    },
  });
  return {
    address: wallet.address,
    ask: (url: string, question: string, stream: boolean) => ask({ paying, url, question, stream }),
  };
}

async function ask(parameters: {
  paying: typeof fetch;
  url: string;
  question: string;
  stream: boolean;
}): Promise<ChatAnswer> {
  const { paying, question, stream, url } = parameters;
  const response = await paying(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      ...{ model: LOCAL_MODEL.name, stream, max_tokens: MAXIMUM_TOKENS, temperature: 0 },
      messages: [{ role: "user", content: question }],
    }),
  });
  const body = await response.text();
  const answeredAt = Math.floor(Date.now() / 1000);
  if (response.status !== 200) {
    const message = `the gateway answered ${response.status}: ${body.slice(0, 300)}`;
    throw new BaseError({ code: "demo.refused", message });
  }
  const frames = stream ? framesOf(body) : [JSON.parse(body)];
  const { requestId, timestamp } = signedSchema.parse(frames.at(-1)).haca.message;
  const header = response.headers.get("payment-response") ?? "";
  return {
    text: stream ? streamedText(frames) : wholeSchema.parse(frames[0]).choices[0].message.content,
    ...{ requestId, answeredAt, signedAt: Number(timestamp) },
    paid: decodePaymentResponseHeader(header).transaction,
  };
}

const framesOf = (body: string): unknown[] =>
  [...body.matchAll(/^data: (\{.*\})$/gm)].map(([, frame = ""]) => JSON.parse(frame));

const streamedText = (frames: readonly unknown[]): string =>
  frames
    .flatMap((frame) => chunkSchema.parse(frame).choices)
    .map(({ delta }) => delta?.content ?? "")
    .join("");
