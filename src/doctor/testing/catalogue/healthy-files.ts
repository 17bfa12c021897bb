import type { Script } from "../examination.ts";
import { at, served } from "../examination.ts";
import { centralFile, centralStore, fileFacts, fileReading, iisNode } from "../evidence.ts";
import { INTERMEDIATE, ROOT, seenLeaf } from "../certificates.ts";
import { certfarmFarm, everywhere, fileWith, holding, iisFarm, SHOP_FILE } from "../file-scripts.ts";
import { HOST } from "../wire-scripts.ts";

const locked = centralFile(`${HOST}.pfx`, { reading: fileReading(HOST, "wrong-password") });

/** Farms with something about their files, chains or clocks that looks odd and is no fault. */
export const HEALTHY_FILES: readonly (readonly [name: string, script: Script])[] = [
  [
    "certfarm nodes with an RSA and an ECDSA file",
    certfarmFarm(
      [SHOP_FILE, holding(`${HOST}.rsa.pfx`, HOST, {}), holding(`${HOST}.ecdsa.pfx`, "ecdsa", { keyType: "ecdsa" })],
      [served(HOST), served(HOST)],
    ),
  ],
  [
    "IIS servers with a wildcard beside a file of its own",
    iisFarm([SHOP_FILE, fileWith("ok"), centralFile("_.example.com.pfx")], [served(HOST), served(HOST)]),
  ],
  ["IIS servers whose password the doctor does not have", iisFarm([SHOP_FILE, locked], [served(HOST), served(HOST)])],
  [
    "IIS servers whose folder also holds other files",
    iisFarm(
      [SHOP_FILE, fileWith("ok"), centralFile("old.example.org.pfx", { reading: fileReading("old.example.org", "malformed") })],
      [served(HOST), served(HOST)],
    ),
  ],
  [
    "Windows Server 2016 beside 2019, with files that both open",
    {
      ...everywhere(served(HOST)),
      evidence: {
        web1: iisNode([HOST]),
        web2: iisNode([HOST], {
          system: { source: "system", name: "Windows Server 2016", version: "10.0.14393", build: 14_393, features: ["Web-CertProvider"] },
        }),
      },
    },
  ],
  [
    "Windows Server 2016 that serves a file of today all the same",
    {
      ...everywhere(served(HOST)),
      evidence: {
        web1: iisNode([HOST], {
          system: { source: "system", name: "Windows Server 2016", version: "10.0.14393", build: 14_393, features: ["Web-CertProvider"] },
          central: centralStore([
            fileWith("ok", { reading: fileReading(HOST, "ok", { facts: fileFacts(HOST, { refusedBy: ["Windows Server 2016"] }) }) }),
          ]),
        }),
      },
    },
  ],
  [
    "servers of a private authority whose root was given",
    { ...everywhere(served(HOST, { chain: [seenLeaf(HOST), INTERMEDIATE, ROOT] })), changes: { roots: "given" } },
  ],
  ["servers with short certificates that are renewed in time", everywhere(served(HOST, { notBefore: at(-3), notAfter: at(3) }))],
  [
    "servers that were renewed a minute ago, all of them",
    certfarmFarm([SHOP_FILE, fileWith("ok", { modifiedAt: at(-1 / 1_440) })], [served(HOST), served(HOST)]),
  ],
];
