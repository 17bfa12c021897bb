/** Names that Windows gives to devices, with any extension. */
const DEVICE = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)/i;

/**
 * What is wrong with a name that becomes one part of a path on any system, or undefined: 1 to 200 characters, no separators,
 * control characters or `<>:"|?*`, no leading dot, no trailing dot or space, no Windows device name.
 */
export function pathPartProblem(name: string): string | undefined {
  if (name.length === 0 || name.length > 200) return "must have 1 to 200 characters";
  if (/[/\\]/.test(name)) return "must be one name, without / or \\";
  if (/[\p{Cc}\p{Cf}<>:"|?*]/u.test(name)) return 'must not have control characters or < > : " | ? *';
  if (name.startsWith(".")) return "must not begin with a dot";
  if (/[. ]$/.test(name)) return "must not end with a dot or a space";
  return DEVICE.test(name) ? "is a device on Windows" : undefined;
}
