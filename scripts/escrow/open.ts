import {
  escrowFacilitator,
  escrowJobId,
  JOB_STATUSES,
  permit2Domain,
} from "@haca/protocol/inferenceEscrow";
import { PERMIT2_ADDRESS, UPTO_PERMIT_TYPES } from "@haca/protocol/signedPayments";
import { verifyTypedData, ZeroAddress } from "ethers";
import { contractAt } from "../lib/contracts.ts";
import { sendChange } from "../lib/sendChange.ts";
import { senderOf } from "../lib/sender.ts";
import { duration, isoTime } from "../lib/words.ts";
import {
  amountWords,
  badArgument,
  type EscrowContext,
  percent,
  refuse,
  type SendOptions,
  type Token,
  tokenAt,
  withEscrow,
} from "./context.ts";
import { type PermitFile, readPermitFile } from "./permitFile.ts";

/** Brings a payer's permit. Errors: `escrow.badArgument`, `escrow.refused`, those of `senderOf` and `sendChange`. */
export function open(options: SendOptions & { file: string }): Promise<void> {
  const file = readPermitFile(options.file);
  return withEscrow(options.network, async (context) => {
    const { escrow, session } = context;
    const { payment, terms } = file;
    if (file.chainId !== session.chainId || file.escrow !== escrow.target) {
      throw badArgument(
        `the permit is for escrow ${file.escrow} of chain ${file.chainId}, not for ${escrow.target} of ${session.chainId}`,
      );
    }
    const jobId = escrowJobId(payment);
    const status = JOB_STATUSES[Number(await escrow.statusOf(jobId))] ?? "None";
    if (status !== "None") throw refuse(`job ${jobId} is there already: ${status.toLowerCase()}`);
    const token = await tokenAt(context, terms.token);
    await requireSigned(context, file);
    await requireTokens(context, { file, token });
    const [, feeReceiver] = await escrow.fee();
    const fee = feeReceiver === ZeroAddress ? "none" : `${percent(terms.feeBps)} to ${feeReceiver}`;
    await sendChange(context, {
      ...{ options, sender: await senderOf(session, options), contract: escrow, name: "open" },
      values: [terms, payment] as const,
      changes: [
        `${amountWords(payment.amount, token)} of ${payment.payer} -> held by the escrow, job ${jobId}`,
        `it waits for a result of ${terms.node} to request ${terms.requestHash}`,
        `that pays ${terms.payee}, fee ${fee}; without one all goes back after ${duration(terms.captureWindow)}`,
      ],
      question: "Open it?",
    });
    console.log(`job          ${jobId}`);
  });
}

/** The payer signed just this, unless it is a contract, which the chain asks itself. Error: `escrow.refused`. */
async function requireSigned(context: EscrowContext, file: PermitFile): Promise<void> {
  const { escrow, now, session } = context;
  const { payment, terms } = file;
  if (now > payment.validUntil) {
    throw refuse(`the permit was good until ${isoTime(payment.validUntil)}`);
  }
  if ((await session.provider.getCode(payment.payer)) !== "0x") return;
  const domain = permit2Domain({ chainId: BigInt(session.chainId), permit2: PERMIT2_ADDRESS });
  const signed = {
    permitted: { token: terms.token, amount: payment.amount },
    ...{ spender: await escrow.PROXY(), nonce: payment.nonce, deadline: payment.validUntil },
    witness: {
      ...{ to: escrow.target, facilitator: escrowFacilitator({ escrow: escrow.target, terms }) },
      validAfter: payment.validAfter,
    },
  };
  let account: string | undefined;
  try {
    account = verifyTypedData(domain, UPTO_PERMIT_TYPES, signed, payment.signature);
  } catch {
    account = undefined;
  }
  if (account === payment.payer) return;
  throw refuse(`${payment.payer} has not signed this permit for these terms`);
}

/** Error: `escrow.refused`, where the transfer would fail in Permit2 without a word. */
async function requireTokens(
  { session }: EscrowContext,
  { file, token }: { file: PermitFile; token: Token },
): Promise<void> {
  const { amount, payer } = file.payment;
  const contract = contractAt({ name: "OPG", address: token.address, runner: session.provider });
  for (const [has, words] of [
    [await contract.balanceOf(payer), `${payer} has`],
    [
      await contract.allowance(payer, PERMIT2_ADDRESS),
      `Permit2 may move, until ${payer} approves more,`,
    ],
  ] as const) {
    if (has >= amount) continue;
    throw refuse(
      `${words} ${amountWords(has, token)}, and ${amountWords(amount, token)} are needed`,
    );
  }
}
