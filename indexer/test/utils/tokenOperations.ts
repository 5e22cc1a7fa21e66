import { merkleAirdropAbi, opgAbi, vestingFactoryAbi, vestingVaultAbi } from "@haca/protocol/abi";
import { airdropProof } from "@haca/protocol/airdropTree";
import { OPG_UNIT } from "@haca/protocol/allocations";
import { type Hex, isAddressEqual, parseEventLogs, zeroAddress } from "viem";
import type { Token } from "./deployToken.ts";
import type { Random } from "./randomFrom.ts";
import type { Chain } from "./startChain.ts";

/** What can happen to the token, the vaults and the airdrop; `vaults` and `claimed` are what there is so far. */
export async function tokenOperations(parameters: { chain: Chain; token: Token; random: Random }) {
  const { chain, token, random } = parameters;
  const { opg, factory, airdrop, call } = token;
  const accounts = chain.accounts.slice(1, 8);
  const created = (logs: Token["genesisLogs"]) =>
    parseEventLogs({ abi: vestingFactoryAbi, logs, eventName: "GrantCreated" }).map(
      ({ args }) => args.vault,
    );
  const vaults = created(token.genesisLogs);
  const claimed = new Set<number>();

  const onToken = (functionName: string, args: readonly unknown[], from = random.pick(accounts)) =>
    call({ to: opg.address, abi: opgAbi, functionName, args, from });
  const readVault = async <name extends "beneficiary" | "pendingBeneficiary">(
    address: Hex,
    functionName: name,
  ) => chain.client.readContract({ address, abi: vestingVaultAbi, functionName });
  const onVault = (to: Hex, functionName: string, args: readonly unknown[], from: Hex) =>
    call({ to, abi: vestingVaultAbi, functionName, args, from });
  /** What an account with a key says as beneficiary; the timelock and contracts say nothing here. */
  const byBeneficiary = async (functionName: string, args: readonly unknown[]) => {
    const vault = random.pick(vaults);
    const beneficiary = await readVault(vault, "beneficiary");
    const from = random.pick(accounts.filter((account) => isAddressEqual(account, beneficiary)));
    await onVault(vault, functionName, args, from);
  };

  const terms = async () => {
    const { timestamp } = await chain.client.getBlock();
    const total = BigInt(1 + random.below(1_000_000)) * OPG_UNIT;
    const start = Number(timestamp) - 1000 + random.below(2000);
    const isRevocable = random.below(2) === 0;
    return {
      ...{ beneficiary: random.pick(accounts), total, tgeAmount: total / 7n },
      ...{ tge: start - 100, start, end: start + 1 + random.below(3000) },
      transferability: random.below(3),
      revoker: isRevocable ? random.pick(accounts) : zeroAddress,
      refundTo: isRevocable ? random.pick(accounts) : zeroAddress,
    };
  };
  const grant = async (functionName: "create" | "createBatch", argument: unknown) => {
    const from = token.liquidity;
    await onToken("approve", [factory.address, 2n ** 255n], from);
    const to = factory.address;
    const args = [argument];
    const { logs } = await call({ to, abi: vestingFactoryAbi, functionName, args, from });
    vaults.push(...created(logs));
  };

  const operations = {
    transfer: async () => {
      const from = random.pick(accounts);
      const balance = await opg.read.balanceOf([from]);
      const amount = (balance * BigInt(random.below(12))) / 10n;
      await onToken("transfer", [random.pick(accounts), amount], from);
    },
    burn: async () => onToken("burn", [BigInt(random.below(1000))]),
    delegate: async () => onToken("delegate", [random.pick([...accounts, zeroAddress])]),
    create: async () => grant("create", await terms()),
    createBatch: async () => grant("createBatch", [await terms(), await terms()]),
    release: async () => onVault(random.pick(vaults), "release", [], random.pick(accounts)),
    delegateVault: async () => byBeneficiary("delegate", [random.pick(accounts)]),
    revoke: async () => {
      const vault = random.pick(vaults);
      const { revoker } = await chain.client.readContract({
        ...{ address: vault, abi: vestingVaultAbi, functionName: "terms" },
      });
      // Nobody can send for the timelock or for nobody.
      const from = accounts.find((account) => isAddressEqual(account, revoker)) ?? token.guardian;
      await onVault(vault, "revoke", [], from);
    },
    transferBeneficiary: async () =>
      byBeneficiary("transferBeneficiary", [random.pick([...accounts, zeroAddress])]),
    acceptBeneficiary: async () => {
      const pending = await Promise.all(
        vaults.map(async (vault) => ({
          vault,
          account: await readVault(vault, "pendingBeneficiary"),
        })),
      );
      const offer = random.pick(pending.filter(({ account }) => account !== zeroAddress));
      await onVault(offer.vault, "acceptBeneficiary", [], offer.account);
    },
    redirect: async () => byBeneficiary("redirect", [factory.address]),
    claim: async () => {
      const index = random.below(token.claims.length);
      const { account, amount } = token.claims[index] ?? { account: "", amount: 0n };
      const args = [BigInt(index), account, amount, airdropProof({ tree: token.tree, index })];
      await call({ to: airdrop.address, abi: merkleAirdropAbi, functionName: "claim", args });
      claimed.add(index);
    },
  };
  return { operations, vaults, claimed, accounts };
}
export type TokenOperations = Awaited<ReturnType<typeof tokenOperations>>;
