import { lengthOf, sliceHex, toBytes, wordOf } from "../bytes.ts";
import { encode, isActive } from "./contractReads.ts";
import type { Chain } from "./openChain.ts";
import { Words, wrongAnswer } from "./words.ts";

/** An enclave as the registry has it. What it says of itself is a stranger's word. */
export type RegisteredNode = {
  teeId: string;
  operator: string;
  teeType: number;
  /** measurement of its image */
  image: string;
  /** where it says that it answers: any text */
  endpoint: string;
  /** signed time of its latest heartbeat, in unix seconds */
  lastHeartbeatAt: bigint;
};

/** The registry takes 256. */
const MAXIMUM_ENDPOINT = 256;
const MAXIMUM_TYPE = 255;

/** How many nodes of a type were ever admitted. @throws BaseError `chain.*` */
export async function nodeCountOf(
  chain: Chain,
  registry: string,
  teeType: number,
): Promise<number> {
  const data = encode("nodeCount(uint8)", wordOf(BigInt(teeType)));
  return new Words(await chain.call(registry, data)).number(0);
}

/** The node of a type that was admitted under a number, if it is active; null if it is not. @throws BaseError `chain.*` */
export async function activeNodeAt(
  chain: Chain,
  registry: string,
  { teeType, index }: { teeType: number; index: number },
): Promise<RegisteredNode | null> {
  const data = encode("nodeAt(uint8,uint256)", wordOf(BigInt(teeType)), wordOf(BigInt(index)));
  const teeId = new Words(await chain.call(registry, data)).word(0);
  return (await isActive(chain, registry, teeId)) ? registeredNode(chain, registry, teeId) : null;
}

const viewOf = async (chain: Chain, registry: string, teeId: string): Promise<Words> =>
  new Words(await chain.call(registry, encode("getTEE(bytes32)", teeId)));

async function registeredNode(
  chain: Chain,
  registry: string,
  teeId: string,
): Promise<RegisteredNode> {
  const view = await viewOf(chain, registry, teeId);
  const fields = view.at(0);
  const endpoint = view.bytes(view.at(fields, 2, fields));
  const teeType = view.number(fields, 6);
  if (lengthOf(endpoint) > MAXIMUM_ENDPOINT || teeType > MAXIMUM_TYPE) throw wrongAnswer();
  return {
    ...{ teeId, teeType, operator: sliceHex(view.word(fields), 12), image: view.word(fields, 5) },
    endpoint: new TextDecoder().decode(toBytes(endpoint)),
    lastHeartbeatAt: BigInt(view.word(fields, 9)),
  };
}

/**
 * The DER of the certificate that an enclave has registered, which its document vouched for; null if it is not active.
 * @throws BaseError `chain.*`
 */
export async function certificateOfActive(
  chain: Chain,
  registry: string,
  teeId: string,
): Promise<Uint8Array | null> {
  if (!(await isActive(chain, registry, teeId))) return null;
  const view = await viewOf(chain, registry, teeId);
  const fields = view.at(0);
  return toBytes(view.bytes(view.at(fields, 4, fields)));
}

/** The key to which clients seal oblivious requests, with the numbers of its suite. */
export type SealingKey = {
  keyId: number;
  kemId: number;
  kdfId: number;
  aeadId: number;
  publicKey: string;
  /** the same as RFC 9458 has it */
  keyConfig: string;
};

/**
 * The keys that an enclave has registered: the one that signs, SubjectPublicKeyInfo in DER, and the one for oblivious requests, which that
 * one has signed for this registry; without bytes where it has none.
 * @throws BaseError `chain.*`
 */
export async function keysOfEnclave(
  chain: Chain,
  registry: string,
  teeId: string,
): Promise<{ signingKey: string; sealing: SealingKey }> {
  const view = await viewOf(chain, registry, teeId);
  const fields = view.at(0);
  const config = view.at(fields, 10, fields);
  const number = (place: number): number => view.number(config, place);
  return {
    signingKey: view.bytes(view.at(fields, 3, fields)),
    sealing: {
      ...{ keyId: number(0), kemId: number(1), kdfId: number(2), aeadId: number(3) },
      publicKey: view.bytes(view.at(config, 4, config)),
      keyConfig: view.bytes(view.at(config, 5, config)),
    },
  };
}

/** Numbers and names of the node types there are. @throws BaseError `chain.*` */
export async function nodeTypesOf(
  chain: Chain,
  registry: string,
): Promise<ReadonlyMap<number, string>> {
  const view = new Words(await chain.call(registry, encode("getTEETypes()")));
  const [ids, infos] = [view.at(0), view.at(0, 1)];
  const count = view.number(ids);
  if (count > MAXIMUM_TYPE + 1 || view.number(infos) !== count) throw wrongAnswer();
  // Offsets of what has no fixed length are counted from behind the list's length.
  const list = infos + 32;
  return new Map(
    Array.from({ length: count }, (_, index) => {
      const info = view.at(list, index, list);
      const name = toBytes(view.bytes(view.at(info, 0, info)));
      return [view.number(ids, 1 + index), new TextDecoder().decode(name)];
    }),
  );
}
