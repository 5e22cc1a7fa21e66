import { BaseError } from "@haca/protocol/baseError";
import { formatUnits } from "ethers";
import type { Action } from "./action.ts";
import { readViewAt } from "./readView.ts";
import { refuse } from "./teeRegistry.ts";

const BENEFICIARY_VIEW = "function beneficiary() view returns (address)";

export const redirectStakingRewards: Action = {
  name: "redirect-staking-rewards",
  usage: "<staking contract>",
  summary: "points the staking rewards at a contract, once and for ever",
  by: "proposal",
  build: async ({ book, provider, values }) => {
    const target = values.address("staking contract");
    const grant = book.grants?.find(({ allocation }) => allocation === "Staking rewards");
    if (grant === undefined) {
      throw new BaseError({
        code: "governance.notDeployed",
        message: `the address book of chain ${book.chainId} has no staking rewards`,
      });
    }
    if ((await provider.getCode(target)) === "0x") throw refuse(`there is no contract ${target}`);
    const beneficiary: string = await readViewAt(provider, grant.vault, BENEFICIARY_VIEW);
    if (beneficiary !== grant.beneficiary) {
      throw refuse(`the staking rewards are redirected to ${beneficiary} for good`);
    }
    return {
      calls: [
        {
          contract: "VestingVault",
          target: grant.vault,
          fragment: "function redirect(address target)",
          arguments: [target],
          words: `the staking rewards (${formatUnits(grant.total, 18)} OPG) are paid to ${target} from then on, and nobody can change that again`,
        },
      ],
    };
  },
};
