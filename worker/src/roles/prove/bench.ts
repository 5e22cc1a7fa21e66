/**
 * What a job is at the bench: an ordinary one, a suspect that must have no company, or one whose proof is demanded, which
 * goes before all others.
 */
export type Standing = "ordinary" | "alone" | "demanded";

/** A job's place at the bench. */
export type Place = {
  readonly standing: Standing;
  /** aborted when the job has to give way */
  readonly signal: AbortSignal;
  /** gives the place back */
  leave(): void;
};

/** Who works in this process. One bench is shared by the loops of the role `prove`. */
export class Bench {
  readonly #inWork = new Map<Place, AbortController>();

  get isEmpty(): boolean {
    return this.#inWork.size === 0;
  }

  /** Whether such a job is in work. */
  has(standing: Standing): boolean {
    return [...this.#inWork.keys()].some((place) => place.standing === standing);
  }

  /** Takes a place. Whatever else is in work gives way at once to a job whose proof is demanded. */
  enter(standing: Standing): Place {
    if (standing === "demanded") {
      for (const [other, controller] of this.#inWork) {
        if (other.standing !== "demanded") controller.abort();
      }
    }
    const controller = new AbortController();
    const place: Place = {
      ...{ standing, signal: controller.signal },
      leave: () => this.#inWork.delete(place),
    };
    this.#inWork.set(place, controller);
    return place;
  }
}
