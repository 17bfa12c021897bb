/** The application id of rows that certfarm makes. */
export const CERTFARM_APP_ID = "{c7a3d0e2-5b94-4f61-9d27-6e10f84ab35c}";

/** The application id under which IIS makes its rows. */
export const IIS_APP_ID = "{4dc3e181-e14b-4a21-b022-59fc669b0914}";

/** AD FS and the Web Application Proxy: a common reason for a row nobody remembers. */
export const ADFS_APP_ID = "{5d89a20c-beab-4389-9447-324788eb944a}";

/** The IIS Web Management Service (port 8172). */
export const WMSVC_APP_ID = "{d7d72267-fcf9-4424-9eec-7e1d8dcec9a9}";

const NAMES: ReadonlyMap<string, string> = new Map([
  [CERTFARM_APP_ID, "certfarm"],
  [IIS_APP_ID, "IIS"],
  [ADFS_APP_ID, "AD FS or Web Application Proxy"],
  [WMSVC_APP_ID, "IIS Web Management Service"],
]);

const GUID = /^\{?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\}?$/i;

/** The normal form of a GUID (lower case, in braces), or undefined when the text is none. */
export function parseAppId(text: string): string | undefined {
  const digits = GUID.exec(text)?.[1];
  return digits === undefined ? undefined : `{${digits.toLowerCase()}}`;
}

/** The name of a known application; undefined for others. Takes any spelling of the GUID. */
export function applicationName(appId: string): string | undefined {
  return NAMES.get(parseAppId(appId) ?? "");
}
