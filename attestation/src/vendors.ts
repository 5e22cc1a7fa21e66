import { VENDOR_ROWS, type VendorName, type VendorRow } from "@haca/protocol/attestationVendors";
import { id } from "ethers";
import { nitro } from "./nitro/nitro.ts";
import type { AttestationVendor } from "./vendor.ts";

/** A vendor with what the contracts call it. */
export type KnownVendor = AttestationVendor & VendorRow & { name: string };

/** A vendor's line: its folder's side of the interface. */
const VENDORS_BY_NAME: Readonly<Record<VendorName, AttestationVendor>> = { nitro };

/** Every vendor whose evidence this checkout reads. */
export const VENDORS: readonly KnownVendor[] = VENDOR_ROWS.map((row) => ({
  ...row,
  ...VENDORS_BY_NAME[row.name],
}));

/** The vendor whose verifiers answer this as their `evidenceType`; undefined where there is none. */
export const vendorOf = (
  evidenceType: string,
  vendors: readonly KnownVendor[] = VENDORS,
): KnownVendor | undefined =>
  vendors.find((vendor) => id(vendor.evidenceType) === evidenceType.toLowerCase());
