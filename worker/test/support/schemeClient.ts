import { toClientEvmSigner } from "@x402/evm";
import { AuthCaptureEvmScheme } from "@x402/evm/auth-capture/client";
import { ExactEvmScheme } from "@x402/evm/exact/client";
import { UptoEvmScheme } from "@x402/evm/upto/client";
import type { Wallet } from "ethers";
import { privateKeyToAccount } from "viem/accounts";

export type PaidScheme = "upto" | "exact" | "auth-capture";

/** What signs payments of a scheme, as the stock client has it. */
export function schemeClient(payer: Wallet, scheme: PaidScheme) {
  const signer = toClientEvmSigner(privateKeyToAccount(payer.privateKey as `0x${string}`));
  if (scheme === "auth-capture") return new AuthCaptureEvmScheme(signer);
  return scheme === "upto" ? new UptoEvmScheme(signer) : new ExactEvmScheme(signer);
}
