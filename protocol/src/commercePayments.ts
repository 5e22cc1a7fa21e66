import { AbiCoder, getAddress, Interface, id, keccak256, ZeroAddress } from "ethers";

/** A version of the public escrow of commerce payments, x402's scheme `auth-capture`, and what brings tokens to it. */
export type CommerceDeployment = {
  version: "1.1" | "1.0";
  escrow: string;
  erc3009Collector: string;
  permit2Collector: string;
};

/** Of the public escrow, what is asked besides what the contracts here call. */
export const commerceEscrow = new Interface([
  "function paymentState(bytes32 paymentHash) view returns (bool isCollected, uint120 held, uint120 refundable)",
]);

/** As they are published, on every chain that has them. Stock clients take the first one where they are told of none. */
export const COMMERCE_DEPLOYMENTS: readonly CommerceDeployment[] = [
  {
    version: "1.1",
    escrow: "0xf96815976523E00e65Be8f34cA5e64b4f41EB19c",
    erc3009Collector: "0x8612dfdc421f80336cd14E8EF9cb1E765dB5ab88",
    permit2Collector: "0xD69831Aed5bfe262067ec4c751f4F830EcdD446e",
  },
  {
    version: "1.0",
    escrow: "0xBdEA0D1bcC5966192B070Fdf62aB4EF5b4420cff",
    erc3009Collector: "0x0E3dF9510de65469C4518D7843919c0b8C7A7757",
    permit2Collector: "0x992476B9Ee81d52a5BdA0622C333938D0Af0aB26",
  },
];

/** x402's scheme of such payments. */
export const COMMERCE_SCHEME = "auth-capture";

/** The published version with this escrow; undefined where there is none, so that no stock client pays into it. */
export const commerceDeploymentAt = (escrow: string): CommerceDeployment | undefined =>
  COMMERCE_DEPLOYMENTS.find((known) => known.escrow.toLowerCase() === escrow.toLowerCase());

/** As `ICommerceEscrow.PaymentInfo`. */
export type CommercePayment = {
  operator: string;
  payer: string;
  receiver: string;
  token: string;
  maxAmount: bigint;
  /** unix seconds; first in which it is not collected any more */
  preApprovalExpiry: bigint;
  /** unix seconds; first in which it is not captured any more */
  authorizationExpiry: bigint;
  /** unix seconds */
  refundExpiry: bigint;
  minFeeBps: bigint;
  maxFeeBps: bigint;
  feeReceiver: string;
  salt: bigint;
};

/** As `ICommerceOperator.Job`. */
export type CommerceJob = { payment: CommercePayment; requestHash: string; saltNonce: bigint };

/** As `ICommerceOperator.Terms`. */
export type OperatorTerms = {
  node: string;
  payee: string;
  token: string;
  feeReceiver: string;
  /** hundredths of a percent of the price */
  feeBps: bigint;
  /** of `ESCROW_KINDS`, added up */
  kinds: bigint;
};

/** The selector of a version's `capture`, which takes the fee in smallest units or in hundredths of a percent. */
export const captureSelector = (version: CommerceDeployment["version"]): string =>
  id(
    `capture((${WIDTHS.join(",")}),uint256,${version === "1.0" ? "uint16" : "uint256"},address)`,
  ).slice(0, SELECTOR_DIGITS);

/** As `ICommerceOperator.Status` counts. */
export const OPERATOR_STATUSES = ["None", "Open", "Captured", "Returned"] as const;

const WIDTHS = [
  ...["address", "address", "address", "address", "uint120", "uint48", "uint48", "uint48"],
  ...["uint16", "uint16", "address", "uint256"],
];
const NAMES = [
  ...["operator", "payer", "receiver", "token", "maxAmount"],
  ...["preApprovalExpiry", "authorizationExpiry", "refundExpiry"],
  ...["minFeeBps", "maxFeeBps", "feeReceiver", "salt"],
] as const satisfies readonly (keyof CommercePayment)[];
const PAYMENT_TYPE = id(
  `PaymentInfo(${NAMES.map((name, index) => `${WIDTHS[index]} ${name}`).join(",")})`,
);
/** with 0x */
const SELECTOR_DIGITS = 10;
const SALT_TYPE = id(
  "x402AuthCaptureSaltBinding(address receiverAuthorizer,address policy,uint256 saltNonce)",
);
/** of an address, in hexadecimal digits */
const DIGITS = 40;
const HASH_DIGITS = 64;

/** The two addresses of the scheme that name a request: the first and the last 20 bytes of its hash. */
export const endsOfRequest = (
  requestHash: string,
): { receiverAuthorizer: string; policy: string } => ({
  receiverAuthorizer: getAddress(requestHash.slice(0, 2 + DIGITS)),
  policy: getAddress(`0x${requestHash.slice(-DIGITS)}`),
});

/** The hash of a request by its two ends; undefined where they are not of one hash. */
export function requestOfEnds(ends: {
  receiverAuthorizer: string;
  policy: string;
}): string | undefined {
  const first = ends.receiverAuthorizer.slice(2).toLowerCase();
  const last = ends.policy.slice(2).toLowerCase();
  const shared = 2 * DIGITS - HASH_DIGITS;
  return first.endsWith(last.slice(0, shared)) ? `0x${first}${last.slice(shared)}` : undefined;
}

/** What of an offer a stock client's payment is made of. Times are unix seconds. */
export type CommerceOffer = {
  asset: string;
  payTo: string;
  amount: string;
  extra: {
    captureAuthorizer: string;
    captureDeadline: number;
    refundDeadline: number;
    minFeeBps: number;
    maxFeeBps: number;
    feeRecipient: string;
  };
};

/** The payment that a stock client makes of an offer, with what it adds itself. */
export const paymentForOffer = (parameters: {
  offer: CommerceOffer;
  payer: string;
  preApprovalExpiry: bigint;
  salt: bigint;
}): CommercePayment => {
  const { offer, payer, preApprovalExpiry, salt } = parameters;
  const { amount, extra } = offer;
  // Offers come from others, too, in whatever letters.
  const [operator, receiver, token, feeReceiver] = [
    ...[extra.captureAuthorizer, offer.payTo, offer.asset, extra.feeRecipient],
  ].map((address) => getAddress(address.toLowerCase())) as [string, string, string, string];
  return {
    ...{ operator, payer, receiver, token, feeReceiver },
    ...{ maxAmount: BigInt(amount), preApprovalExpiry, salt },
    authorizationExpiry: BigInt(extra.captureDeadline),
    refundExpiry: BigInt(extra.refundDeadline),
    ...{ minFeeBps: BigInt(extra.minFeeBps), maxFeeBps: BigInt(extra.maxFeeBps) },
  };
};

/** The salt of a payment for a request, as stock clients make it: `saltOf` without a chain. */
export function commerceSalt(parameters: { requestHash: string; saltNonce: bigint }): bigint {
  const { receiverAuthorizer, policy } = endsOfRequest(parameters.requestHash);
  const values = [SALT_TYPE, receiverAuthorizer, policy, parameters.saltNonce];
  const types = ["bytes32", "address", "address", "uint256"];
  return BigInt(keccak256(AbiCoder.defaultAbiCoder().encode(types, values)));
}

/** Chain and escrow that a payment is hashed for. */
export type CommerceDomain = { chainId: bigint; escrow: string };

/** The hash of a payment, which names it and its job: bytes32. */
export function commerceHash(domain: CommerceDomain, payment: CommercePayment): string {
  const coder = AbiCoder.defaultAbiCoder();
  const values = [PAYMENT_TYPE, ...NAMES.map((name) => payment[name])];
  const inner = keccak256(coder.encode(["bytes32", ...WIDTHS], values));
  const { chainId, escrow } = domain;
  return keccak256(coder.encode(["uint256", "address", "bytes32"], [chainId, escrow, inner]));
}

/** What a payer signs as the nonce of an EIP-3009 authorisation, or as a number of a permit: the hash without the payer. */
export const commerceNonce = (domain: CommerceDomain, payment: CommercePayment): string =>
  commerceHash(domain, { ...payment, payer: ZeroAddress });
