/** What the rows of a node, its image, its operator and its certificates say together. Times are unix seconds. */
export type NodeStanding = {
  status: string;
  lastHeartbeatAt: bigint;
  attestedAt: bigint;
  /** of the image in the generation that the node was attested under */
  approvedAt: bigint | null;
  revokedAt: bigint | null;
  isOperatorDenied: boolean;
  /** whether the verifier that took the evidence is still the one that is set, and stands behind its certificate */
  isEndorsed: boolean;
  /** seconds; null before the registry has told */
  heartbeatMaxAge: bigint | null;
  attestationMaxAge: bigint | null;
};

/**
 * What `TEERegistry.isTEEActive` would answer if the block's time were `at` (unix seconds) and its state that of the
 * rows. As in the contract, both ages include their last second, and an image's revocation begins with its own.
 */
export function isNodeActive(parameters: { standing: NodeStanding; at: bigint }): boolean {
  const { standing, at } = parameters;
  const { approvedAt, revokedAt, heartbeatMaxAge, attestationMaxAge } = standing;
  if (approvedAt === null || heartbeatMaxAge === null || attestationMaxAge === null) {
    return false;
  }
  return (
    standing.status === "enabled" &&
    at <= standing.lastHeartbeatAt + heartbeatMaxAge &&
    at <= standing.attestedAt + attestationMaxAge &&
    at >= approvedAt &&
    (revokedAt === null || at < revokedAt) &&
    !standing.isOperatorDenied &&
    standing.isEndorsed
  );
}
