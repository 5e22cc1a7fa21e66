/**
 * How a request is paid: held by the escrow, or by the public one of commerce payments, until its result is settled; transferred at
 * once; or by a voucher of a channel, of which no more is claimed than settled results cost.
 */
export type Route = "escrow" | "exact" | "commerce" | "channel";

/** What a node asks to be paid for. */
export type PaymentDemand = {
  node: URL;
  /** the header of x402 with its offers, as it came */
  offers: string | undefined;
  /** of the request; the payment's nonce is derived of it */
  salt: string;
  /** keccak256 of salt and canonical request, which the escrow's terms bind */
  requestHash: string;
  /** the same with another salt, which nodes make of it where another token than OPG pays */
  hashWith: (salt: string) => string;
  /** whom the escrow's terms have to name: of the enclave that was looked at; undefined where none was */
  enclaveNode: string | undefined;
};

/** What is paid at most, to whom, and how. Amounts are smallest units as decimal text, times unix seconds. */
export type PaymentTerms = {
  route: Route;
  chainId: string;
  /** address of the node that asks to be paid */
  node: string;
  payer: string;
  payee: string;
  token: string;
  /** that holds the money, a channel's gate; null where nobody does */
  escrow: string | null;
  /** of the route `commerce`: who captures out of the public escrow */
  operator?: string;
  most: string;
  /** what is brought into a channel besides, where it has too little */
  deposit?: string;
  /** of the payer, used once: what is signed under it a second time is the same payment, or none */
  nonce: string;
  /** what the node hashes the request with, where it is not the salt that it was sent */
  requestSalt?: string;
  /** last second in which what was signed can be used */
  validUntil: string;
};

/** A payment that was signed. */
export type Payment = PaymentTerms & {
  /** the header that brings it */
  header: string;
  /** whether it was signed for an earlier call */
  isRecalled: boolean;
  /** whom the answer names as requester; the payer if left out */
  requester?: string;
  /** of a channel, which is nobody else's turn until then: to be told what the answer says of it; once it is told, nothing happens */
  end?: (settled: string | undefined) => Promise<void>;
};

/** Who pays for a client, within caps: `createPayer` makes one. */
export type Payer = {
  chainId: string;
  /** what an answer may cost, in smallest units of OPG: nodes that are said to cost more are not asked. Undefined of who pays in another token */
  maxPerCall: bigint | undefined;
  /** where nodes answer what is paid so; as usual if left out */
  path?: string;
  /** the payment that was signed for a request before */
  recall: (asked: Pick<PaymentDemand, "salt" | "requestHash">) => Promise<Payment | undefined>;
  /** signs what pays for a request: once, or throws `payment.*` */
  pay: (demand: PaymentDemand) => Promise<Payment>;
  /**
   * The same payment, as signed, under an offer of now; of a channel a voucher for the sum that the node tells. Undefined where neither
   * helps
   */
  renew: (payment: Payment, demand: PaymentDemand) => Promise<Payment | undefined>;
};

/** What an answer says of its payment. */
export type Paid = PaymentTerms & {
  /** that took the money, by the node's word; null where it has none */
  transaction: string | null;
  /** whom the answer names as requester; the payer if left out */
  requester?: string;
};
