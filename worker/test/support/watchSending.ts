import { Transaction } from "ethers";
import type { Chain } from "../../src/chain/chain.ts";

/** Tells of every transaction that the endpoint has taken; of two under one nonce, the second replaces the first. */
export function watchSending(parameters: {
  chain: Chain;
  onTransition: (transition: "broadcast" | "replacementSent") => void;
}): void {
  const { onTransition } = parameters;
  const { provider } = parameters.chain;
  const send = provider.send.bind(provider);
  const sent = new Map<number, string>();
  provider.send = async (method, params) => {
    const answer = await send(method, params);
    if (method !== "eth_sendRawTransaction") return answer;
    const [raw] = params as [string];
    const { nonce } = Transaction.from(raw);
    const earlier = sent.get(nonce);
    sent.set(nonce, raw);
    if (earlier === undefined) onTransition("broadcast");
    else if (earlier !== raw) onTransition("replacementSent");
    return answer;
  };
}
