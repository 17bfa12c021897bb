import { describe, expect, it } from "vitest";

import { readNetsh } from "./read-netsh.ts";

const SOURCE = "web1: netsh http show sslcert";
const HASH = "40db5bb1bf5659a155258d1d007c530fcb8996c2";
const IIS = "{4dc3e181-e14b-4a21-b022-59fc669b0914}";

const NEWEST = `
SSL Certificate bindings: 
-------------------------

    IP:port                      : 0.0.0.0:443
    Certificate Hash             : ${HASH}
    Application ID               : ${IIS}
    Certificate Store Name       : My
    Verify Client Certificate Revocation : Enabled
    Verify Revocation Using Cached Client Certificate Only : Disabled
    Usage Check                  : Enabled
    Revocation Freshness Time    : 0
    URL Retrieval Timeout        : 15000
    Ctl Identifier               : (null)
    Ctl Store Name               : (null)
    DS Mapper Usage              : Disabled
    Negotiate Client Certificate : Disabled
    Reject Connections           : Disabled
    Disable HTTP2                : Not Set
    Enable Session Ticket        : Not Set
 Extended Properties:
    PropertyId                   : 0
    Receive Window               : 1048576
 Extended Properties:
    PropertyId                   : 1
    Max Settings Per Frame       : 2796202
    Max Settings Per Minute      : 4294967295

    Hostname:port                : www.example.com:443
    Certificate Hash             : ${HASH}${"0".repeat(24)}
    Application ID               : ${IIS}
    Certificate Store Name       : WebHosting
    Usage Check                  : Enabled

    Central Certificate Store    : 443
    Certificate Hash             : (null)
    Application ID               : ${IIS}
    Certificate Store Name       : (null)
    Usage Check                  : Enabled

`;

describe("readNetsh", () => {
  it("reads what Windows Server 2022 prints", () => {
    const { rows, unread } = readNetsh(NEWEST, SOURCE);
    expect(unread).toEqual([]);
    expect(rows).toEqual([
      {
        key: { kind: "any", family: 4, port: 443 },
        thumbprint: HASH.toUpperCase(),
        storeName: "My",
        appId: IIS,
        options: expect.objectContaining({
          "URL Retrieval Timeout": "15000",
          "Ctl Store Name": "(null)",
          "Enable Session Ticket": "Not Set",
          "PropertyId 0 Receive Window": "1048576",
          "PropertyId 1 Max Settings Per Minute": "4294967295",
        }),
      },
      {
        key: { kind: "host", host: "www.example.com", port: 443 },
        thumbprint: `${HASH}${"0".repeat(24)}`.toUpperCase(),
        storeName: "WebHosting",
        appId: IIS,
        options: { "Usage Check": "Enabled" },
      },
      { key: { kind: "central", port: 443 }, appId: IIS, options: { "Usage Check": "Enabled" } },
    ]);
  });
});
