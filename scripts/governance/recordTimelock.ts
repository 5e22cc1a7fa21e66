import { addressBookPath, writeAddressBook } from "@haca/protocol/addressBook";
import { getAddress, keccak256 } from "ethers";
import { addressOf } from "../lib/chainSession.ts";
import { contractAt } from "../lib/contracts.ts";
import { describeTimelock, requireTimelock } from "./actions/newTimelock.ts";
import { refuse } from "./actions/teeRegistry.ts";
import { Arguments } from "./arguments.ts";
import type { Session } from "./session.ts";

const USAGE = "record-timelock <its transaction>";

/**
 * `record-timelock`: writes the timelock that `replace-timelock` brought into the address book, once the governor goes by
 * it. The transaction is the one that created it, and has to have done so. Error: `governance.badArgument`.
 */
export async function recordTimelock(session: Session, words: readonly string[]): Promise<void> {
  const { book, provider } = session;
  const values = new Arguments({ values: words, usage: USAGE });
  const transaction = values.bytes("its transaction", 32);
  values.end();
  const governor = await session.contract("HacaGovernor");
  const address = getAddress(await governor.timelock());
  const predecessor = addressOf(book, "TimelockController");
  if (address === predecessor) throw refuse(`the address book names ${address} already`);
  const contract = contractAt({ name: "TimelockController", address, runner: provider });
  const delay = await contract.MINIMUM_DELAY();
  const timelock = describeTimelock(session, { delay, predecessor, address });
  const block = await requireTimelock({ provider, timelock, transaction });
  const path = addressBookPath(book.chainId);
  const entry = {
    ...{ address, block, transaction },
    constructorArguments: timelock.constructorArguments.map(String),
    codeHash: keccak256(await provider.getCode(address)),
  };
  writeAddressBook({
    path,
    book: { ...book, contracts: { ...book.contracts, TimelockController: entry } },
  });
  console.log(`${path}: timelock ${predecessor} -> ${address}`);
}
