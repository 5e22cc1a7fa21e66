/**
 * What a deployment consists of: contracts and calls, in the order in which they are sent. A module describes a part
 * of it; `runPlan` sends it.
 */

/** A contract that a step of the plan creates. Arguments of constructors may hold contracts and views, at any depth. */
export class CreatedContract {
  readonly id: string;
  readonly name: string;
  readonly arguments: readonly unknown[];
  constructor(parameters: { id: string; name: string; arguments: readonly unknown[] }) {
    this.id = parameters.id;
    this.name = parameters.name;
    this.arguments = parameters.arguments;
  }
}

/** A contract that another one has created; its address is known once that one can be asked. */
export class FoundContract {
  readonly name: string;
  readonly address: View;
  /** what its creator gave to its constructor */
  readonly arguments: readonly unknown[];
  constructor(parameters: { name: string; address: View; arguments: readonly unknown[] }) {
    this.name = parameters.name;
    this.address = parameters.address;
    this.arguments = parameters.arguments;
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
  | { kind: "creation"; contract: CreatedContract }
  | { kind: "call"; contract: PlannedContract; function: string; arguments: readonly unknown[] }
);

export class Plan {
  /** the account that sends everything */
  readonly deployer: string;
  readonly #steps = new Map<string, Step>();
  readonly #contracts: PlannedContract[] = [];

  constructor(parameters: { deployer: string }) {
    this.deployer = parameters.deployer;
  }

  get steps(): readonly Step[] {
    return [...this.#steps.values()];
  }

  /** In the order in which they come to be there. */
  get contracts(): readonly PlannedContract[] {
    return this.#contracts;
  }

  /** Creates a contract. */
  contract(name: string, args: readonly unknown[] = []): CreatedContract {
    const contract = new CreatedContract({ id: name, name, arguments: args });
    this.#add({ id: name, kind: "creation", contract });
    this.#contracts.push(contract);
    return contract;
  }

  /**
   * A contract that another one created, at the address that a view of that one answers.
   * @param args what its creator gave to its constructor
   */
  contractAt(name: string, address: View, args: readonly unknown[]): FoundContract {
    const contract = new FoundContract({ name, address, arguments: args });
    this.#contracts.push(contract);
    return contract;
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
