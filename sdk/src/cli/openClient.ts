import type { Release } from "../client/chat/channelOptions.ts";
import type { HacaOptions } from "../client/client.ts";
import { createHaca, type Haca } from "../client/createHaca.ts";
import type { Payer } from "../client/payer.ts";
import type { Policy } from "../isVerified.ts";
import type { Pins } from "../pins.ts";
import { deploymentIn, pinsIn, requireUrl } from "./arguments.ts";
import { UsageError } from "./readInput.ts";

/** What commands that ask nodes have in common. */
export type ClientArguments = {
  node?: readonly string[];
  pins?: string;
  chain?: string;
  rpc?: readonly string[];
  registry?: boolean;
  deployment?: string;
  type?: string;
  localNodes?: boolean;
  attestedChannel?: boolean;
  oblivious?: boolean;
  relay?: string;
  witness?: boolean;
};

/** Of commands that give on streams. */
export type ReleaseArguments = { release?: Release };

/** A client of a command's arguments. @throws BaseError `haca.usage`, `option.wrong`, `node.badAddress` */
export async function openClient(
  options: ClientArguments,
  payer?: Payer,
): Promise<{ haca: Haca; pins: Pins; policy: Policy }> {
  const { node: nodes = [], rpc: rpcs = [] } = options;
  if (nodes.length === 0 && rpcs.length === 0 && options.deployment === undefined) {
    const others = "--rpc to find one in the registry, or --deployment";
    throw new UsageError(`--node: name one at least, or give ${others}`);
  }
  const client = await clientOptions(options);
  const haca = createHaca({ ...client, nodes, payer });
  return { haca, pins: client.pins, policy: client.policy };
}

/** What a client is made with, but for nodes. @throws BaseError `haca.usage` */
export async function clientOptions(
  options: Omit<ClientArguments, "node">,
): Promise<HacaOptions & { pins: Pins; policy: Policy }> {
  const { localNodes: allowLocalNodes = false, rpc: rpcs = [], type } = options;
  rpcs.forEach(requireUrl);
  if (type !== undefined && !/^\d{1,3}$/.test(type)) {
    throw new UsageError(`--type: must be the number of a node type, got ${type}`);
  }
  if (options.oblivious && options.attestedChannel) {
    throw new UsageError("--oblivious: is another channel than --attested-channel");
  }
  if (options.relay !== undefined && !options.oblivious) {
    throw new UsageError("--relay: brings requests of --oblivious alone");
  }
  if (options.relay !== undefined && !options.registry) {
    throw new UsageError(
      "--relay: needs --registry; without it the node itself is asked for its key, and sees who asks",
    );
  }
  const pins = options.pins === undefined ? {} : await pinsIn(options.pins);
  const deployment =
    options.deployment === undefined ? undefined : await deploymentIn(options.deployment);
  const attestation = options.registry ? "registry" : "direct";
  return {
    chainId: options.chain ?? deployment?.chainId ?? chainOf(pins),
    ...{ pins, rpcs, policy: { attestation }, allowLocalNodes },
    ...(deployment === undefined ? {} : { deployment }),
    ...(type === undefined ? {} : { nodeType: Number(type) }),
    ...(options.attestedChannel ? { channel: "attested" } : {}),
    ...(options.oblivious ? { channel: "oblivious" } : {}),
    ...(options.relay === undefined ? {} : { relay: options.relay }),
    ...(options.witness ? { witness: true } : {}),
  };
}

/** The chain of the pinned settlements, where it is one. */
function chainOf({ settlements = [] }: Pins): string {
  const [chain, ...others] = new Set(settlements.map(({ chainId }) => chainId));
  if (chain !== undefined && others.length === 0) return chain;
  throw new UsageError("--chain: say which; the pins have settlements on none, or on several");
}
