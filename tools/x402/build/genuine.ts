import {
  BATCH_SETTLEMENT_ADDRESS,
  ERC3009_DEPOSIT_COLLECTOR_ADDRESS,
  PERMIT2_ADDRESS,
  x402ExactPermit2ProxyAddress,
  x402UptoPermit2ProxyAddress,
} from "@x402/evm";
import type { Tree } from "./extract.ts";

/** A contract of others that has one address on every chain: created by CREATE2 from its init code and a salt. */
export type Genuine = {
  name: string;
  address: string;
  salt: bigint;
  /** of the checkout, whose source gives that address */
  commit: string;
  /** folder of its Foundry project in the checkout */
  project: string;
  /** in the project: what is compiled, or, of a published init code, the file with its hex */
  from: { source: string; arguments: readonly string[] } | { initCode: string };
};

const X402 = "contracts/evm";
/** Before the proxy's source changed, which has another address since. */
const MARCH = "ad2658ac57bbf24d33192cb0f5dac5cf423f00a8";
const MAY = "84ffb6412a1f2f45a62971c5549eff794281c099";

/** What is needed of x402's repository, and of those in it. */
export const TREE: Tree = {
  files: ["src", "script", "foundry.toml", "remappings.txt"].map((name) => `${X402}/${name}`),
  libraries: {
    [`${X402}/lib/openzeppelin-contracts`]: { files: ["contracts"], libraries: {} },
    [`${X402}/lib/permit2`]: {
      files: ["src", "foundry.toml", "remappings.txt"],
      libraries: { "lib/solmate": { files: ["src"], libraries: {} } },
    },
  },
};

/** Their salts are those of their deployment scripts; a wrong one gives another address. */
export const GENUINE: readonly Genuine[] = [
  {
    ...{ name: "Permit2", address: PERMIT2_ADDRESS, salt: 0xd3af2663da51c10215000000n },
    ...{ commit: MAY, project: `${X402}/lib/permit2` },
    from: { source: "src/Permit2.sol", arguments: [] },
  },
  {
    ...{ name: "x402UptoPermit2Proxy", address: x402UptoPermit2ProxyAddress },
    ...{ salt: 0xb000000001db633dn, commit: MARCH, project: X402 },
    from: { source: "src/x402UptoPermit2Proxy.sol", arguments: [PERMIT2_ADDRESS] },
  },
  {
    // Its code ends with a hash of the metadata of whoever compiled it, so that it is published as it was created.
    ...{ name: "x402ExactPermit2Proxy", address: x402ExactPermit2ProxyAddress },
    ...{ salt: 0x3000000007263b0en, commit: MAY, project: X402 },
    from: { initCode: "script/data/exact-proxy-initcode.hex" },
  },
  {
    ...{ name: "x402BatchSettlement", address: BATCH_SETTLEMENT_ADDRESS },
    ...{ salt: 0xe000000005be885cn, commit: MAY, project: X402 },
    from: { source: "src/x402BatchSettlement.sol", arguments: [] },
  },
  {
    ...{ name: "ERC3009DepositCollector", address: ERC3009_DEPOSIT_COLLECTOR_ADDRESS },
    ...{ salt: 0x1800000007a95284n, commit: MAY, project: X402 },
    from: {
      source: "src/periphery/ERC3009DepositCollector.sol",
      arguments: [BATCH_SETTLEMENT_ADDRESS],
    },
  },
];
