import { randomBytes } from "node:crypto";
import {
  type EscrowTerms,
  escrowFacilitator,
  escrowJobId,
  escrowKindsInWords,
  permit2Domain,
} from "@haca/protocol/inferenceEscrow";
import { PERMIT2_ADDRESS, UPTO_PERMIT_TYPES } from "@haca/protocol/signedPayments";
import { duration, isoTime } from "../lib/words.ts";
import {
  addressArgument,
  amountArgument,
  amountWords,
  badArgument,
  type EscrowContext,
  hashArgument,
  percent,
  type ReadOptions,
  refuse,
  secondsArgument,
  tokenAt,
  withEscrow,
} from "./context.ts";
import { writePermitFile } from "./permitFile.ts";
import { kindsArgument, nodeArgument } from "./terms.ts";

type PermitOptions = ReadOptions & {
  account: string;
  node: string;
  payee: string;
  request: string;
  amount: string;
  out: string;
  token?: string;
  kinds: string;
  window?: string;
  valid: string;
};

const UINT128 = 1n << 128n;

/** Signs a payer's permit for a job and writes it to a file. Errors: `escrow.badArgument`, `escrow.refused`. */
export function permit(options: PermitOptions): Promise<void> {
  const kinds = kindsArgument(options.kinds);
  const node = nodeArgument(options.node);
  const payee = addressArgument("--payee", options.payee);
  const requestHash = hashArgument("--request", options.request);
  const valid = secondsArgument("--valid", options.valid);
  return withEscrow(options.network, async (context) => {
    const { escrow, now, session } = context;
    const token = await tokenAt(context, options.token);
    const amount = amountArgument("--amount", options.amount, token);
    if (amount === 0n || amount >= UINT128)
      throw badArgument("--amount must be above 0, and below 2^128 units");
    if (!(await escrow.isTokenAllowed(token.address))) {
      throw refuse(`governance does not allow payments in ${token.symbol}`);
    }
    const [feeBps] = await escrow.fee();
    const captureWindow = await windowArgument(context, { kinds, given: options.window });
    const terms: EscrowTerms = {
      ...{ node, payee, requestHash, token: token.address, feeBps, kinds, captureWindow },
    };
    const signer = await session.signer(options.account);
    const payer = signer.address;
    const nonce = BigInt(`0x${randomBytes(32).toString("hex")}`);
    const times = { validAfter: 0n, validUntil: now + valid };
    const domain = permit2Domain({ chainId: BigInt(session.chainId), permit2: PERMIT2_ADDRESS });
    const facilitator = escrowFacilitator({ escrow: escrow.target, terms });
    const signature = await signer.signTypedData(domain, UPTO_PERMIT_TYPES, {
      permitted: { token: token.address, amount },
      ...{ spender: await escrow.PROXY(), nonce, deadline: times.validUntil },
      witness: { to: escrow.target, facilitator, validAfter: times.validAfter },
    });
    const payment = { payer, amount, nonce, ...times, signature };
    const { chainId } = session;
    const path = writePermitFile(options.out, {
      ...{ chainId, escrow: escrow.target, terms, payment },
    });
    console.log(
      [
        `permit       ${path}, good until ${isoTime(times.validUntil)}; nothing is sent`,
        `job          ${escrowJobId({ payer, nonce })}, once it is opened`,
        `holds        ${amountWords(amount, token)} of ${payer} for ${duration(captureWindow)}`,
        `pays         ${payee}, less a fee of ${percent(feeBps)}, the price of a result of ${node}`,
        `captured by  ${escrowKindsInWords(kinds)}`,
      ].join("\n"),
    );
  });
}

/** The contract's bounds are those of now. */
async function windowArgument(
  { escrow }: EscrowContext,
  { given, kinds }: { kinds: bigint; given: string | undefined },
): Promise<bigint> {
  const minimum = await escrow.leastWindow(kinds);
  if (given === undefined) return minimum;
  const window = secondsArgument("--window", given);
  const maximum = await escrow.MAXIMUM_WINDOW();
  if (window >= minimum && window <= maximum) return window;
  throw badArgument(
    `--window must be from ${minimum} to ${maximum} s for these kinds, got ${window}`,
  );
}
