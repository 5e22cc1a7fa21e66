import { type JsonRpcProvider, keccak256, type Wallet } from "ethers";
import type { Fees } from "./fees.ts";

/** Room above the estimate: the state may have changed a little when the transaction is mined. */
const GAS_MARGIN = { numerator: 12n, denominator: 10n };

export type Call = { to: string | null; data: string };

/** Simulates a call against the chain's present state, which finds one that would revert. Errors are the provider's. */
export async function estimateGasLimit(parameters: {
  provider: JsonRpcProvider;
  from: string;
  call: Call;
}): Promise<bigint> {
  const { provider, from, call } = parameters;
  const gas = await provider.estimateGas({ from, ...call });
  return (gas * GAS_MARGIN.numerator) / GAS_MARGIN.denominator;
}

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
