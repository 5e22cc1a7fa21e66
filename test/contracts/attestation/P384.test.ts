import { createHash, generateKeyPairSync, sign, randomBytes } from "node:crypto";
import { expect } from "chai";
import { network } from "hardhat";
import { generateP384Hints } from "../../../attestation/src/generateP384Hints.ts";
import { p384BaseTable } from "../../../attestation/src/p384Base.ts";

const { ethers } = await network.create();
describe("scratch", () => {
  it("p384", async () => {
    const c = await ethers.deployContract("EcdsaP384", [p384BaseTable()]);
    for (let i = 0; i < 3; i++) {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
    const message = randomBytes(100);
    const signature = sign("sha384", message, { key: privateKey, dsaEncoding: "ieee-p1363" });
    const jwk = publicKey.export({ format: "jwk" });
    const pk = Buffer.concat([Buffer.from(jwk.x ?? "", "base64url"), Buffer.from(jwk.y ?? "", "base64url")]);
    console.time("hints");
    const hints = generateP384Hints({ message, publicKey: pk, signature });
    console.timeEnd("hints");
    console.log(hints.length);
    await c.verify(message, pk, signature, hints);
    const tx = await ethers.provider.estimateGas({to: await c.getAddress(), data: c.interface.encodeFunctionData("verify", [message, pk, signature, hints])});
    console.log(tx);
    }
  });
});
