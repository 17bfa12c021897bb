import { expect, test } from "vitest";

import { instant } from "../base/index.ts";
import { scopeTicketKeys, ticketSlot } from "./ticket-scope.ts";

const key = (id: string) => ({ id, secret: Buffer.alloc(32, id), createdAt: instant(0) });
const SET = { current: key("b"), previous: key("a"), next: key("c") };
const name = (keys: Buffer | undefined): Buffer => (keys ?? Buffer.alloc(0)).subarray(0, 16);

test("two nodes derive the same keys for one scope", () => {
  expect(scopeTicketKeys(SET, "www").current.equals(scopeTicketKeys({ ...SET }, "www").current)).toBe(true);
  expect(scopeTicketKeys(SET, "www").current).toHaveLength(48);
});

test("no part of a key is shared between scopes or generations", () => {
  const [www, shop] = [scopeTicketKeys(SET, "www"), scopeTicketKeys(SET, "shop")];
  const parts = [www, shop]
    .flatMap((keys) => [keys.current, keys.previous ?? Buffer.alloc(0), keys.next])
    .flatMap((keys) => [0, 16, 32].map((at) => keys.subarray(at, at + 16).toString("hex")));
  expect(new Set(parts).size).toBe(18);
});

test.each([
  ["no ticket", undefined, "current"],
  ["a ticket of the current key", name(scopeTicketKeys(SET, "www").current), "current"],
  ["a ticket from before the rotation", name(scopeTicketKeys(SET, "www").previous), "previous"],
  ["a ticket of a node that rotated first", name(scopeTicketKeys(SET, "www").next), "next"],
  ["a ticket of another host", name(scopeTicketKeys(SET, "shop").current), "current"],
  ["a name that is too short", Buffer.alloc(3), "current"],
] as const)("%s is taken by the server of the right generation", (_what, ticket, expected) => {
  expect(ticketSlot(scopeTicketKeys(SET, "www"), ticket)).toBe(expected);
});
