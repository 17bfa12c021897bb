import { z } from "zod";

import type { HostPattern } from "../base/index.ts";
import type { Binding } from "../bindings/index.ts";
import { DEFAULT_PORT, parseBindingUrl, readHost } from "./binding-url.ts";
import { certificateFile, ipAddress, port } from "./scalars.ts";

const bindingObject = z
  .strictObject({
    protocol: z.enum(["http", "https"]).default("https").describe("Default https."),
    host: z.string().max(300).optional().describe("Host name, *.example.com, or * for any."),
    address: z
      .union([ipAddress, z.literal("*")])
      .default("*")
      .describe("One address of the nodes, or * for all. Default *."),
    port: port.optional().describe("Default 443 for https, 80 for http."),
    sni: z.boolean().optional().describe("https: the client must name the host. Default true when there is a host."),
    certificate: z
      .union([z.literal("central"), certificateFile])
      .optional()
      .describe("central: chosen by host name; or one file of the central certificates. Default central."),
  })
  .transform((value, context) => readBinding(value, (key, message) => context.addIssue({ code: "custom", message, path: [key] })));

interface WrittenBinding {
  readonly protocol: "http" | "https";
  readonly host?: string | undefined;
  readonly address: Binding["address"];
  readonly port?: number | undefined;
  readonly sni?: boolean | undefined;
  readonly certificate?: string | undefined;
}

type Complain = (key: keyof WrittenBinding, message: string) => void;

/** The long form with its defaults filled in; what does not fit together is reported. */
function readBinding(written: WrittenBinding, report: Complain): Binding {
  const { protocol, address } = written;
  const host = written.host === undefined ? { host: undefined } : readHost(written.host);
  if ("problem" in host) report("host", host.problem);
  const pattern = "host" in host ? host.host : undefined;
  const base = { protocol, address, port: written.port ?? DEFAULT_PORT[protocol], ...(pattern === undefined ? {} : { host: pattern }) };
  return { ...base, ...(protocol === "http" ? readPlain(written, report) : readSecure(written, pattern, report)) };
}

type Secured = Pick<Binding, "sni" | "certificate">;

function readPlain(written: WrittenBinding, report: Complain): Secured {
  if (written.sni !== undefined) report("sni", "an http binding has no SNI");
  if (written.certificate !== undefined) report("certificate", "an http binding has no certificate");
  return { sni: false, certificate: "central" };
}

function readSecure(written: WrittenBinding, host: HostPattern | undefined, report: Complain): Secured {
  const file = written.certificate === "central" ? undefined : written.certificate;
  if (file === undefined) {
    if (written.host === undefined) report("host", 'central certificates are chosen by host name: write `host`, or `host: "*"` for any');
    return { sni: written.sni ?? true, certificate: "central" };
  }
  const sni = written.sni ?? host !== undefined;
  if (sni && host === undefined) report("sni", "a named certificate with SNI needs a `host`: write it, or `sni: false`");
  return { sni, certificate: { file } };
}

const bindingUrl = z.string().transform((value, context) => {
  const binding = parseBindingUrl(value);
  if (!("problem" in binding)) return binding;
  context.addIssue(binding.problem);
  return z.NEVER;
});

/** A binding in its short or its long form. */
export const binding = z.union([
  bindingUrl.describe("https://HOST, https://HOST:PORT, http://HOST; HOST may be *.example.com or *."),
  bindingObject,
]);
