import { expect, it } from "vitest";

import { isLoopback, memberName, parseEtcdAddress } from "./url.ts";

it.each([
  ["etcds://a.example.com:2379,b.example.com:2380/farms/one", true, "a.example.com:2379 b.example.com:2380", "farms/one"],
  ["etcd://127.0.0.1", false, "127.0.0.1:2379", "certfarm"],
  ["etcds://[2001:db8::1]:1234,[::1]/", true, "[2001:db8::1]:1234 [::1]:2379", "certfarm"],
])("reads %s", (text, secure, members, prefix) => {
  const address = parseEtcdAddress(text);
  expect(address).toMatchObject({ secure, prefix });
  expect(address.members.map(memberName).join(" ")).toBe(members);
});

it.each([
  ["another scheme", "http://127.0.0.1:2379"],
  ["no host", "etcd:///x"],
  ["a port that is none", "etcd://a:99999"],
  ["an empty member", "etcd://a,,b"],
  ["a prefix that leads elsewhere", "etcd://a/x/../y"],
  ["a query", "etcd://a/x?y"],
  ["sixteen members", `etcd://${Array.from({ length: 16 }, () => "a").join(",")}`],
])("refuses %s", (_name, text) => {
  expect(() => parseEtcdAddress(text)).toThrow(expect.objectContaining({ code: "STORE_URL_INVALID" }));
});

it("refuses a password without repeating it", () => {
  expect(() => parseEtcdAddress("etcds://root:hunter2@a/x")).toThrow(/given apart/);
  expect(() => parseEtcdAddress("etcds://root:hunter2@a/x")).not.toThrow(/hunter2/);
});

it.each([
  ["127.0.0.1", true],
  ["localhost", true],
  ["::1", true],
  ["127.0.0.1.example.com", false],
  ["10.0.0.1", false],
])("tells whether %s is this machine", (host, isIt) => {
  expect(isLoopback({ host, port: 1 })).toBe(isIt);
});
