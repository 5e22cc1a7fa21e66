import { contractAt } from "../../lib/contracts.ts";
import type { Action } from "./action.ts";
import { refuse } from "./teeRegistry.ts";

export const revokeGrant: Action = {
  name: "revoke-grant",
  usage: "<vault>",
  summary: "takes back what is not vested of a contributor's grant",
  by: "proposal",
  functions: ["VestingVault.revoke()"],
  build: async ({ book, provider, values }) => {
    const vault = values.address("vault");
    const grant = book.grants?.find((candidate) => candidate.vault === vault);
    if (grant !== undefined && grant.allocation !== "Contributors") {
      throw refuse(`the grant in ${vault} is of ${grant.allocation}: nobody can revoke it`);
    }
    if ((await provider.getCode(vault)) === "0x") throw refuse(`there is no vault ${vault}`);
    const contract = contractAt({ name: "VestingVault", address: vault, runner: provider });
    if ((await contract.revokedAt()) !== 0n) {
      throw refuse(`the grant in ${vault} is revoked already`);
    }
    const whose = grant === undefined ? "" : ` of ${grant.beneficiary} (${grant.allocation})`;
    return {
      calls: [
        {
          contract: "VestingVault",
          target: vault,
          fragment: "function revoke() returns (uint256 refund)",
          arguments: [],
          words: `the grant in ${vault}${whose} stops vesting at that moment; the rest returns to the ecosystem vault, what is vested stays claimable`,
        },
      ],
    };
  },
};
