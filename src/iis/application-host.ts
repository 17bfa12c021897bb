import type { HostPattern, IpAddress } from "../base/index.ts";
import type { Source } from "../doctor/index.ts";
import type { UnreadLine } from "./unread.ts";

/** What is read of an `applicationHost.config`. Encrypted and secret values are nowhere in it. */
export interface ApplicationHost {
  readonly source: Source;
  /** SHA-256, upper-case hexadecimal, over elements and attributes: equal for equal configurations, whatever white space, comments and secrets. */
  readonly digest: string;
  readonly sites: readonly IisSite[];
  readonly locations: readonly IisLocation[];
  /** Sections outside of `location`: they hold for the server. */
  readonly sections: readonly IisSection[];
  /** Names of the providers in `configProtectedData`. */
  readonly protectedBy: readonly string[];
  /** `customMetadata` has a property 5506, SSL data of IIS 6: it wipes rows of the binding table when the service starts. */
  readonly legacyBindingData: boolean;
  /** Bindings of http and https that could not be read. */
  readonly unread: readonly UnreadLine[];
}

export interface IisSite {
  readonly name: string;
  readonly id?: number;
  /** `serverAutoStart` of the site, else of `siteDefaults`, else true. */
  readonly autoStart: boolean;
  readonly bindings: readonly IisBinding[];
  readonly applications: readonly IisApplication[];
  /** The attributes of its `hsts` element (IIS 10.0 1709). */
  readonly hsts?: Readonly<Record<string, string>>;
  readonly line: number;
}

/** A binding as written. `address`, `port` and `host` are there for protocols http and https, when they could be read. */
export interface IisBinding {
  readonly protocol: string;
  readonly information: string;
  readonly address?: IpAddress | "*";
  readonly port?: number;
  /** Absent = any host. */
  readonly host?: HostPattern;
  /** As written, unknown bits kept: 1 SNI, 2 central, 4 no HTTP/2, 8 no OCSP stapling, 16 no QUIC, 32 no TLS 1.3, 64 no legacy TLS. */
  readonly sslFlags: number;
  readonly line: number;
}

export interface IisApplication {
  readonly path: string;
  readonly pool?: string;
  readonly directories: readonly IisDirectory[];
  readonly line: number;
}

/** A virtual directory. */
export interface IisDirectory {
  readonly path: string;
  readonly physicalPath: string;
  readonly user?: string;
  readonly line: number;
}

/** `location`: sections for one site or a path of it. */
export interface IisLocation {
  /** `Default Web Site/images`; empty = everything. */
  readonly path: string;
  readonly sections: readonly IisSection[];
  readonly line: number;
}

/** An element of a section that has attributes. */
export interface IisSection {
  /** Names from the section group down: `system.webServer/httpRedirect`, `system.webServer/staticContent/mimeMap`. */
  readonly path: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly line: number;
}
