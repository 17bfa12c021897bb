const LONGEST = 200;

/** Text of a peer in one bounded piece; what was cut is told. */
export function shorten(text: string, longest = LONGEST): string {
  return text.length <= longest ? text : `${text.slice(0, longest)}… (${text.length} characters)`;
}
