import { id, ZeroAddress } from "ethers";
import { HONEST } from "./chains.ts";
import { PINS } from "./chatNode.ts";
import type { Contracts } from "./fakeChain.ts";

/** A node as a test's registry has it. */
export type Entry = {
  endpoint: string;
  operator?: string;
  image?: string;
  isActive?: boolean;
  teeId?: string;
  publicKey?: string;
  /** without one if left out */
  ohttpConfig?: object | undefined;
};

const NO_CONFIG = {
  ...{ keyId: 0, kemId: 0, kdfId: 0, aeadId: 0, publicKey: "0x", keyConfig: "0x" },
  registeredAt: 0,
};
const idOf = (index: number): string => id(`node ${index}`);
export const operatorOf = (number: number): string =>
  `0x${number.toString(16).padStart(2, "0").repeat(20)}`;

/** A chain whose registry has these nodes of one type, each of an operator of its own where none is named. */
export function registryOf(entries: readonly Entry[], teeType = 0): Contracts {
  const idAt = (index: number): string => entries[index]?.teeId ?? idOf(index);
  const entryOf = (teeId: unknown): { entry: Entry; index: number } => {
    const index = entries.findIndex((_entry, number) => idAt(number) === teeId);
    return { index, entry: entries[index] ?? { endpoint: "" } };
  };
  return {
    ...HONEST,
    getTEETypes: () => [[teeType, 7], ["LLM proxy", "another"].map((name) => [name, 1])],
    nodeCount: (type) => [Number(type) === teeType ? entries.length : 0],
    nodeAt: (_type, index) => [idAt(Number(index))],
    isTEEActive: (teeId) => [entryOf(teeId).entry.isActive ?? true],
    getTEE: (teeId) => {
      const { entry, index } = entryOf(teeId);
      const { endpoint, image = PINS.images?.[0], operator = operatorOf(1 + index) } = entry;
      const { ohttpConfig = NO_CONFIG, publicKey = "0x1234" } = entry;
      return [
        {
          ...{ owner: operator, paymentAddress: ZeroAddress, endpoint, publicKey },
          ...{ tlsCertificate: "0x56", pcrHash: image, teeType, enabled: true },
          ...{ registeredAt: 1, lastHeartbeatAt: 1_900_000_000, ohttpConfig },
        },
      ];
    },
  };
}
