import { createHash } from "node:crypto";
import type { Eif, EifSection } from "./openEif.ts";

const PCR_BYTES = 48;

/** A section with what of the measurements it makes. */
export type MeasuredSection = EifSection & {
  /** SHA-384 of its content */
  hash: string;
  /** numbers of the PCRs that its content is part of */
  pcrs: readonly number[];
};

export type EifMeasurements = {
  sections: readonly MeasuredSection[];
  /** PCR0, PCR1 and PCR2, as an enclave of the image attests them */
  pcrs: readonly [Buffer, Buffer, Buffer];
};

/**
 * Measurements of an image. Each is SHA-384(48 zero bytes || SHA-384(contents of its sections, as they stand in the file)):
 * PCR0 of kernel, command line and every ramdisk, PCR1 of kernel, command line and the first ramdisk, PCR2 of the ramdisks behind it.
 * Headers, metadata and signature are in none of them.
 */
export function measureEif({ read, sections }: Eif): EifMeasurements {
  const hashes = [0, 1, 2].map(() => createHash("sha384"));
  let ramdisks = 0;
  const measured = sections.map((section): MeasuredSection => {
    const pcrs = pcrsOf(section, ramdisks);
    if (section.kind === "ramdisk") ramdisks += 1;
    const own = createHash("sha384");
    for (const chunk of read(section)) {
      own.update(chunk);
      for (const pcr of pcrs) hashes[pcr]?.update(chunk);
    }
    return { ...section, hash: own.digest("hex"), pcrs };
  });
  const [pcr0, pcr1, pcr2] = hashes.map((hash) =>
    createHash("sha384").update(Buffer.alloc(PCR_BYTES)).update(hash.digest()).digest(),
  ) as [Buffer, Buffer, Buffer];
  return { sections: measured, pcrs: [pcr0, pcr1, pcr2] };
}

function pcrsOf({ kind }: EifSection, ramdisksBefore: number): readonly number[] {
  if (kind === "kernel" || kind === "command line") return [0, 1];
  if (kind === "ramdisk") return ramdisksBefore === 0 ? [0, 1] : [0, 2];
  return [];
}
