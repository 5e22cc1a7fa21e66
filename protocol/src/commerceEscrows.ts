/** A version of the public escrow of commerce payments, x402's scheme `auth-capture`, and what brings tokens to it. */
export type CommerceDeployment = {
  version: "1.1" | "1.0";
  escrow: string;
  erc3009Collector: string;
  permit2Collector: string;
};

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

/** The struct `ICommerceEscrow.PaymentInfo`, whose hash as EIP-712 has it is part of a payment's. */
export const COMMERCE_PAYMENT_TYPES = {
  PaymentInfo: [
    { name: "operator", type: "address" },
    { name: "payer", type: "address" },
    { name: "receiver", type: "address" },
    { name: "token", type: "address" },
    { name: "maxAmount", type: "uint120" },
    { name: "preApprovalExpiry", type: "uint48" },
    { name: "authorizationExpiry", type: "uint48" },
    { name: "refundExpiry", type: "uint48" },
    { name: "minFeeBps", type: "uint16" },
    { name: "maxFeeBps", type: "uint16" },
    { name: "feeReceiver", type: "address" },
    { name: "salt", type: "uint256" },
  ],
};

/** What x402's scheme makes a payment's salt of, hashed likewise. */
export const COMMERCE_SALT_TYPES = {
  x402AuthCaptureSaltBinding: [
    { name: "receiverAuthorizer", type: "address" },
    { name: "policy", type: "address" },
    { name: "saltNonce", type: "uint256" },
  ],
};
