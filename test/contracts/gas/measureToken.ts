import { airdropProof } from "@haca/protocol/airdropTree";
import { TRANSFER_TYPES } from "@haca/protocol/signedPayments";
import { Signature, toBeHex } from "ethers";
import { deployToken, grantTerms, TGE } from "../utils/tokenFixture.ts";
import { gasOf, type Measure } from "./measurement.ts";

const SAMPLES = 3;
const BATCH = 50;
const CLAIMANTS = 10_000;
const VALUE = 123_456_789_000_000_000n;

const TRANSFER_WITH_AUTHORIZATION: string =
  "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)";
/** Token, vesting and airdrop. */
export const measureToken: Measure = async (connection) => {
  const fixture = await deployToken(connection, { airdropCount: CLAIMANTS });
  const { ethers, opg, factory, airdrop, liquidity, alice, bob, stranger, tree, claims } = fixture;
  const { time } = connection.networkHelpers;
  const samples: Record<string, bigint[]> = {};
  const sample = async (key: string, gas: Promise<bigint>, divisor = 1n): Promise<void> => {
    const list = samples[key] ?? [];
    samples[key] = list;
    list.push((await gas) / divisor);
  };

  await opg.connect(liquidity).transfer(alice.address, VALUE * 100n);
  await opg.connect(liquidity).transfer(bob.address, VALUE);
  for (let i = 0; i < SAMPLES; i++) {
    await sample("token.transfer", gasOf(opg.connect(alice).transfer(bob.address, VALUE)));
  }

  const domain = {
    ...{ name: "OPG", version: "1" },
    chainId: (await ethers.provider.getNetwork()).chainId,
    verifyingContract: await opg.getAddress(),
  };
  for (let i = 0; i < SAMPLES; i++) {
    const message = {
      ...{ from: alice.address, to: bob.address, value: VALUE, validAfter: 0n },
      ...{ validBefore: BigInt(TGE), nonce: toBeHex(i + 1, 32) },
    };
    const { v, r, s } = Signature.from(await alice.signTypedData(domain, TRANSFER_TYPES, message));
    const send = opg.connect(stranger).getFunction(TRANSFER_WITH_AUTHORIZATION);
    await sample(
      "token.transferWithAuthorization",
      gasOf(send(...Object.values(message), v, r, s)),
    );
  }

  await opg.connect(liquidity).approve(await factory.getAddress(), ethers.MaxUint256);
  const grant = (seed: number) =>
    grantTerms({ beneficiary: ethers.getAddress(toBeHex(2n ** 159n + BigInt(seed), 20)) });
  const vaults: string[] = [];
  for (let i = 0; i < SAMPLES; i++) {
    vaults.push(await factory.connect(liquidity).create.staticCall(grant(i)));
    await sample("vesting.create", gasOf(factory.connect(liquidity).create(grant(i))));
  }
  for (let i = 0; i < SAMPLES; i++) {
    const terms = Array.from({ length: BATCH }, (_, j) => grant(1_000 + i * BATCH + j));
    await sample(
      `vesting.createBatch${BATCH}.perGrant`,
      gasOf(factory.connect(liquidity).createBatch(terms)),
      BigInt(BATCH),
    );
  }

  for (let i = 0; i < SAMPLES; i++) {
    const { account, amount } = claims[i * 1_111 + 5]?.entry ?? { account: "", amount: 0n };
    const index = i * 1_111 + 5;
    const proof = airdropProof({ tree, index });
    await sample(
      "airdrop.claim",
      gasOf(airdrop.connect(stranger).claim(index, account, amount, proof)),
    );
  }

  await time.increaseTo(Number(grant(0).start) + 100);
  for (const [key, step] of [
    ["vesting.release", 0],
    ["vesting.release.again", 1_000],
  ] as const) {
    if (step > 0) await time.increase(step);
    for (const address of vaults) {
      const vault = await fixture.vaultAt(address);
      await sample(key, gasOf(vault.connect(stranger).release()));
    }
  }
  return {
    samples,
    notes: {
      "token.transfer": "between accounts that hold tokens",
      "token.transferWithAuthorization": "EIP-3009, own key, to an account that holds tokens",
      "vesting.create": "one irrevocable grant",
      [`vesting.createBatch${BATCH}.perGrant`]: `a ${BATCH}th of one transaction`,
      "vesting.release": "first one, to a beneficiary without tokens",
      "vesting.release.again": "a later one",
      "airdrop.claim": `one of ${CLAIMANTS.toLocaleString("en")}, to an account without tokens`,
    },
  };
};
