import { BaseError } from "@haca/protocol/baseError";
import { withChainSession } from "../../lib/chainSession.ts";
import { formatTable } from "../../lib/table.ts";
import { addressArgument, type Grant, grantsOf } from "./grants.ts";
import { date, tokens } from "./table.ts";

/** One block of lines a grant would be long; the addresses stand in a list of their own below the amounts. */
export async function printStatus(parameters: {
  network: string;
  beneficiary: string | undefined;
}): Promise<void> {
  const { network, beneficiary } = parameters;
  const only =
    beneficiary === undefined
      ? undefined
      : addressArgument({ name: "beneficiary", text: beneficiary });
  await withChainSession(network, async (session) => {
    const states = await Promise.all((await grantsOf(session)).map(stateOf));
    const shown = states.filter(({ receiver }) => only === undefined || receiver === only);
    if (shown.length === 0) {
      throw new BaseError({ code: "vesting.noGrant", message: `no grant pays ${only}` });
    }
    console.log(
      formatTable({
        columns: ["no.", "allocation", "OPG", "vested", "paid", "releasable", "next unlock"],
        rows: shown.map(({ grant, releasable, released, next }, index) => [
          String(index + 1),
          grant.allocation,
          tokens(BigInt(grant.total)),
          tokens(releasable + released),
          tokens(released),
          tokens(releasable),
          next === 0 ? "never" : date(next),
        ]),
      }),
    );
    console.log(
      `\n${formatTable({
        columns: ["no.", "vault and beneficiary"],
        rows: shown.flatMap(({ grant, receiver, pending }, index) => [
          [String(index + 1), grant.vault],
          ["", `  pays ${receiver}`],
          ...(pending === undefined ? [] : [["", `  offered to ${pending}`]]),
        ]),
      })}`,
    );
  });
}

async function stateOf(grant: Grant) {
  const { contract } = grant;
  const pending = await contract.pendingBeneficiary();
  return {
    grant,
    receiver: await contract.beneficiary(),
    pending: BigInt(pending) === 0n ? undefined : pending,
    releasable: await contract.releasable(),
    released: await contract.released(),
    next: Number(await contract.nextUnlock()),
  };
}
