import { isEndpoint } from "../chain/jsonRpc.ts";
import type { SealingKey } from "../chain/registeredNodes.ts";
import { type Deployment, withDeployment } from "../deployment.ts";
import type { Policy } from "../isVerified.ts";
import type { Pins } from "../pins.ts";
import { type ChannelOptions, type ReadChannel, readChannel } from "./chat/channelOptions.ts";
import { readNodeAddress } from "./nodeAddress.ts";
import { NodeMemory } from "./nodes/nodeMemory.ts";
import { optionError, requireKnown } from "./optionError.ts";
import type { Payer } from "./payer.ts";
import type { Send } from "./send.ts";

/** What a client is made of. */
export type HacaOptions = ChannelOptions & {
  /** chain on which answers are settled: settlements that are pinned on others do not count */
  chainId: bigint | number | string;
  /** addresses of JSON-RPC endpoints; all have to agree. None: no chain is asked */
  rpcs?: readonly string[];
  /** what is known beforehand; without it nothing is verified */
  pins?: Pins;
  /** addresses of nodes, where a call names none; without any, those of the deployment, and then the registry's */
  nodes?: readonly string[];
  /** from `readDeployment`: settlement and names of models, where they are not pinned, and nodes */
  deployment?: Deployment;
  /** of which type the registry's nodes have to be; 0 if left out */
  nodeType?: number;
  /** on local chains: takes endpoints on this machine from the registry, by http too */
  allowLocalNodes?: boolean;
  /** what an answer has to have shown, where a call does not say */
  policy?: Policy;
  limits?: Partial<ClientLimits>;
  /**
   * address of who brings oblivious requests, so that the node does not see who asks; if left out they go to the node. Only with
   * the policy `attestation: "registry"`: else the node itself would be asked for its key
   */
  relay?: string;
  /** appends to each answer's receipt what the chain's latest block shows of it then; a call may say otherwise */
  witness?: boolean;
  /** who pays nodes that ask for it: of `createPayer`. Without one nothing is paid */
  payer?: Payer | undefined;
};

/** What strangers get of this client at most. */
export type ClientLimits = {
  /** bytes of an answer, as a stream or not */
  answerBytes: number;
  /** until the answer's last byte */
  answerMs: number;
  /** of what is asked besides: keys, documents */
  askBytes: number;
  askMs: number;
  /** nodes that are asked for one answer, one after another */
  nodes: number;
  /** a node that takes longer for a small question is asked after others for a while */
  slowMs: number;
};

/** Connections of which an enclave has attested the certificate, DER. */
export type AttestedTls = { certificate: Uint8Array; send: Send };

/** Whose answers a node has signed: what the receipt is made with. */
export type EnclaveWords = { signingKey: unknown; document?: Uint8Array };

/** An enclave to which requests can be sealed, and whose answers those to them are. */
export type SealedTo = { sealing: SealingKey; enclave: EnclaveWords; teeId: string };
/** Those at one address, in the order in which they are asked; until when: milliseconds of `performance.now()`. */
export type KeptEnclaves = { enclaves: readonly SealedTo[]; until: number };

/** What every operation of a client works with: options that were looked at. */
export type Client = ReadChannel & {
  chainId: string;
  rpcs: readonly string[];
  pins: Pins;
  nodes: readonly URL[];
  deployment: Deployment | undefined;
  nodeType: number;
  allowLocalNodes: boolean;
  memory: NodeMemory;
  policy: Policy;
  /** by a node's origin */
  channels: Map<string, AttestedTls>;
  /** who brings oblivious requests; undefined: nobody */
  relay: URL | undefined;
  sealing: Map<string, KeptEnclaves>;
  /** what nodes whose answers were verified said last of their keys */
  signingKeys: Map<string, unknown>;
  limits: ClientLimits;
  payer: Payer | undefined;
  wantsWitness: boolean;
};

const LIMITS: ClientLimits = {
  ...{ answerBytes: 8 * 1024 * 1024, answerMs: 300_000 },
  ...{ askBytes: 256 * 1024, askMs: 20_000 },
  ...{ nodes: 3, slowMs: 3_000 },
};
const OPTIONS = [
  ...["chainId", "rpcs", "pins", "nodes", "policy", "limits"],
  ...[
    "deployment",
    "nodeType",
    "allowLocalNodes",
    "payer",
    "channel",
    "release",
    "witness",
    "relay",
  ],
];

/** @throws BaseError `option.wrong`, `node.badAddress` */
export function readClient(options: HacaOptions): Client {
  requireKnown(options, OPTIONS);
  const { allowLocalNodes = false, deployment, nodes = [], nodeType = 0 } = options;
  const { policy = {}, rpcs = [], witness: wantsWitness = false } = options;
  const chainId = String(options.chainId);
  if (!/^[1-9]\d{0,19}$/.test(chainId)) throw optionError("chainId", "must be a whole number");
  if (!Number.isInteger(nodeType) || nodeType < 0 || nodeType > 255) {
    throw optionError("nodeType", "must be a whole number, 0 to 255");
  }
  if (typeof allowLocalNodes !== "boolean") {
    throw optionError("allowLocalNodes", "must be true or false");
  }
  if (deployment !== undefined && deployment.chainId !== chainId) {
    throw optionError("deployment", `is of chain ${deployment.chainId}, not ${chainId}`);
  }
  if (typeof wantsWitness !== "boolean") throw optionError("witness", "must be true or false");
  const pins = withDeployment(options.pins ?? {}, deployment);
  for (const rpc of rpcs) {
    if (!isEndpoint(rpc)) {
      throw optionError("rpcs", "must be addresses that begin with http:// or https://");
    }
  }
  const { payer } = options;
  if (payer !== undefined && payer.chainId !== chainId) {
    throw optionError(
      "payer",
      `pays on chain ${payer.chainId}, and answers are settled on ${chainId}`,
    );
  }
  const settlements = (pins.settlements ?? []).filter((known) => known.chainId === chainId);
  return {
    ...{ chainId, rpcs, policy, pins: { ...pins, settlements } },
    ...{ nodes: nodes.map(readNodeAddress), limits: readLimits(options.limits ?? {}) },
    ...{ deployment, nodeType, allowLocalNodes, memory: new NodeMemory(), payer, wantsWitness },
    ...{ ...readChannel(options), channels: new Map(), sealing: new Map() },
    signingKeys: new Map(),
    relay: options.relay === undefined ? undefined : readNodeAddress(options.relay),
  };
}

function readLimits(given: Partial<ClientLimits>): ClientLimits {
  requireKnown(given, Object.keys(LIMITS));
  for (const [name, limit] of Object.entries(given)) {
    if (Number.isSafeInteger(limit) && limit > 0) continue;
    throw optionError(`limits.${name}`, "must be a whole number above 0");
  }
  return { ...LIMITS, ...given };
}
