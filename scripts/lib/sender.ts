import { BaseError } from "@haca/protocol/baseError";
import { getAddress, isAddress, type JsonRpcSigner } from "ethers";
import type { ChainSession } from "./chainSession.ts";

/** Options of a verb that sends, or writes what a Safe is to send: those of `withSafe`. */
export type SenderOptions = { account: string; yes?: boolean; safe?: string; as?: string };

/** Who sends; without a signer where a Safe will. */
export type Sender = { address: string; signer?: JsonRpcSigner };

/** Error: `chain.badSender` for `--safe` without `--as`, the reverse, or no address; those of the session's accounts. */
export async function senderOf(
  session: Pick<ChainSession, "signer">,
  options: SenderOptions,
): Promise<Sender> {
  const { account, as, safe } = options;
  if ((as === undefined) !== (safe === undefined)) {
    throw badSender("--safe <file> and --as <the Safe's address> go together");
  }
  if (as !== undefined) {
    if (/^0x/.test(as) && isAddress(as)) return { address: getAddress(as) };
    throw badSender(`--as ${as} is no address`);
  }
  const signer = await session.signer(account);
  return { address: getAddress(signer.address), signer };
}

const badSender = (message: string): BaseError =>
  new BaseError({ code: "chain.badSender", message });
