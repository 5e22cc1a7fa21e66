import { addressBookPath, writeAddressBook } from "@haca/protocol/addressBook";
import { ATTESTATION_VENDORS } from "@haca/protocol/attestationVendors";
import { keccak256, type Provider, ZeroAddress } from "ethers";
import type { Deployment } from "./actions/action.ts";
import { isAwsRoot, readRootFile } from "./actions/rootFile.ts";
import { currentVerifier, refuse } from "./actions/teeRegistry.ts";
import { findPair } from "./actions/verifierPair.ts";
import { Arguments } from "./arguments.ts";
import type { Session } from "./session.ts";

const USAGE = "record-root <file.der> <store's transaction> <verifier's transaction>";

/**
 * `record-root`: writes the store and the verifier that a rotation brought into the address book, once the registry
 * uses them. The transactions are the two that `rotate-root` printed. Error: `governance.badArgument`.
 */
export async function recordRoot(session: Session, words: readonly string[]): Promise<void> {
  const { book, provider } = session;
  const values = new Arguments({ values: words, usage: USAGE });
  const root = readRootFile(values.text("file"));
  const transactions = [
    values.bytes("store's transaction", 32),
    values.bytes("verifier's transaction", 32),
  ] as const;
  values.end();
  const { attestation } = book.parameters;
  if (attestation === undefined) throw refuse("the address book has no attestation");

  const verifier = await currentVerifier({ book, provider }, ATTESTATION_VENDORS.nitro);
  const context = { book, provider, account: ZeroAddress };
  const pair = await findPair({ context, root, verifier });
  const [store, nitro] = await Promise.all(
    pair.map((deployed, index) =>
      describe({ provider, deployed, transaction: transactions[index] ?? "" }),
    ),
  );
  const path = addressBookPath(book.chainId);
  writeAddressBook({
    path,
    book: {
      ...book,
      contracts: { ...book.contracts, CertificateStore: store, NitroAttestationVerifier: nitro },
      parameters: {
        ...book.parameters,
        attestation: {
          ...attestation,
          rootFingerprint: root.fingerprint,
          isDevelopmentRoot: !isAwsRoot(root.fingerprint),
        },
      },
    },
  });
  console.log(`${path}: root of attestations ${root.words}`);
}

async function describe(parameters: {
  provider: Provider;
  deployed: Deployment;
  transaction: string;
}) {
  const { provider, deployed, transaction } = parameters;
  const { address, contract, constructorArguments } = deployed;
  const receipt = await provider.getTransactionReceipt(transaction);
  if (receipt?.contractAddress !== address) {
    throw refuse(`transaction ${transaction} did not create the ${contract} in use, ${address}`);
  }
  return {
    address,
    block: receipt.blockNumber,
    transaction: receipt.hash,
    constructorArguments: constructorArguments.map(String),
    codeHash: keccak256(await provider.getCode(address)),
  };
}
