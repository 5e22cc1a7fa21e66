import type { Action } from "./action.ts";

export const revokeGrant: Action = {
  name: "revoke-grant",
  usage: "<vault>",
  summary: "takes back what is not vested of a contributor's grant",
  by: "proposal",
  build: async ({ book, values }) => {
    const vault = values.address("vault");
    const grant = book.grants?.find((candidate) => candidate.vault === vault);
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
