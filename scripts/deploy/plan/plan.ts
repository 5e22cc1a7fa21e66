/**
 * What a deployment consists of: contracts and calls, in the order in which they are sent. A module describes a part
 * of it; `runPlan` sends it.
 */

/** A contract that a step of the plan creates. */
export class CreatedContract {
  readonly id: string;
  readonly name: string;
  constructor(parameters: { id: string; name: string }) {
    this.id = parameters.id;
    this.name = parameters.name;
  }
}

/** A contract that another one has created; its address is known once that one can be asked. */
export class FoundContract {
  readonly name: string;
  readonly address: View;
  constructor(parameters: { name: string; address: View }) {
    this.name = parameters.name;
    this.address = parameters.address;
  }
}

export type PlannedContract = CreatedContract | FoundContract;

/** What a view without arguments answers, once its contract exists. */
export class View {
  readonly contract: PlannedContract;
  readonly name: string;
  constructor(parameters: { contract: PlannedContract; name: string }) {
    this.contract = parameters.contract;
    this.name = parameters.name;
  }
}

/** One transaction. Arguments may hold contracts of the plan, at any depth. */
export type Step = { id: string } & (
  | { kind: "creation"; contract: CreatedContract; arguments: readonly unknown[] }
  | { kind: "call"; contract: PlannedContract; function: string; arguments: readonly unknown[] }
);

export class Plan {
  /** the account that sends everything */
  readonly deployer: string;
  readonly #steps = new Map<string, Step>();

  constructor(parameters: { deployer: string }) {
    this.deployer = parameters.deployer;
  }

  get steps(): readonly Step[] {
    return [...this.#steps.values()];
  }

  /** Creates a contract. */
  contract(name: string, args: readonly unknown[] = []): CreatedContract {
    const contract = new CreatedContract({ id: name, name });
    this.#add({ id: name, kind: "creation", contract, arguments: args });
    return contract;
  }

  /** A contract that another one created, at the address that a view of that one answers. */
  contractAt(name: string, address: View): FoundContract {
    return new FoundContract({ name, address });
  }

  staticCall(contract: PlannedContract, name: string): View {
    return new View({ contract, name });
  }

  /** @param options.id what the journal knows the call by; one for each call, the same for ever */
  call(
    contract: PlannedContract,
    name: string,
    args: readonly unknown[],
    options: { id: string },
  ): void {
    this.#add({ id: options.id, kind: "call", contract, function: name, arguments: args });
  }

  #add(step: Step): void {
    if (this.#steps.has(step.id)) throw new Error(`two steps of the plan are called ${step.id}`);
    this.#steps.set(step.id, step);
  }
}
