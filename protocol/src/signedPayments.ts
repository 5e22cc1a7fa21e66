/** Uniswap's Permit2, at the same address on every chain that has it. */
export const PERMIT2_ADDRESS = "0x000000000022D473030F116dDEE9F6B43aC78BA3";
/** x402's proxy of the scheme `upto`, as it is published, on every chain that has it. */
export const UPTO_PROXY_ADDRESS = "0x4020A4f3b7b90ccA423B9fabCc0CE57C6C240002";

const TOKEN_PERMISSIONS = [
  { name: "token", type: "address" },
  { name: "amount", type: "uint256" },
];
/** EIP-712 types of a permit of Permit2 for whoever is its spender. */
export const PERMIT_TYPES = {
  PermitTransferFrom: [
    { name: "permitted", type: "TokenPermissions" },
    { name: "spender", type: "address" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
  TokenPermissions: TOKEN_PERMISSIONS,
};
/** EIP-712 types of what a payer signs in x402's scheme `upto`. */
export const UPTO_PERMIT_TYPES = {
  PermitWitnessTransferFrom: [
    { name: "permitted", type: "TokenPermissions" },
    { name: "spender", type: "address" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
    { name: "witness", type: "Witness" },
  ],
  TokenPermissions: TOKEN_PERMISSIONS,
  Witness: [
    { name: "to", type: "address" },
    { name: "facilitator", type: "address" },
    { name: "validAfter", type: "uint256" },
  ],
};

const AUTHORIZATION = [
  { name: "from", type: "address" },
  { name: "to", type: "address" },
  { name: "value", type: "uint256" },
  { name: "validAfter", type: "uint256" },
  { name: "validBefore", type: "uint256" },
  { name: "nonce", type: "bytes32" },
];
/** EIP-3009: what anybody may submit. */
export const TRANSFER_TYPES = { TransferWithAuthorization: AUTHORIZATION };
/** EIP-3009: what the receiver alone may submit. */
export const RECEIVE_TYPES = { ReceiveWithAuthorization: AUTHORIZATION };
