import { id, parseEther, Wallet } from "ethers";
import { describe, expect, it } from "vitest";
import { readSettings, settingsHelp } from "../src/config/commandLine.ts";
import type { Settings } from "../src/config/readConfig.ts";
import { quorumOf, turnOf } from "../src/roles/validate/attestPages.ts";
import { RateLimit } from "../src/roles/validate/rateLimit.ts";
import { readWatchConfig, type WatchRole } from "../src/roles/watch/readWatchConfig.ts";
import type { FrozenSet } from "../src/verifier/snapshots.ts";

const KEYS = ["a", "b", "c"].map((name) => new Wallet(id(name)).address);
const SIGNATURE = `0x${"11".repeat(64)}`;

const setOf = (stakes: readonly bigint[], minimumTotalStake = 0n): FrozenSet => ({
  ...{ epoch: 1n, words: [], hash: "0x", minimumTotalStake, slashWithQuorum: 500n },
  slashWithout: 100n,
  total: stakes.reduce((sum, stake) => sum + stake, 0n),
  members: stakes.map((stake, place) => ({ key: KEYS[place] ?? "", stake })),
});
const by = (...places: number[]) =>
  places.map((place) => ({ key: KEYS[place] ?? "", signature: SIGNATURE }));

describe("a quorum", () => {
  const third = parseEther("10000");

  it("is more than two thirds of the stake, and not one unit less", () => {
    const exact = setOf([third, third, third]);
    expect(quorumOf({ set: exact, attestations: by(0, 1) })).toBeUndefined();
    const above = setOf([third + 1n, third, third - 1n]);
    expect(quorumOf({ set: above, attestations: by(0, 1) })?.signers).toBe(3n);
    expect(quorumOf({ set: above, attestations: by(1, 2) })).toBeUndefined();
  });

  it("has every member once, in the set's order, and nobody else", () => {
    const set = setOf([third, third, third]);
    const stranger = { key: new Wallet(id("stranger")).address, signature: SIGNATURE };
    const attestations = [...by(2, 0, 2, 1), stranger];
    const quorum = quorumOf({ set, attestations });
    expect(quorum).toMatchObject({ signers: 7n, keys: KEYS });
    expect(quorum?.signatures).toHaveLength(2 + 3 * 128);
    expect(quorumOf({ set, attestations: [...by(0, 0, 0), stranger] })).toBeUndefined();
  });

  it("is none of a set below the least stake, nor of an empty one", () => {
    const set = setOf([third, third, third], 3n * third + 1n);
    expect(quorumOf({ set, attestations: by(0, 1, 2) })).toBeUndefined();
    expect(quorumOf({ set: setOf([]), attestations: [] })).toBeUndefined();
  });

  it("is brought by each signer in turn, in an order that all agree on and pages differ in", () => {
    const firsts = Array.from({ length: 32 }, (_, page) => {
      const pageId = id(`page ${page}`);
      const turns = KEYS.map((key) => turnOf({ pageId, key, keys: KEYS }));
      expect([...turns].sort()).toEqual([0, 1, 2]);
      const other = KEYS.map((key) => turnOf({ pageId, key, keys: [...KEYS].reverse() }));
      expect(other).toEqual(turns);
      return turns.indexOf(0);
    });
    expect(new Set(firsts).size).toBe(3);
    const keys = KEYS.slice(1);
    expect(turnOf({ pageId: id("page"), key: KEYS[0] ?? "", keys })).toBe(-1);
  });
});

describe("a rate limit", () => {
  it("lets a burst pass, and so many a second after that, each address by itself", () => {
    let now = 0;
    const limit = new RateLimit({ burst: 3, perSecond: 2 }, () => now);
    const take = (address: string, times: number) =>
      Array.from({ length: times }, () => limit.take(address));
    expect(take("a", 4)).toEqual([0, 0, 0, 1]);
    expect(take("b", 1)).toEqual([0]);
    now = 1;
    expect(take("a", 3)).toEqual([0, 0, 1]);
    now = 1_000;
    expect(take("a", 4)).toEqual([0, 0, 0, 1]);
  });

  it("does not remember more addresses than there is room for", () => {
    const limit = new RateLimit({ burst: 1, perSecond: 1 }, () => 0);
    expect(limit.take("first")).toBe(0);
    expect(limit.take("first")).toBe(1);
    for (let i = 0; i < 10_000; i++) limit.take(`other ${i}`);
    expect(limit.take("first")).toBe(0);
  });
});

describe("settings of watch and validate", () => {
  const KEY = `0x${"12".repeat(32)}`;
  const given: Settings = {
    HACA_RPC_URL: "http://127.0.0.1:8545",
    HACA_CHAIN_ID: "31337",
    HACA_WATCHER_KEY: KEY,
    HACA_VALIDATOR_KEY: `0x${"13".repeat(32)}`,
    HACA_BLOB_AGGREGATOR: "http://127.0.0.1:8090",
  };
  const read = (changes: Settings, roles: WatchRole[] = ["watch", "validate"]) => {
    const environment = { ...given, ...changes } as NodeJS.ProcessEnv;
    const settings = readSettings({ roles, options: {}, environment, folder: "/" });
    return readWatchConfig({ roles, settings });
  };

  it.each<[Settings, WatchRole[], RegExp]>([
    [{ HACA_WATCHER_KEY: "" }, ["watch"], /^HACA_WATCHER_KEY: not set/],
    [{ HACA_VALIDATOR_KEY: "" }, ["validate"], /^HACA_VALIDATOR_KEY: not set/],
    [{ HACA_BLOB_AGGREGATOR: "" }, ["watch"], /^HACA_BLOB_AGGREGATOR: not set/],
    [
      { HACA_NODE_KEY: KEY.toUpperCase().replace("X", "x") },
      ["watch"],
      /must not be HACA_NODE_KEY/,
    ],
    [{ HACA_URGENT_MAX_FEE_PER_GAS: "1" }, ["watch"], /^HACA_URGENT_MAX_FEE_PER_GAS: must not/],
    [{ HACA_VALIDATOR_PEERS: "ftp://a" }, ["validate"], /^HACA_VALIDATOR_PEERS: must be/],
    [{ HACA_VALIDATOR_PEERS: "http://a?key=b" }, ["validate"], /^HACA_VALIDATOR_PEERS: must be/],
    [{ HACA_ANSWER_REQUESTS: "1" }, ["watch"], /^HACA_ANSWER_REQUESTS: must be yes or no/],
    [{ HACA_REQUEST_LEAVES: "257" }, ["watch"], /^HACA_REQUEST_LEAVES: must be between/],
  ])("are refused by name: %j", (changes, roles, words) => {
    expect(() => read(changes, roles)).toThrow(words);
  });

  it("need no key of a validator, and no peers, for watching alone", () => {
    const config = read({ HACA_VALIDATOR_KEY: "" }, ["watch"]);
    expect(config.validator).toBeUndefined();
    expect(config.dataDirectory).toMatch(/data\/watcher$/);
    expect(read({}, ["validate"]).dataDirectory).toMatch(/data\/validator$/);
    const { validator } = read({ HACA_VALIDATOR_PEERS: "http://a, https://b:1/c" });
    expect(validator?.peers).toEqual(["http://a", "https://b:1/c"]);
  });

  it("are refused as flags where no role takes them, and shown in 80 columns", () => {
    const options = { requestLeaves: "1" };
    const asked = { roles: ["validate"], options, environment: {}, folder: "/" };
    expect(() => readSettings(asked)).toThrow(/^--request-leaves: validate does not take it/);
    const help = settingsHelp(["watch", "validate"]);
    expect(help).toContain("HACA_WATCHER_KEY  environment only");
    expect(help.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });
});
