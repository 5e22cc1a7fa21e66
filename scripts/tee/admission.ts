import { approveBond } from "./bond.ts";
import { collectEvidence, type Evidence, type Wish } from "./collectEvidence.ts";
import { explainDocument } from "./explainDocument.ts";
import {
  addressOption,
  badOption,
  endpointOption,
  type TeeOptions,
  teeIdArgument,
  urlOption,
} from "./options.ts";
import { sendCall } from "./sendCall.ts";
import { type Session, teeTypeOf, withNetwork } from "./withNetwork.ts";

/** Admits an enclave as a node of the sending account. */
export async function register(options: TeeOptions): Promise<void> {
  const enclave = urlOption("enclave", options.enclave);
  const paymentAddress = addressOption("payment", options.payment);
  const endpoint = endpointOption(options.endpoint);
  const { type, tls } = options;
  if (type === undefined) throw badOption("--type is missing");
  await withNetwork(options, async (session) => {
    const { contracts, signer } = session;
    const teeType = await teeTypeOf(contracts, type);
    // First: a document is fresh for minutes only.
    if (!(await approveBond(session, options))) return;
    const operator = await signer.getAddress();
    const wish = { enclave, operator, paymentAddress, endpoint, teeType, tls };
    const evidence = await collect(session, wish);
    await send({ session, options, evidence, name: "register", values: [evidence.registration] });
  });
}

/** Renews a node's attestation; what is not given stays as it is. */
export async function rotate(options: TeeOptions, argument: string | undefined): Promise<void> {
  const teeId = teeIdArgument(argument);
  const enclave = urlOption("enclave", options.enclave);
  const payment = options.payment && addressOption("payment", options.payment);
  const newEndpoint = options.endpoint && endpointOption(options.endpoint);
  await withNetwork(options, async (session) => {
    const { contracts, signer } = session;
    const known = await contracts.registry.getFunction("getTEE")(teeId);
    const evidence = await collect(session, {
      enclave,
      operator: await signer.getAddress(),
      paymentAddress: payment || known.paymentAddress,
      endpoint: newEndpoint || known.endpoint,
      teeType: Number(known.teeType),
      tls: options.tls,
    });
    const values = [teeId, evidence.registration];
    await send({ session, options, evidence, name: "attestAgain", values });
  });
}

async function collect({ contracts, signer }: Session, wish: Wish): Promise<Evidence> {
  console.log(
    `asking ${wish.enclave} for a document that is bound to this sender, payment address, endpoint and type`,
  );
  if (contracts.isDevelopmentRoot) {
    console.log("this deployment pins a development root: its attestations mean nothing");
  }
  const evidence = await collectEvidence({ contracts, runner: signer, wish });
  console.log(explainDocument({ verdict: evidence.verdict, now: evidence.judgedAt }));
  console.log(
    `hints        for ${evidence.certificates - evidence.storedCertificates + 1} signatures; ` +
      `${evidence.storedCertificates} of ${evidence.certificates} certificates are stored already`,
  );
  return evidence;
}

async function send(parameters: {
  session: Session;
  options: TeeOptions;
  evidence: Evidence;
  name: "register" | "attestAgain";
  values: readonly unknown[];
}): Promise<void> {
  const { session, options, evidence, name, values } = parameters;
  const { contracts, signer, network } = session;
  const receipt = await sendCall({
    ...{ contract: contracts.registry, signer, name, values, report: console.log },
    ...(options.yes ? {} : { question: `Send ${name} to ${network}?` }),
  });
  if (receipt === undefined) return;
  console.log(
    `${name === "register" ? "registered" : "renewed"}   ${evidence.teeId}\n` +
      `transaction  ${receipt.hash}, gas ${receipt.gasUsed.toLocaleString("en")}`,
  );
}
