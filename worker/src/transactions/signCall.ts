import { keccak256, type Wallet } from "ethers";
import type { Fees } from "./fees.ts";

export type Call = { to: string | null; data: string };

/** Every transaction of this program is signed here: EIP-1559, without value. Sends nothing. */
export async function signCall(parameters: {
  wallet: Wallet;
  chainId: bigint;
  call: Call;
  nonce: number;
  gasLimit: bigint;
  fees: Fees;
}): Promise<{ hash: string; raw: string }> {
  const { wallet, chainId, call, nonce, gasLimit, fees } = parameters;
  const { to, data } = call;
  const request = { type: 2, chainId, nonce, to, data, value: 0n, gasLimit, ...fees };
  const raw = await wallet.signTransaction(request);
  return { hash: keccak256(raw), raw };
}
