import { constants, createHash, generateKeyPairSync, sign } from "node:crypto";
import { generateP384Hints } from "@haca/attestation/p384/generateP384Hints";
import { deployAttestationHarness } from "../utils/attestationHarness.ts";
import { deployEcdsaP384 } from "../utils/ecdsaP384Fixture.ts";
import { signFrom } from "../utils/p384Signatures.ts";
import type { Measure } from "./measurement.ts";

const SAMPLES = 5;
const BLOCK_LENGTH = 128;
const BLOCKS = 10;
/** EIP-2028: gas of a byte of calldata that is not zero. */
const CALLDATA_GAS = 16n;

/** The cryptography of attestation: view functions, called in transactions. */
export const measureAttestation: Measure = async (connection) => {
  const { ethers } = connection;
  const ecdsa = await deployEcdsaP384(connection);
  const harness = await deployAttestationHarness(ethers);
  const [sender] = await ethers.getSigners();
  if (sender === undefined) throw new Error("no account");

  const gasOfCall = async (to: string, data: string): Promise<bigint> => {
    const receipt = await (await sender.sendTransaction({ to, data })).wait();
    if (receipt === null) throw new Error("the transaction has no receipt");
    return receipt.gasUsed;
  };

  const verifying: bigint[] = [];
  for (let i = 0; i < SAMPLES; i++) {
    const signed = signFrom(`gas ${i}`);
    const data = ecdsa.interface.encodeFunctionData("verify", [
      signed.message,
      signed.publicKey,
      signed.signature,
      generateP384Hints(signed),
    ]);
    verifying.push(await gasOfCall(await ecdsa.getAddress(), data));
  }

  const harnessAddress = await harness.contract.getAddress();
  const hashing = (blocks: number): Promise<bigint> => {
    const message = new Uint8Array(blocks * BLOCK_LENGTH).fill(0xa5);
    return gasOfCall(
      harnessAddress,
      harness.contract.interface.encodeFunctionData("hash", [message]),
    );
  };
  const perBlock = ((await hashing(1 + BLOCKS)) - (await hashing(1))) / BigInt(BLOCKS);

  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const modulus = Buffer.from(publicKey.export({ format: "jwk" }).n ?? "", "base64url");
  const pss: bigint[] = [];
  for (let i = 0; i < SAMPLES; i++) {
    const message = Buffer.from(`gas ${i}`);
    const signature = sign("sha256", message, {
      key: privateKey,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: 32,
    });
    const digest = createHash("sha256").update(message).digest();
    const parameters = [modulus, digest, signature] as const;
    if (!(await harness.isValidPss(...parameters))) throw new Error("a good signature is refused");
    pss.push(
      await gasOfCall(
        harnessAddress,
        harness.contract.interface.encodeFunctionData("isValidPss", [...parameters]),
      ),
    );
  }

  return {
    samples: {
      "p384.verify": verifying,
      "sha384.perBlock": [perBlock - BigInt(BLOCK_LENGTH) * CALLDATA_GAS],
      "sha384.perBlock.withCalldata": [perBlock],
      "rsapss2048.verify": pss,
    },
    notes: {
      "p384.verify": "whole transaction: message of one SHA-384 block, key, signature, hints",
      "sha384.perBlock":
        "(11 blocks - 1 block) / 10 of whole transactions, less 16 gas per byte of calldata",
      "sha384.perBlock.withCalldata": "the same with the calldata",
      "rsapss2048.verify":
        "whole transaction with key and signature as calldata (21,000 intrinsic, 32,768 MODEXP)",
    },
  };
};
