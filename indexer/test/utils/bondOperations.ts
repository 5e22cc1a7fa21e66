import { inferenceSettlementAbi, nodeBondsAbi, opgAbi } from "@haca/protocol/abi";
import { type ContractFunctionArgs, encodeFunctionData, type Hex, maxUint256 } from "viem";
import { type Tee, teeIdOf } from "./accessTee.ts";
import type { Contracts } from "./deployContracts.ts";
import { deployOn } from "./deployOn.ts";
import type { Token } from "./deployToken.ts";
import type { Chain } from "./startChain.ts";
import type { TeeNode, TeeOperations } from "./teeOperations.ts";
import { addressOf } from "./writeBook.ts";

const FUNDS = 10n ** 24n;

/** Deploys the contract that holds nodes' bonds, which registry and operators are ready for; no bond is asked yet. */
export async function deployBonds(parameters: {
  chain: Chain;
  contracts: Contracts;
  tee: Tee;
  token: Token;
}) {
  const { chain, contracts, tee, token } = parameters;
  const { nodeBonds } = await deployOn(chain, (module) => ({
    nodeBonds: module.contract("NodeBonds", [
      addressOf(contracts.deployed.accessManager),
      token.opg.address,
      tee.registry.address,
    ]),
  }));
  const bonds = addressOf(nodeBonds);
  await tee.call("setBonds", [bonds]);
  for (const from of chain.accounts.slice(1, 5)) {
    const onToken = { to: token.opg.address, abi: opgAbi };
    await token.call({
      ...{ ...onToken, from: token.liquidity },
      ...{ functionName: "transfer", args: [from, FUNDS] },
    });
    await token.call({ ...onToken, from, functionName: "approve", args: [bonds, maxUint256] });
  }
  return nodeBonds;
}

/** What can happen to bonds, and to the list of those that may hold requests in the ledger. */
export function bondOperations(parameters: {
  chain: Chain;
  contracts: Contracts;
  tee: Tee;
  enclaves: TeeOperations;
  bonds: Hex;
}) {
  const { bonds, chain, contracts, enclaves, tee } = parameters;
  const send = (data: Hex) => chain.send({ to: bonds, data });

  /** What nodes that are admitted from now on have to leave. */
  const setAmount = (amount: bigint) =>
    send(encodeFunctionData({ abi: nodeBondsAbi, functionName: "setAmount", args: [amount] }));

  /** Admits a node, whose operator leaves the bond. */
  const admit = async (): Promise<TeeNode> => {
    await enclaves.operations.register();
    return enclaves.nodes.at(-1) as TeeNode;
  };

  const release = ({ enclave }: TeeNode) =>
    send(
      encodeFunctionData({
        abi: nodeBondsAbi,
        functionName: "release",
        args: [teeIdOf(enclave)],
      }),
    );

  /** Bans a node and takes its bond. */
  const forfeit = async ({ enclave }: TeeNode, receiver: Hex) => {
    const args = [teeIdOf(enclave), receiver] as const;
    await tee.call("banTEE", [args[0]]);
    return await send(encodeFunctionData({ abi: nodeBondsAbi, functionName: "forfeit", args }));
  };

  const setLedgerWriter = (
    ...args: ContractFunctionArgs<typeof inferenceSettlementAbi, "nonpayable", "setLedgerWriter">
  ) =>
    chain.send({
      to: addressOf(contracts.deployed.inferenceSettlement),
      data: encodeFunctionData({
        ...{ abi: inferenceSettlementAbi, functionName: "setLedgerWriter", args },
      }),
    });

  return { admit, forfeit, release, setAmount, setLedgerWriter };
}
