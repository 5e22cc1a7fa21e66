import {
  BATCH_SETTLEMENT_ADDRESS,
  ERC3009_DEPOSIT_COLLECTOR_ADDRESS,
  PERMIT2_ADDRESS,
  x402ExactPermit2ProxyAddress,
  x402UptoPermit2ProxyAddress,
} from "@x402/evm";

/** A contract of others that has one address on every chain: created by CREATE2 from its init code and a salt. */
export type Genuine = {
  name: string;
  address: string;
  salt: bigint;
  /** folder of its Foundry project, in the checkout */
  project: string;
  /** in the project: what is compiled, or, of a published init code, the file with its hex */
  from: { source: string; arguments: readonly string[] } | { initCode: string };
};

const X402 = "contracts/evm";

/** Their salts are those of their deployment scripts; a wrong one gives another address. */
export const GENUINE: readonly Genuine[] = [
  {
    name: "Permit2",
    address: PERMIT2_ADDRESS,
    salt: 0xd3af2663da51c10215000000n,
    project: `${X402}/lib/permit2`,
    from: { source: "src/Permit2.sol", arguments: [] },
  },
  {
    name: "x402UptoPermit2Proxy",
    address: x402UptoPermit2ProxyAddress,
    salt: 0xb000000001db633dn,
    project: X402,
    from: { source: "src/x402UptoPermit2Proxy.sol", arguments: [PERMIT2_ADDRESS] },
  },
  {
    // Its code ends with a hash of the metadata of whoever compiled it, so that it is published as it was created.
    name: "x402ExactPermit2Proxy",
    address: x402ExactPermit2ProxyAddress,
    salt: 0x3000000007263b0en,
    project: X402,
    from: { initCode: "script/data/exact-proxy-initcode.hex" },
  },
  {
    name: "x402BatchSettlement",
    address: BATCH_SETTLEMENT_ADDRESS,
    salt: 0xe000000005be885cn,
    project: X402,
    from: { source: "src/x402BatchSettlement.sol", arguments: [] },
  },
  {
    name: "ERC3009DepositCollector",
    address: ERC3009_DEPOSIT_COLLECTOR_ADDRESS,
    salt: 0x1800000007a95284n,
    project: X402,
    from: {
      source: "src/periphery/ERC3009DepositCollector.sol",
      arguments: [BATCH_SETTLEMENT_ADDRESS],
    },
  },
];
