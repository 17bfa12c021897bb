import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { run } from "../run.ts";

const SOURCE = `
import java.io.InputStream;
import java.net.URI;
import javax.net.ssl.HttpsURLConnection;

public class Fetch {
  public static void main(String[] urls) throws Exception {
    for (String url : urls) {
      String line;
      try {
        HttpsURLConnection connection = (HttpsURLConnection) URI.create(url).toURL().openConnection();
        connection.setConnectTimeout(10000);
        connection.setReadTimeout(10000);
        int status = connection.getResponseCode();
        String cipher = connection.getCipherSuite();
        String body;
        try (InputStream stream = connection.getInputStream()) { body = new String(stream.readAllBytes(), "UTF-8"); }
        String title = body.replaceAll("(?s).*<h1>(.*?)</h1>.*", "$1");
        line = status + "\\t" + connection.getHeaderField("X-Served-By") + "\\t" + title + "\\t" + cipher;
      } catch (java.io.IOException error) {
        line = "0\\t" + error.getClass().getSimpleName() + "\\t" + error.getMessage() + "\\t";
      }
      System.out.println(url + "\\t" + line);
    }
  }
}
`;

/** What Java saw of one URL; status 0 = it failed, then `servedBy` is the exception's class and `title` its message. */
export interface JavaAnswer {
  readonly url: string;
  readonly status: number;
  readonly servedBy: string;
  readonly title: string;
  readonly cipher: string;
}

/** A Java program that fetches URLs with HttpsURLConnection, trusts one authority, and dials the loopback address for every name. */
export interface JavaClient {
  fetch(urls: readonly string[]): Promise<readonly JavaAnswer[]>;
  close(): Promise<void>;
}

/** Compiles it and makes its trust store. */
export async function createJavaClient(caFile: string): Promise<JavaClient> {
  const folder = await mkdtemp(join(tmpdir(), "certfarm-java-"));
  await writeFile(join(folder, "Fetch.java"), SOURCE);
  const must = async (command: string, args: readonly string[]): Promise<void> => {
    const { code, stdout, stderr } = await run(command, args, { timeoutMs: 60_000 });
    if (code !== 0) throw new Error(`${command} ended with ${code}: ${stdout}${stderr}`);
  };
  const trustStore = join(folder, "trust.p12");
  await Promise.all([
    must("javac", ["-d", folder, join(folder, "Fetch.java")]),
    must("keytool", [
      "-importcert",
      "-noprompt",
      "-alias",
      "ca",
      "-file",
      caFile,
      "-keystore",
      trustStore,
      "-storetype",
      "PKCS12",
      "-storepass",
      "changeit",
    ]),
  ]);
  return {
    async fetch(urls) {
      const hosts = join(folder, "hosts");
      await writeFile(hosts, [...new Set(urls.map((url) => new URL(url).hostname))].map((host) => `127.0.0.1 ${host}\n`).join(""));
      const trust = [`-Djavax.net.ssl.trustStore=${trustStore}`, "-Djavax.net.ssl.trustStorePassword=changeit"];
      const { code, stdout, stderr } = await run("java", [...trust, `-Djdk.net.hosts.file=${hosts}`, "-cp", folder, "Fetch", ...urls], {
        timeoutMs: 90_000,
      });
      if (code !== 0) throw new Error(`java ended with ${code}: ${stderr}`);
      return stdout
        .trimEnd()
        .split("\n")
        .map((line) => {
          const [url = "", status = "", servedBy = "", title = "", cipher = ""] = line.split("\t");
          return { url, status: Number(status), servedBy, title, cipher };
        });
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
