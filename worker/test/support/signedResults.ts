import type { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { hashResult, type InferenceResult, settlementDomain } from "@haca/protocol/inferenceResult";
import { encodeRequestId, nodeOfEnclave } from "@haca/protocol/requestId";
import { hexlify, id, type Wallet, ZeroAddress } from "ethers";
import type { TeeChain } from "./teeChain.ts";

/** An entry of `POST /v1/results`. */
export type Entry = {
  message: { [Field in keyof InferenceResult]: string };
  signature: string;
  alone?: boolean;
};
export type Answered = { status: number; body: Record<string, unknown> };
export type Refusal = { error: { code: string; field: string | null; message: string } };

/** Makes results of an enclave, under nonces from a first one on. */
export class ResultMaker {
  readonly #tee: TeeChain;
  readonly #enclave: SimulatedEnclave;
  readonly #versionId: string;
  #nonce: bigint;

  constructor(parameters: {
    tee: TeeChain;
    enclave: SimulatedEnclave;
    versionId: string;
    nonce?: bigint;
  }) {
    this.#tee = parameters.tee;
    this.#enclave = parameters.enclave;
    this.#versionId = parameters.versionId;
    this.#nonce = parameters.nonce ?? 0n;
  }

  /** The next one, changed in some fields before it is signed. */
  make(
    changes: Partial<InferenceResult> = {},
    signer: SimulatedEnclave | Wallet = this.#enclave,
  ): Entry {
    const nonce = this.#nonce;
    this.#nonce += 1n;
    const { teeId } = this.#enclave;
    const result: InferenceResult = {
      modelVersion: this.#versionId,
      inputHash: id(`question ${nonce}`),
      outputHash: id(`answer ${nonce}`),
      requester: ZeroAddress,
      requestId: encodeRequestId({ node: nodeOfEnclave(teeId), nonce }),
      price: 0n,
      timestamp: BigInt(Math.floor(Date.now() / 1000)),
      teeId,
      ...changes,
    };
    const { address } = this.#tee.chain.book.contracts.InferenceSettlement;
    const digest = hashResult({
      domain: settlementDomain({ chainId: 31337n, settlement: address }),
      result,
    });
    const signature =
      "signingKey" in signer && "sign" in signer.signingKey
        ? signer.signingKey.sign(digest).serialized
        : hexlify((signer as SimulatedEnclave).sign(digest));
    const { price, timestamp, ...rest } = result;
    return { message: { ...rest, price: String(price), timestamp: String(timestamp) }, signature };
  }

  /** Goes on at a place of the next ledger page. */
  turnPage(place = 0n): void {
    this.#nonce = (this.#nonce / 256n + 1n) * 256n + place;
  }

  many(count: number): Entry[] {
    return Array.from({ length: count }, () => this.make());
  }
}

/** Hands something in at a worker, whatever it is. */
export async function postResults(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answered> {
  const response = await fetch(`${url}/v1/results`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
