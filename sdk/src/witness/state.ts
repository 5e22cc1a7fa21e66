import { keccak, toBytes, toHex, wordOf } from "../bytes.ts";
import { readBlockHeader } from "./blockHeader.ts";
import { decodeRlp, fixed, isList, numberOf } from "./rlp.ts";
import { type NodeSource, valueInTrie } from "./trie.ts";
import type { WitnessParts } from "./witnessParts.ts";

/** A chain's state at one block, however one has it; what is not known of it throws. */
export type State = {
  block: { number: bigint; hash: string; time: bigint };
  /** a word of a contract's storage; zero where there is none */
  slot: (contract: string, place: bigint) => Promise<bigint>;
  /** a contract's code as hex; `0x` where there is none */
  code: (contract: string) => Promise<string>;
};

type Account = { storageRoot: string; codeHash: string };

/** keccak256 of nothing. */
const NO_CODE = keccak("0x");

/**
 * The state under a header's root, of the parts that there are. Whether that block is one of the chain is not asked here. Throws
 * where a part is not there, and where one is not as a chain writes it.
 */
export function stateUnder(header: string, parts: WitnessParts): State {
  const { stateRoot, ...block } = readBlockHeader(header);
  const nodeOf: NodeSource = (hash) => toBytes(parts.take("nodes", hash));
  const accountOf = (address: string): Account | undefined => {
    const written = valueInTrie(stateRoot, toBytes(address), nodeOf);
    return written === undefined ? undefined : readAccount(written);
  };
  return {
    block,
    async slot(contract, place) {
      const account = accountOf(contract);
      if (account === undefined) return 0n;
      const written = valueInTrie(account.storageRoot, toBytes(wordOf(place)), nodeOf);
      // A zero that is stored is one all the same: some local chains keep them.
      return written === undefined ? 0n : numberOf(decodeRlp(written));
    },
    async code(contract) {
      const { codeHash = NO_CODE } = accountOf(contract) ?? {};
      return codeHash === NO_CODE ? "0x" : parts.take("codes", codeHash);
    },
  };
}

function readAccount(written: Uint8Array): Account {
  const list = decodeRlp(written);
  if (!isList(list) || list.items.length !== 4) throw new Error("an account of other fields");
  const [nonce, balance, storageRoot, codeHash] = list.items;
  numberOf(nonce);
  numberOf(balance);
  return { storageRoot: toHex(fixed(storageRoot, 32)), codeHash: toHex(fixed(codeHash, 32)) };
}
