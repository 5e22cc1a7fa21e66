import { sendChange } from "../lib/sendChange.ts";
import { senderOf } from "../lib/sender.ts";
import { isoTime } from "../lib/words.ts";
import { amountWords, refuse, type SendOptions, tokenAt, withEscrow } from "./context.ts";
import { findOpenJob } from "./jobs.ts";

/** Gives a payer everything back: at the deadline, or earlier by node or payee. Errors: `escrow.refused`, those of `senderOf` and `sendChange`. */
export function giveBack(
  options: SendOptions & { job: string; verb: "refund" | "cancel" },
): Promise<void> {
  const { verb } = options;
  return withEscrow(options.network, async (context) => {
    const { escrow, now, session } = context;
    const { job, jobId } = await findOpenJob(context, options.job);
    const { node, payee } = job.terms;
    const sender = await senderOf(session, options);
    if (verb === "refund" && now < job.deadline) {
      throw refuse(`job ${jobId} can be captured until ${isoTime(job.deadline)}`);
    }
    if (verb === "cancel" && ![node, payee].includes(sender.address)) {
      throw refuse(`${sender.address} is neither the node ${node} nor the payee ${payee}`);
    }
    const token = await tokenAt(context, job.terms.token);
    await sendChange(context, {
      ...{ options, sender, contract: escrow, name: verb, values: [job] as const },
      changes: [
        `job ${jobId}: open -> ${verb === "refund" ? "refunded" : "cancelled"}, ` +
          `${amountWords(job.amount, token)} back to ${job.payer}`,
      ],
      question: "Give it back?",
    });
  });
}
