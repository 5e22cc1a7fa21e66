import { join } from "node:path";
import { opgAbi } from "@haca/protocol/abi";
import type { Hex } from "viem";
import { accessTee, pcrHashOf, pcrsOf } from "./accessTee.ts";
import { bondOperations, deployBonds } from "./bondOperations.ts";
import { channelOperations, deployGates } from "./channelOperations.ts";
import { commerceOperations, deployOperators } from "./commerceOperations.ts";
import { deployContracts } from "./deployContracts.ts";
import { deployToken } from "./deployToken.ts";
import { deployEscrow, escrowOperations } from "./escrowOperations.ts";
import { deployFeeds, feedOperations } from "./feedOperations.ts";
import { governanceOperations } from "./governanceOperations.ts";
import { legacyOperations } from "./legacyOperations.ts";
import { optimisticOperations } from "./optimisticOperations.ts";
import { deployPages, pageOperations } from "./pageOperations.ts";
import { randomFrom } from "./randomFrom.ts";
import { deployStaking, stakeOperations } from "./stakeOperations.ts";
import type { Chain } from "./startChain.ts";
import { IMAGES, type TeeNode, TYPES, teeOperations } from "./teeOperations.ts";
import { tokenOperations } from "./tokenOperations.ts";
import { addressOf, writeBook } from "./writeBook.ts";

/** Every contract of the project on one chain, with one node, one grant, holders that can propose, and one settlement. */
export async function deployWorld(parameters: { chain: Chain; folder: string; seed: string }) {
  const { chain, folder, seed } = parameters;
  const path = join(folder, "book.json");
  const contracts = await deployContracts({ chain, path });
  const tee = accessTee({ chain, contracts });
  const token = await deployToken({ chain });
  const { deployed } = contracts;
  const nodeBonds = await deployBonds({ chain, contracts, tee, token });
  const random = randomFrom(seed);
  const enclaves = teeOperations({ chain, tee, random });
  const bonds = bondOperations({ chain, contracts, tee, enclaves, bonds: addressOf(nodeBonds) });
  const { setLedgerWriter } = bonds;
  const pageSettlement = await deployPages({ chain, contracts, token, setLedgerWriter });
  const pages = pageOperations({ chain, contracts, token, pages: addressOf(pageSettlement) });
  const dataFeeds = await deployFeeds({ chain, contracts, tee });
  const feeds = feedOperations({ chain, tee, feeds: addressOf(dataFeeds) });
  const inferenceEscrow = await deployEscrow({
    ...{ chain, contracts, pages: addressOf(pageSettlement) },
  });
  const escrow = escrowOperations({
    ...{ chain, contracts, token, escrow: addressOf(inferenceEscrow) },
  });
  const channelGates = await deployGates({ chain, escrow: addressOf(inferenceEscrow) });
  const channels = channelOperations({ chain, token, escrow, gates: addressOf(channelGates) });
  const commerceOperators = await deployOperators({ chain, escrow: addressOf(inferenceEscrow) });
  const commerce = commerceOperations({
    ...{ chain, token, escrow, operators: addressOf(commerceOperators) },
  });
  const optimistic = optimisticOperations({
    ...{ chain, contracts, operations: pages, pages: addressOf(pageSettlement) },
  });
  const stake = await deployStaking({ chain, contracts, token, pages: addressOf(pageSettlement) });
  const more = {
    ...token.deployed,
    nodeBonds,
    pageSettlement,
    dataFeeds,
    inferenceEscrow,
    channelGates,
    commerceOperators,
    ...stake,
  };
  await writeBook({ chain, path, contracts: { ...deployed, ...more } });
  const vesting = await tokenOperations({ chain, token, random });
  const manager = addressOf(deployed.accessManager);
  const legacy = legacyOperations({ chain, contracts, tee });
  const governance = governanceOperations({ chain, token, manager, random });
  await tee.call("setVerifier", [1, tee.verifier]);
  for (const image of IMAGES) {
    for (const type of TYPES) {
      await tee.call("approvePCR", [pcrsOf(image), "v0", type]);
      await tee.call("approveImage", [
        ...([pcrHashOf(image), "v0", type, 1, `0x${"00".repeat(16)}`] as const),
        ...([`0x${"00".repeat(32)}`, ""] as const),
      ]);
    }
  }
  await enclaves.operations.register();
  const node = enclaves.nodes[0] as TeeNode;
  await vesting.operations.create();
  const onToken = (from: Hex, functionName: string, args: readonly unknown[]) =>
    token.call({ to: token.opg.address, abi: opgAbi, functionName, args, from });
  // Makes every account able to propose.
  for (const account of vesting.accounts) {
    await onToken(token.liquidity, "transfer", [account, 10n ** 24n]);
    await onToken(account, "delegate", [account]);
  }
  await contracts.publish(1, 0);
  await contracts.settle({ nonce: 0n });
  const staking = stakeOperations({
    ...{ chain, token, pages, node, random },
    staking: addressOf(stake.validatorStaking),
    router: addressOf(stake.rewardRouter),
  });
  return {
    ...{ chain, path, contracts, tee, token, enclaves, legacy, vesting, governance },
    ...{
      bonds,
      channels,
      commerce,
      escrow,
      feeds,
      pages,
      optimistic,
      staking,
      nodeBonds: addressOf(nodeBonds),
    },
    feedsAddress: addressOf(dataFeeds),
    pageSettlement: addressOf(pageSettlement),
    node,
    onToken,
  };
}
export type World = Awaited<ReturnType<typeof deployWorld>>;
