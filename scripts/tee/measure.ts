import { concat, hexlify, keccak256 } from "ethers";
import { isoTime, printable } from "../lib/words.ts";
import { listFiles } from "./eif/listFiles.ts";
import { type MeasuredSection, measureEif } from "./eif/measureEif.ts";
import { type Eif, openEif } from "./eif/openEif.ts";

/** Prints which bytes of an enclave image make which measurement; exit status 1 if its checksum is wrong. */
export function measure(path: string, options: { files: boolean }): void {
  openEif(path, (eif) => {
    const { pcrs, sections } = measureEif(eif);
    const { architecture, isWhole, version } = eif;
    console.log(
      `EIF          version ${version}, ${architecture}, checksum ${isWhole ? "right" : "WRONG: the file is damaged, no enclave starts from it"}`,
    );
    for (const section of sections) console.log(sectionLine(section));
    for (const [index, pcr] of pcrs.entries()) console.log(`PCR${index}         ${hexlify(pcr)}`);
    console.log(`measurement  ${keccak256(concat(pcrs))}`);
    console.log(
      [
        "",
        "PCR0 is of kernel, command line and all ramdisks, PCR1 of kernel, command line and the first",
        "ramdisk (init and driver), PCR2 of the other ramdisks (the application): each is",
        "SHA-384(48 zero bytes, SHA-384(their bytes, one after another, as they stand in the file)).",
        "Metadata (with the time of the build) and signature are in none of them; a signature makes PCR8.",
      ].join("\n"),
    );
    if (options.files) for (const line of fileLines(eif)) console.log(line);
    if (!isWhole) process.exitCode = 1;
  });
}

function sectionLine({ hash, kind, offset, pcrs, size }: MeasuredSection): string {
  const into = pcrs.length === 0 ? "in no measurement" : pcrs.map((pcr) => `PCR${pcr}`).join(", ");
  return `${kind.padEnd(12)} bytes ${offset} to ${offset + size}: ${into}\n             SHA-384 ${hash}`;
}

/** A line for each file of each ramdisk, to compare two builds by. */
function fileLines({ read, sections }: Eif): string[] {
  const ramdisks = sections.filter(({ kind }) => kind === "ramdisk");
  return ramdisks.flatMap((section, index) => {
    const name = `ramdisk ${index}`;
    const files = listFiles(Buffer.concat([...read(section)]), name);
    const pcr = index === 0 ? "PCR0, PCR1" : "PCR0, PCR2";
    return [
      `\n${name}, ${pcr}, ${files.length} files: SHA-256, mode, time, size, path`,
      ...files.map(
        ({ hash, mode, path, size, time, type }) =>
          `${hash} ${mode} ${isoTime(time)} ${size} ${printable(path)}${type === "file" ? "" : ` (${type})`}`,
      ),
    ];
  });
}
