import { governorAbi } from "@haca/protocol/abi";
import { EPOCH_SECONDS } from "@haca/protocol/validatorStaking";
import { type Hex, zeroAddress } from "viem";
import { expect } from "vitest";
import { teeIdOf } from "./accessTee.ts";
import { useChannels } from "./channelCases.ts";
import { useCommerce } from "./commerceCases.ts";
import type { World } from "./deployWorld.ts";
import type { Indexer } from "./startIndexer.ts";
import { addressOf } from "./writeBook.ts";

/** Blocks, a second each, after which an operation that was refused may be due. */
const STEP = 5;
const ATTEMPTS = 60;

/** Has something happen, beyond what `deployWorld` did, for the sake of every table. */
export async function fillTables(world: World): Promise<void> {
  const { bonds, chain, contracts, enclaves, legacy, vesting, governance, tee, node } = world;
  const { escrow, feeds, optimistic, pages } = world;
  const due = async (name: string, operation: () => Promise<unknown>): Promise<void> => {
    for (let attempt = 1; ; attempt++) {
      try {
        await operation();
        return;
      } catch (error) {
        if (attempt === ATTEMPTS) throw new Error(`${name} was never accepted`, { cause: error });
        await chain.client.mine({ blocks: STEP, interval: 1 });
      }
    }
  };
  await bonds.setLedgerWriter(addressOf(contracts.deployed.legacySettlement), true);
  await pages.deposit(node.operator);
  await pages.deposit(chain.accounts[0]);
  const page = await pages.propose({ node, number: 5n, places: [0, 255] });
  await pages.call("requestLeaf", [page.header, 255]);
  await optimistic.admit();
  await pages.deposit(optimistic.proposer);
  const claimed = await optimistic.propose({ number: 0n, places: [0] });
  await optimistic.demand(claimed, 0, chain.accounts[0]);
  await feeds.admit(chain.accounts.slice(1, 4));
  const feedId = await feeds.create("ETH / USD");
  await chain.client.mine({ blocks: 1, interval: 1 });
  await feeds.post(feedId, [1_000n, 1_001n, 1_002n, 5_000n]);
  const token = await escrow.prepare();
  const { job } = await escrow.open({ node, nonce: 1n, token });
  await escrow.whileBroken(token, () => escrow.capture({ node, job }));
  await useChannels(world, token);
  await useCommerce(world);
  await fillStake(world);
  await bonds.setAmount(1n);
  await bonds.admit();
  await legacy.anchor("root");
  await legacy.settleIndividual(node.operator);
  for (const name of [
    ...(["heartbeat", "certifySessionKey", "setOhttpConfig", "renew"] as const),
    ...(["setHeartbeatMaxAge", "pauseAdmission", "setVerifier"] as const),
  ]) {
    await due(name, enclaves.operations[name]);
  }
  for (const name of ["burn", "createBatch", "release", "claim", "delegate"] as const) {
    await due(name, vesting.operations[name]);
  }
  for (const name of [
    ...(["labelRole", "grantRole", "setTargetFunctionRole", "setTargetClosed"] as const),
  ]) {
    await due(name, governance.operations[name]);
  }
  const { governor, liquidity, call } = world.token;
  await world.onToken(liquidity, "delegate", [liquidity]);
  await due("propose", governance.operations.propose);
  const id = governance.proposals[0]?.id;
  const cast = { to: governor.address, abi: governorAbi, functionName: "castVote" };
  await due("vote", () => call({ ...cast, args: [id, 1], from: liquidity }));
  await due("queue", governance.operations.queue);
  await due("disableTEE", () => tee.call("disableTEE", [teeIdOf(node.enclave)], node.operator));
  await due("revokeImage", enclaves.operations.revokeImage);
  await due("denyOperator", enclaves.operations.denyOperator);
  await due("revokeCertificate", enclaves.operations.revokeCertificate);
}

/** A quorum vouches for a wrong page, and what follows. */
async function fillStake({ pages, staking }: World): Promise<void> {
  const { accounts, attest, call, operations, owners, propose, refute, register, slash } = staking;
  const [first, second] = owners as [Hex, Hex];
  await staking.prepare();
  for (const owner of [first, second]) {
    await register(owner);
    await call("enter", [zeroAddress], owner);
  }
  await staking.moveBy(EPOCH_SECONDS);
  const wrong = await propose(true);
  const signed = await attest(wrong, owners);
  await refute(wrong);
  await slash(signed, first, accounts[0] as Hex);
  await call("undelegate", [second, 10n ** 18n], second);
  await operations.forward();
  await pages.call("burnForfeits", []);
}

type Tables = Awaited<ReturnType<Indexer["tables"]>>;

/** Two empty tables are equal whatever made them: a comparison says nothing of those. */
export function expectFilled(tables: Tables): void {
  const empty = Object.keys(tables).filter((name) => tables[name]?.length === 0);
  expect(Object.keys(tables).length).toBeGreaterThan(30);
  expect(empty).toEqual([]);
}
