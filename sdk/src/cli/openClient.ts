import { createHaca, type Haca } from "../client/createHaca.ts";
import type { Payer } from "../client/payer.ts";
import type { Policy } from "../isVerified.ts";
import type { Pins } from "../pins.ts";
import { pinsIn, requireUrl } from "./arguments.ts";
import { UsageError } from "./readInput.ts";

/** What commands that ask nodes have in common. */
export type ClientArguments = {
  node?: readonly string[];
  pins?: string;
  chain?: string;
  rpc?: readonly string[];
  registry?: boolean;
};

/** A client of a command's arguments. @throws BaseError `haca.usage`, `option.wrong`, `node.badAddress` */
export async function openClient(
  options: ClientArguments,
  payer?: Payer,
): Promise<{ haca: Haca; pins: Pins; policy: Policy }> {
  const { node: nodes = [], rpc: rpcs = [] } = options;
  if (nodes.length === 0) throw new UsageError("--node: name one at least");
  rpcs.forEach(requireUrl);
  const pins = options.pins === undefined ? {} : await pinsIn(options.pins);
  const policy = { attestation: options.registry ? "registry" : "direct" } as const;
  const haca = createHaca({
    chainId: options.chain ?? chainOf(pins),
    ...{ nodes, pins, rpcs, policy, payer },
  });
  return { haca, pins, policy };
}

/** The chain of the pinned settlements, where it is one. */
function chainOf({ settlements = [] }: Pins): string {
  const [chain, ...others] = new Set(settlements.map(({ chainId }) => chainId));
  if (chain !== undefined && others.length === 0) return chain;
  throw new UsageError("--chain: say which; the pins have settlements on none, or on several");
}
