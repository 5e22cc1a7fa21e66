import { contractAt } from "../lib/contracts.ts";
import { sendChange } from "../lib/sendChange.ts";
import { senderOf } from "../lib/sender.ts";
import { isoTime } from "../lib/words.ts";
import { amountWords, refuse, type SendOptions, tokenAt, withEscrow } from "./context.ts";
import { findJob, findOpenJob } from "./jobs.ts";

/** Gives a payer everything back: at the deadline, or earlier by node or payee. Errors: `escrow.refused`, those of `senderOf` and `sendChange`. */
export function giveBack(
  options: SendOptions & { job: string; verb: "refund" | "cancel" },
): Promise<void> {
  const { verb } = options;
  return withEscrow(options.network, async (context) => {
    const { escrow, now, session } = context;
    const found = await findJob(context, options.job);
    const isRest = verb === "refund" && found.kept > 0n;
    const { commerce, job, jobId } = isRest ? found : await findOpenJob(context, options.job);
    const { node, payee } = job.terms;
    const sender = await senderOf(session, options);
    if (verb === "refund" && !isRest && now < job.deadline) {
      throw refuse(`job ${jobId} can be captured until ${isoTime(job.deadline)}`);
    }
    if (verb === "cancel" && ![node, payee].includes(sender.address)) {
      throw refuse(`${sender.address} is neither the node ${node} nor the payee ${payee}`);
    }
    const token = await tokenAt(context, job.terms.token);
    const amount = amountWords(isRest ? found.kept : job.amount, token);
    const end = verb === "refund" ? "refunded" : "cancelled";
    const change = isRest ? "what its capture left," : `open -> ${end},`;
    const said = {
      ...{ options, sender, name: verb, question: "Give it back?" },
      changes: [`job ${jobId}: ${change} ${amount} back to ${job.payer}`],
    };
    if (commerce === null) {
      await sendChange(context, { ...said, contract: escrow, values: [job] as const });
      return;
    }
    const { operator: address, job: own } = commerce;
    const contract = contractAt({ name: "CommerceOperator", address, runner: session.provider });
    await sendChange(context, { ...said, contract, values: [own.payment] as const });
  });
}
