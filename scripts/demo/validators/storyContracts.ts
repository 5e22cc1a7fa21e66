import { addressBookPath, readAddressBook } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import { type BaseContract, type JsonRpcProvider, type Result, Wallet } from "ethers";
import { type ContractOf, contractAt } from "../../lib/contracts.ts";
import { CHAIN_ID, developmentKey } from "../localChain.ts";

/** Who the token's liquidity went to: most of the votes that are cast here. */
export const LIQUIDITY = 3;

type StoryContract =
  | "OPG"
  | "InferenceSettlement"
  | "PageSettlement"
  | "ValidatorStaking"
  | "HacaGovernor"
  | "DataFeeds";

/** Contracts of the story, as the account `runner` calls them. */
export function storyContracts(runner: Wallet) {
  const { contracts } = readAddressBook(addressBookPath(CHAIN_ID));
  const at = <Name extends StoryContract>(name: Name): ContractOf<Name> => {
    const address = contracts[name]?.address;
    if (address === undefined) {
      const message = `the address book has no ${name}`;
      throw new BaseError({ code: "demo.noContract", message });
    }
    return contractAt({ name, address, runner });
  };
  return {
    token: at("OPG"),
    settlement: at("InferenceSettlement"),
    pages: at("PageSettlement"),
    staking: at("ValidatorStaking"),
    governor: at("HacaGovernor"),
    feeds: at("DataFeeds"),
  };
}

/** Moves the chain's clock on. */
export async function pass(provider: JsonRpcProvider, seconds: bigint): Promise<void> {
  await provider.send("evm_increaseTime", [Number(seconds)]);
  await provider.send("evm_mine", []);
}

/** The deployment's liquidity pays for the story. */
export async function fund(provider: JsonRpcProvider, to: string, amount: bigint): Promise<void> {
  const { token } = storyContracts(new Wallet(developmentKey(LIQUIDITY), provider));
  await (await token.transfer(to, amount)).wait();
}

/** Leaves a deposit in an account of the contract of pages, out of the liquidity. */
export async function leaveDeposit(
  provider: JsonRpcProvider,
  account: string,
  amount: bigint,
): Promise<void> {
  const { pages, token } = storyContracts(new Wallet(developmentKey(LIQUIDITY), provider));
  await (await token.approve(await pages.getAddress(), amount)).wait();
  await (await pages.deposit(account, amount)).wait();
}

/** What a contract has told so far: events of a name with these indexed values, null standing for any. */
export async function eventsOf(parameters: {
  provider: JsonRpcProvider;
  contract: Pick<BaseContract, "getAddress" | "interface">;
  name: string;
  values?: readonly unknown[];
}): Promise<{ args: Result; transactionHash: string }[]> {
  const { contract, name, provider, values = [] } = parameters;
  const topics = contract.interface.encodeFilterTopics(name, [...values]);
  const address = await contract.getAddress();
  const logs = await provider.getLogs({ address, topics, fromBlock: 0 });
  return logs.map(({ data, topics, transactionHash }) => ({
    args: contract.interface.decodeEventLog(name, data, topics),
    transactionHash,
  }));
}

/** Gas that a transaction used. */
export async function gasUsedBy(provider: JsonRpcProvider, hash: string): Promise<bigint> {
  return (await provider.getTransactionReceipt(hash))?.gasUsed ?? 0n;
}
