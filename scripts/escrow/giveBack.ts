import { sendCall } from "../lib/sendCall.ts";
import { isoTime } from "../lib/words.ts";
import { amountWords, refuse, type SendOptions, tokenAt, withEscrow } from "./context.ts";
import { findOpenJob } from "./jobs.ts";

/** Gives a payer everything back: at the deadline, or earlier by node or payee. Errors: `escrow.refused`, those of `sendCall`. */
export function giveBack(
  options: SendOptions & { job: string; verb: "refund" | "cancel" },
): Promise<void> {
  const { verb } = options;
  return withEscrow(options.network, async (context) => {
    const { escrow, now, session } = context;
    const { job, jobId } = await findOpenJob(context, options.job);
    const { node, payee } = job.terms;
    const signer = await session.signer(options.account);
    if (verb === "refund" && now < job.deadline) {
      throw refuse(`job ${jobId} can be captured until ${isoTime(job.deadline)}`);
    }
    if (verb === "cancel" && ![node, payee].includes(signer.address)) {
      throw refuse(`${signer.address} is neither the node ${node} nor the payee ${payee}`);
    }
    const token = await tokenAt(context, job.terms.token);
    console.log(
      `change       job ${jobId}: open -> ${verb === "refund" ? "refunded" : "cancelled"}, ` +
        `${amountWords(job.amount, token)} back to ${job.payer}`,
    );
    await sendCall({
      ...{ contract: escrow, signer, name: verb, values: [job] as const },
      question: session.question("Give it back?", options),
    });
  });
}
