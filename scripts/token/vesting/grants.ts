import type { GenesisGrant } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import { getAddress, isAddress } from "ethers";
import { type ChainSession, requireVault } from "../../lib/chainSession.ts";
import { type ContractOf, contractAt } from "../../lib/contracts.ts";

/** A vault of the address book. */
export type Grant = GenesisGrant & { contract: ContractOf<"VestingVault"> };

/** An address from the command line. Error: `vesting.badAddress`. */
export function addressArgument(parameters: { name: string; text: string }): string {
  const { name, text } = parameters;
  if (/^0x/.test(text) && isAddress(text)) return getAddress(text);
  throw new BaseError({ code: "vesting.badAddress", message: `${name}: ${text} is no address` });
}

/** The grants of a deployment. Errors: `vesting.notDeployed`, `chain.otherChain`. */
export async function grantsOf(session: ChainSession): Promise<Grant[]> {
  const { book, bookPath, provider } = session;
  const [first] = book.grants ?? [];
  if (first === undefined) {
    throw new BaseError({
      code: "vesting.notDeployed",
      message: `${bookPath} has no grants: npm run deploy -- --network <name>`,
    });
  }
  await requireVault({ book, provider, address: first.vault });
  return (book.grants ?? []).map((grant) => ({
    ...grant,
    contract: contractAt({ name: "VestingVault", address: grant.vault, runner: provider }),
  }));
}

/** The grant in a vault. Errors: those of `grantsOf`, `vesting.badAddress`, `vesting.unknownVault`. */
export async function grantIn(session: ChainSession, text: string): Promise<Grant> {
  const vault = addressArgument({ name: "vault", text });
  const grants = await grantsOf(session);
  const found = grants.find((grant) => getAddress(grant.vault) === vault);
  if (found !== undefined) return found;
  throw new BaseError({
    code: "vesting.unknownVault",
    message: `${vault} is no vault of the address book: npm run vesting -- status`,
  });
}
