import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { requireHostName } from "../../base/index.ts";
import { centralFile, fileReading, thumbprintOf } from "../testing/evidence.ts";
import { centralFileFor, indexCentral, promisedBy, type CentralMake } from "./central-files.ts";

const files = (...names: readonly string[]) => names.map((name) => ({ name, size: 1 }));

describe("which file answers", () => {
  test.each<[string, CentralMake, string, string[], string | undefined]>([
    ["IIS takes the exact name", "iis", "www.example.com", ["_.example.com.pfx", "www.example.com.pfx"], "exact www.example.com.pfx"],
    ["IIS takes any case", "iis", "www.example.com", ["WWW.Example.com.PFX"], "exact WWW.Example.com.PFX"],
    ["IIS takes the wildcard next", "iis", "www.example.com", ["_.example.com.pfx"], "wildcard _.example.com.pfx"],
    ["IIS does not see other extensions", "iis", "www.example.com", ["www.example.com.p12", "www.example.com.pem"], undefined],
    [
      "IIS looks for Unicode",
      "iis",
      "xn--bcher-kva.example",
      ["xn--bcher-kva.example.pfx", "bücher.example.pfx"],
      "exact bücher.example.pfx",
    ],
    ["IIS does not climb two levels", "iis", "a.b.example.com", ["_.example.com.pfx"], undefined],
    ["certfarm takes every extension", "certfarm", "www.example.com", ["www.example.com.p12"], "exact www.example.com.p12"],
    ["certfarm takes A-labels", "certfarm", "xn--bcher-kva.example", ["xn--bcher-kva.example.pfx"], "exact xn--bcher-kva.example.pfx"],
    ["a single label has no wildcard", "certfarm", "localhost", ["_.pfx"], undefined],
  ])("%s", (_name, make, host, names, expected) => {
    const found = centralFileFor(requireHostName(host), files(...names), make);
    expect(found === undefined ? undefined : `${found.via} ${found.files[0].name}`).toBe(expected);
  });

  test("certfarm takes a certificate that names the host last, and IIS never", () => {
    const other = [centralFile("server 7.pfx", { label: "www.example.com" })];
    expect(centralFileFor(requireHostName("www.example.com"), other, "certfarm")).toMatchObject({ via: "covering" });
    expect(centralFileFor(requireHostName("www.example.com"), other, "iis")).toBeUndefined();
  });

  test("certfarm passes over what it cannot use, unless it keeps a former certificate", () => {
    const broken = centralFile("www.example.com.pfx", { reading: fileReading("www.example.com", "malformed") });
    const wildcard = centralFile("_.example.com.pfx");
    const host = requireHostName("www.example.com");
    expect(centralFileFor(host, [broken, wildcard], "certfarm")?.via).toBe("wildcard");
    expect(centralFileFor(host, [broken], "certfarm")?.via).toBe("exact");
    const kept = { ...broken, inUse: { thumbprint: thumbprintOf("www.example.com") } };
    expect(centralFileFor(host, [kept, wildcard], "certfarm")?.via).toBe("exact");
    expect(centralFileFor(host, [{ ...wildcard, name: "www.example.com.pfx", access: "denied" as const }, wildcard], "certfarm")?.via).toBe(
      "wildcard",
    );
  });

  test("says under which names it looked", () => {
    expect(indexCentral([], "iis").candidates(requireHostName("xn--bcher-kva.example")).tried).toEqual([
      "bücher.example.pfx",
      "_.example.pfx",
    ]);
  });

  test("a listing is indexed once for each make", () => {
    const listing = files("www.example.com.pfx");
    expect(indexCentral(listing, "iis")).toBe(indexCentral(listing, "iis"));
    expect(indexCentral(listing, "iis")).not.toBe(indexCentral(listing, "certfarm"));
  });

  test("hostile names break nothing", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary", maxLength: 300 })), (names) => {
        const listing = files(...names, ...names.map((name) => `${name}.pfx`));
        for (const make of ["iis", "certfarm"] as const) {
          centralFileFor(requireHostName("www.example.com"), listing, make);
          for (const { name } of listing) promisedBy(name, make);
        }
      }),
    );
  });
});
