import { computeAddress, HDNodeWallet, Mnemonic, toBeHex } from "ethers";

/** Word lists that documentations print; whoever reads them has the keys. */
const PUBLIC_MNEMONICS = [
  ["Hardhat and anvil", "test test test test test test test test test test test junk"],
  ["Ganache", "myth like bonus scare over problem client lizard pioneer submit female collect"],
  ["Truffle", "candy maple cake sugar pudding cream honey rich smooth crumble sweet treat"],
  ["BIP-39's example", `${"abandon ".repeat(11)}about`],
] as const;
const ACCOUNTS_EACH = 30;
const SMALL_KEYS = 20;
/** Below it are precompiled contracts. */
const RESERVED_ADDRESSES = 0x1_0000n;
const BURNT = [
  "0x000000000000000000000000000000000000dEaD",
  "0xdEAD000000000000000042069420694206942069",
  "0xFFfFfFffFFfffFFfFFfFFFFFffFFFffffFfFFFfF",
];

let known: Map<string, string> | undefined;

/** Why nobody, or everybody, holds the key of an account; undefined if nothing is known about it. */
export function publicKeyHolder(account: string): string | undefined {
  known ??= collect();
  const reason = known.get(account.toLowerCase());
  if (reason !== undefined) return reason;
  return BigInt(account) < RESERVED_ADDRESSES ? "is reserved for precompiled contracts" : undefined;
}

function collect(): Map<string, string> {
  const reasons = new Map<string, string>();
  for (const address of BURNT) reasons.set(address.toLowerCase(), "is an address without a key");
  for (const [owner, words] of PUBLIC_MNEMONICS) {
    const root = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(words), "m/44'/60'/0'/0");
    for (let index = 0; index < ACCOUNTS_EACH; index += 1) {
      reasons.set(
        root.deriveChild(index).address.toLowerCase(),
        `is test account ${index} of ${owner}: its key is public`,
      );
    }
  }
  for (let key = 1; key <= SMALL_KEYS; key += 1) {
    reasons.set(
      computeAddress(toBeHex(key, 32)).toLowerCase(),
      `has the private key ${key}, which everybody tries`,
    );
  }
  return reasons;
}
