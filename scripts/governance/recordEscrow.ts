import { selectorOf } from "@haca/protocol/accessTable";
import { addressBookPath, writeAddressBook } from "@haca/protocol/addressBook";
import { ROLES } from "@haca/protocol/roles";
import { keccak256 } from "ethers";
import { describeEscrow, ESCROW, proxyOf, requireEscrow } from "./actions/newEscrow.ts";
import { refuse } from "./actions/teeRegistry.ts";
import { Arguments } from "./arguments.ts";
import type { Session } from "./session.ts";

const USAGE = "record-escrow <its transaction>";

/**
 * `record-escrow`: writes the escrow that `add-escrow` brought into the address book, once governance rules it. The
 * transaction is the one that created it, and has to have done so. Error: `governance.badArgument`.
 */
export async function recordEscrow(session: Session, words: readonly string[]): Promise<void> {
  const { book, provider } = session;
  const values = new Arguments({ values: words, usage: USAGE });
  const transaction = values.bytes("its transaction", 32);
  values.end();
  const known = book.contracts[ESCROW];
  if (known !== undefined) throw refuse(`the address book names ${known.address} already`);
  const address = (await provider.getTransactionReceipt(transaction))?.contractAddress ?? undefined;
  if (address === undefined) throw refuse(`transaction ${transaction} created no contract`);
  const escrow = describeEscrow(session, { proxy: await proxyOf(provider, address), address });
  const block = await requireEscrow({ provider, escrow, transaction });
  const manager = await session.contract("AccessManager");
  const selector = selectorOf("setToken(address,bool)");
  if ((await manager.getTargetFunctionRole(address, selector)) !== ROLES.GOVERNANCE) {
    throw refuse(`governance does not rule ${address}: the proposal of add-escrow comes first`);
  }
  const path = addressBookPath(book.chainId);
  const entry = {
    ...{ address, block, transaction },
    constructorArguments: escrow.constructorArguments.map(String),
    codeHash: keccak256(await provider.getCode(address)),
  };
  writeAddressBook({
    path,
    book: { ...book, contracts: { ...book.contracts, [ESCROW]: entry } },
  });
  console.log(`${path}: escrow ${address}`);
}
