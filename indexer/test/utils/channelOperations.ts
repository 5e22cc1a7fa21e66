import { channelGateAbi, channelGatesAbi } from "@haca/protocol/abi";
import { BATCH_SETTLEMENT_ADDRESS } from "@haca/protocol/channelGates";
import { ESCROW_KINDS } from "@haca/protocol/inferenceEscrow";
import { channelAccount } from "@haca/protocol/pageOpening";
import { nodeOfEnclave } from "@haca/protocol/requestId";
import { RECEIVE_TYPES } from "@haca/protocol/signedPayments";
import {
  BATCH_SETTLEMENT_DOMAIN,
  ERC3009_DEPOSIT_COLLECTOR_ADDRESS,
  voucherTypes,
} from "@x402/evm";
import {
  concat,
  encodeAbiParameters,
  encodeFunctionData,
  type Hex,
  keccak256,
  numberToHex,
  parseAbi,
  zeroHash,
} from "viem";
import { deployOn } from "./deployOn.ts";
import type { Token } from "./deployToken.ts";
import { type EscrowOperations, FEE_BPS, PRICE } from "./escrowOperations.ts";
import type { Chain } from "./startChain.ts";
import type { TeeNode } from "./teeOperations.ts";

const DAY = 86_400;
const TEE = 2;
const DEPOSIT = 100_000n;
const BATCH_ABI = parseAbi([
  "struct ChannelConfig { address payer; address payerAuthorizer; address receiver; address receiverAuthorizer; address token; uint40 withdrawDelay; bytes32 salt; }",
  "function deposit(ChannelConfig config, uint128 amount, address collector, bytes data)",
  "function settle(address receiver, address token)",
  "function getChannelId(ChannelConfig config) view returns (bytes32)",
]);
/** Code that reverts when it is called for `transfer`, and answers a number to everything else. */
const refusing = (number: bigint): Hex =>
  concat([
    "0x5f3560e01c63a9059cbb1460175761",
    numberToHex(number, { size: 2 }),
    "0x5f5260205ff35b5f5ffd",
  ]);

/** Deploys what makes gates, over code in the place of x402's contract of channels that `prepare` of the escrow replaces. */
export async function deployGates(parameters: { chain: Chain; escrow: Hex }) {
  const { chain, escrow } = parameters;
  await chain.client.setCode({ address: BATCH_SETTLEMENT_ADDRESS, bytecode: "0x00" });
  const { channelGates } = await deployOn(chain, (module) => ({
    channelGates: module.contract("ChannelGates", [escrow, BATCH_SETTLEMENT_ADDRESS]),
  }));
  return channelGates;
}

/** A channel of the escrow's payer to a gate, and its gate. */
export type Channel = { gate: Hex; id: Hex; config: Config };
type Config = {
  payer: Hex;
  payerAuthorizer: Hex;
  receiver: Hex;
  receiverAuthorizer: Hex;
  token: Hex;
  withdrawDelay: number;
  salt: Hex;
};

/** What can happen to channels, once the escrow is prepared. */
export function channelOperations(parameters: {
  chain: Chain;
  token: Token;
  escrow: EscrowOperations;
  gates: Hex;
}) {
  const { chain, escrow, gates, token } = parameters;
  const payer = escrow.payer.address as Hex;

  /** Opens a gate of a node, with the escrow's fee; returns its address. */
  const openGate = async (node: TeeNode): Promise<Hex> => {
    const terms = {
      ...{ node: nodeOfEnclave(node.enclave.teeId) as Hex, payee: escrow.payee },
      ...{ feeReceiver: escrow.feeReceiver, feeBps: FEE_BPS, kinds: Number(ESCROW_KINDS.tee) },
    };
    const call = { abi: channelGatesAbi, args: [terms] } as const;
    await chain.send({ to: gates, data: encodeFunctionData({ ...call, functionName: "open" }) });
    return chain.client.readContract({ ...call, address: gates, functionName: "gateOf" });
  };

  /** A channel with tokens in it, which the payer authorised. */
  const openChannel = async (gate: Hex, of: Hex = token.opg.address): Promise<Channel> => {
    const config: Config = {
      ...{ payer, payerAuthorizer: payer, receiver: gate, receiverAuthorizer: gate },
      ...{ token: of, withdrawDelay: 6 * DAY, salt: zeroHash },
    };
    const read = { address: BATCH_SETTLEMENT_ADDRESS, abi: BATCH_ABI } as const;
    const id = await chain.client.readContract({
      ...{ ...read, functionName: "getChannelId", args: [config] },
    });
    const { timestamp } = await chain.client.getBlock();
    const validBefore = timestamp + BigInt(DAY);
    const uint256 = { type: "uint256" } as const;
    const channelNonce = encodeAbiParameters([{ type: "bytes32" }, uint256], [id, 0n]);
    const signature = await escrow.payer.signTypedData(
      { name: "OPG", version: "1", chainId: chain.client.chain.id, verifyingContract: of },
      RECEIVE_TYPES,
      {
        ...{ from: payer, to: ERC3009_DEPOSIT_COLLECTOR_ADDRESS, value: DEPOSIT },
        ...{ validAfter: 0n, validBefore, nonce: keccak256(channelNonce) },
      },
    );
    const data = encodeAbiParameters(
      [uint256, uint256, uint256, { type: "bytes" }],
      [0n, validBefore, 0n, signature as Hex],
    );
    await onBatch("deposit", [config, DEPOSIT, ERC3009_DEPOSIT_COLLECTOR_ADDRESS, data]);
    return { gate, id, config };
  };

  const onBatch = (functionName: "deposit" | "settle", args: readonly unknown[]) =>
    chain.send({
      to: BATCH_SETTLEMENT_ADDRESS,
      data: encodeFunctionData({ abi: BATCH_ABI, functionName, args } as never),
    });

  const call = (gate: Hex, functionName: string, args: readonly unknown[], from?: Hex) =>
    chain.send({
      to: gate,
      data: encodeFunctionData({ abi: channelGateAbi, functionName, args } as never),
      ...(from === undefined ? {} : { from }),
    });

  /** Settles a result of the channel alone, and counts it. */
  const count = async (node: TeeNode, { gate, id }: Channel, nonce: bigint) => {
    const requester = channelAccount(id);
    const result = await escrow.settle({ node, nonce, requester, requestHash: id });
    return call(gate, "countResult", [id, result, TEE]);
  };

  /** Claims by a voucher of this height, fetches what came in, and shares it out. */
  const claim = async ({ config, gate, id }: Channel, maxClaimableAmount: bigint) => {
    const domain = {
      ...{ ...BATCH_SETTLEMENT_DOMAIN, chainId: chain.client.chain.id },
      verifyingContract: BATCH_SETTLEMENT_ADDRESS,
    };
    const types = { Voucher: [...voucherTypes.Voucher] };
    const signature = await escrow.payer.signTypedData(domain, types, {
      ...{ channelId: id, maxClaimableAmount },
    });
    await call(gate, "claim", [[{ channel: config, maxClaimableAmount, signature }]]);
  };
  const collect = ({ config, gate }: Channel) => call(gate, "collect", [config.token]);

  /** Shares out what one result brought, while the token refuses every transfer: both parts become credits. */
  const collectRefused = async (channel: Channel) => {
    const { config, gate } = channel;
    // Anybody may fetch it for the gate.
    await onBatch("settle", [gate, config.token]);
    const code = await chain.client.getCode({ address: config.token });
    await chain.client.setCode({ address: config.token, bytecode: refusing(PRICE) });
    await collect(channel);
    await chain.client.setCode({ address: config.token, bytecode: code ?? "0x" });
  };

  return { call, claim, collect, collectRefused, count, openChannel, openGate };
}
export type ChannelOperations = ReturnType<typeof channelOperations>;
