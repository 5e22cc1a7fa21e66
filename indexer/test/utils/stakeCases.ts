import { opgAbi } from "@haca/protocol/abi";
import type { Hex } from "viem";
import { beforeAll, expect, test } from "vitest";
import type { World } from "./deployWorld.ts";
import type { Indexer } from "./startIndexer.ts";

type Row = Record<string, unknown>;
/** Of `/validators`. */
type Answer = {
  epoch: { epoch: string; total: string; isPossible: boolean };
  validators: Row[];
  delegations: Row[];
  unbonding: Row[];
  next: string | null;
};

/** After a walk, every row of stake is what the contract says, to the unit. */
export function stakeCases(
  parts: () => { world: World; indexer: Indexer; accepted: Map<string, number> },
): void {
  let tables: Record<string, Row[]>;
  const rows = (name: string): Row[] => tables[name] ?? [];
  const sum = (name: string, column: string, filter: (row: Row) => boolean = () => true): bigint =>
    rows(name)
      .filter(filter)
      .reduce((all, row) => all + BigInt(row[column] as string), 0n);
  const read = () => parts().world.staking.contract.read;
  const onPages = () => parts().world.pages.read;

  beforeAll(async () => {
    tables = await parts().indexer.tables();
  });

  test("everything happened in the walk", () => {
    const { accepted, world } = parts();
    expect([...accepted.keys()].sort()).toEqual(Object.keys(world.staking.operations).sort());
    expect(rows("slashing").map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(["quorum", "shown"]),
    );
    // What left a pool was slashed as well, and somebody who was in the set did not sign.
    const isLess = (row: Row) => BigInt(row.amount as string) < BigInt(row.shares as string);
    expect(rows("unbonding_sum").some(isLess)).toBe(true);
    const sizes = new Map(rows("staking_epoch").map((row) => [row.epoch, row.member_count]));
    const isPart = (row: Row) => (row.signer_count as number) < (sizes.get(row.epoch) as number);
    expect(rows("page_attestation").some(isPart)).toBe(true);
  });

  test("validators with their pools and announcements are the contract's", async () => {
    const { owners } = parts().world.staking;
    expect(rows("validator")).toHaveLength(owners.length);
    for (const row of rows("validator")) {
      const owner = row.owner as Hex;
      const found = await read().validatorOf([owner]);
      expect(row).toMatchObject({
        ...{ key: found.key.toLowerCase(), commission: found.commission },
        ...{ stake: String(found.stake), shares: String(found.shares) },
        ...{ is_in_set: found.place !== 0, is_closed: found.isClosed },
        reward_per_share: String(found.rewardPerShare),
      });
      const announced = await read().announcementOf([owner]);
      expect(row.announced_key ?? `0x${"00".repeat(20)}`).toBe(announced.key.toLowerCase());
      expect(row.announced_commission_from ?? "0").toBe(String(announced.commissionFrom));
    }
    for (const { key, validator } of rows("validator_key")) {
      expect((await read().validatorOfKey([key as Hex])).toLowerCase()).toBe(validator);
    }
    const members = (await read().membersNow()).map((owner) => owner.toLowerCase());
    const inSet = rows("validator").filter(({ is_in_set: isInSet }) => isInSet);
    expect(inSet.map(({ owner }) => owner).sort()).toEqual(members.sort());
  });

  test("delegations, what they are owed, and what leaves are the contract's", async () => {
    for (const row of rows("stake_delegation")) {
      const [found] = await read().delegationOf([row.validator as Hex, row.delegator as Hex]);
      expect(row).toMatchObject({
        ...{ shares: String(found.shares), owed: String(found.owed) },
        paid_per_share: String(found.paidPerShare),
      });
    }
    for (const row of rows("unbonding")) {
      const { delegator, epoch, validator } = row as Record<
        "delegator" | "epoch" | "validator",
        Hex
      >;
      const found = await read().unbondingOf([validator, BigInt(epoch), delegator] as never);
      const [content, amount] = found as readonly [{ amount: bigint; shares: bigint }, bigint];
      const all = rows("unbonding_sum").find(
        (one) => one.validator === validator && one.epoch === epoch,
      );
      expect(all).toMatchObject({
        ...{ amount: String(content.amount), shares: String(content.shares) },
      });
      const shares = BigInt(row.shares as string);
      expect(shares === 0n ? 0n : (shares * content.amount) / content.shares).toBe(amount);
    }
    const shares = (validator: unknown) =>
      sum("stake_delegation", "shares", (row) => row.validator === validator);
    for (const { owner, shares: all } of rows("validator")) expect(String(shares(owner))).toBe(all);
  });

  test("snapshots are those that the contract keeps, with their members", async () => {
    expect(rows("staking_epoch").length).toBeGreaterThan(10);
    for (const row of rows("staking_epoch")) {
      const kept = await read().snapshotHashOf([BigInt(row.epoch as string)]);
      expect((row.snapshot_hash as string).slice(0, kept.length)).toBe(kept);
      const members = rows("epoch_member").filter(({ epoch }) => epoch === row.epoch);
      expect(members).toHaveLength(row.member_count as number);
      const total = members.reduce((all, { stake }) => all + BigInt(stake as string), 0n);
      expect(String(total)).toBe(row.total);
    }
  });

  test("attestations have the attester and the signers that the page's record has", async () => {
    expect(rows("page_attestation").length).toBeGreaterThan(5);
    for (const row of rows("page_attestation")) {
      const record = (await onPages()("pageOf", [row.page_id as Hex])) as Row;
      expect(row).toMatchObject({
        ...{ attester_number: record.attesterNumber, signers: record.signers },
        attested_at: String(record.attestedAt),
        attester: parts().world.staking.staking.toLowerCase(),
      });
      const signers = rows("page_signer").filter(({ page_id: id }) => id === row.page_id);
      const bits = signers.reduce((all, { index }) => all | (1 << (index as number)), 0);
      expect(bits).toBe(record.signers);
      expect(signers).toHaveLength(row.signer_count as number);
    }
    for (const { account, number } of rows("page_attester")) {
      const named = (await onPages()("attesterAt", [number as number])) as string;
      expect(named.toLowerCase()).toBe(account);
    }
  });

  test("books, burns and challenges add up", async () => {
    const { staking, pageSettlement } = parts().world;
    const contract = staking.staking.toLowerCase();
    const books = await read().booksNow();
    expect(sum("validator", "stake")).toBe(books.staked);
    expect(sum("unbonding_sum", "amount")).toBe(books.unbonding);
    const kind = (name: string) => (row: Row) => row.kind === name;
    const fees = sum("page_deposit", "amount", (row) => row.receiver === contract);
    const added = sum("staking_reward", "amount", kind("added"));
    const claimed = sum("staking_reward", "amount", kind("claimed"));
    expect(added + fees - claimed).toBe(books.rewards);
    expect(claimed).toBe(sum("stake_delegation", "claimed"));
    const burnedBy = (account: string) =>
      sum("token_transfer", "amount", ({ from, to }) => from === account && /^0x0+$/.test(`${to}`));
    expect(sum("slashing", "taken") - sum("slashing", "bounty")).toBe(burnedBy(contract));
    expect(sum("validator", "slashed")).toBe(sum("slashing", "taken"));
    expect(sum("forfeit_burn", "amount")).toBe(burnedBy(pageSettlement.toLowerCase()));
    // A commitment of each challenge; of withheld leaves there is none here.
    expect(rows("challenge_commitment")).toHaveLength(rows("page_challenge").length);
    for (const { outcome, page_id: id, reason } of rows("page_challenge")) {
      const page = rows("page").find((row) => row.id === id);
      expect(page).toMatchObject({ outcome, reason });
    }
    const held = await parts().world.chain.client.readContract({
      ...{ abi: opgAbi, address: parts().world.token.opg.address, functionName: "balanceOf" },
      args: [staking.staking],
    });
    expect(held).toBe(books.staked + books.unbonding + books.rewards);
  });

  test("parameters are the contract's", async () => {
    const now = (await read().parametersNow()) as unknown as Record<string, bigint | number>;
    const found = rows("staking_parameter").map(({ name, value }) => [name, value]);
    expect(Object.fromEntries(found)).toEqual(
      Object.fromEntries(Object.entries(now).map(([name, value]) => [name, String(value)])),
    );
  });

  const get = async (path: string) => {
    const response = await fetch(`${parts().indexer.url}${path}`);
    return { status: response.status, body: (await response.json()) as Answer };
  };

  test("the list of validators has weights of the latest snapshot, a few at a time", async () => {
    const seen: Row[] = [];
    let [after, latest] = ["", ""];
    do {
      const { body } = await get(`/validators?limit=3${after}`);
      expect(body.validators.length).toBeLessThanOrEqual(3);
      seen.push(...body.validators);
      after = body.next === null ? "" : `&after=${body.next}`;
      const epochs = rows("staking_epoch").map(({ epoch }) => Number(epoch));
      latest = body.epoch.epoch;
      expect(Number(latest)).toBe(Math.max(...epochs));
      expect(body.epoch.isPossible).toBe(BigInt(body.epoch.total) >= 1_000n * 10n ** 18n);
    } while (after !== "");
    expect(seen.map(({ owner }) => owner)).toHaveLength(rows("validator").length);
    const members = rows("epoch_member").filter(({ epoch }) => epoch === latest);
    for (const { owner, weight } of seen) {
      const member = members.find((row) => row.validator === owner);
      expect(weight).toBe(member?.stake ?? null);
    }
    const { body } = await get("/validators?in-set=true");
    expect(body.validators).toHaveLength((await read().membersNow()).length);
  });

  test("a validator's answer has what shares are worth now, as the contract says", async () => {
    for (const { owner } of rows("validator")) {
      const { body } = await get(`/validators/${owner}`);
      expect(body.delegations.length + body.unbonding.length).toBeGreaterThan(0);
      for (const { delegator, rewards, stake } of body.delegations) {
        const [content, worth] = await read().delegationOf([owner as Hex, delegator as Hex]);
        expect(stake).toBe(String(worth));
        expect(BigInt(rewards as string)).toBeGreaterThanOrEqual(content.owed);
      }
      for (const { amount, delegator, epoch } of body.unbonding) {
        const key = [owner as Hex, BigInt(epoch as string), delegator as Hex] as const;
        expect(amount).toBe(String((await read().unbondingOf(key))[1]));
      }
    }
  });

  test.each([
    ["/validators?limit=0", 400],
    ["/validators?in-set=false", 400],
    ["/validators?set=true", 400],
    ["/validators?after=1", 400],
    ["/validators/0x12", 400],
    [`/validators/0x${"00".repeat(20)}`, 404],
  ])("%s is refused with %i", async (path, status) => {
    const answer = await get(path);
    expect(answer.status).toBe(status);
    expect(Object.keys(answer.body)).toEqual(["error"]);
  });
}
