import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Problem } from "../src/api";
import type { Session } from "../src/contract";
import { Renewal } from "../src/renewal";

function session(number: number): Session {
  return {
    access_token: `access-${number}`,
    expires_in: 100,
    refresh_token: `refresh-${number}`,
    username: "trader",
    role: "trader",
    account_id: "1",
    obtained_ms: Date.now(),
  };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function renewal(renew: (token: string) => Promise<Session>) {
  const heard: string[] = [];
  const made = new Renewal(session(1), {
    onRenewed: (next) => heard.push(next.access_token),
    onEnded: () => heard.push("ended"),
    renew,
  });
  return { made, heard };
}

test("the tokens are exchanged in time, one after the other", async () => {
  const asked: string[] = [];
  const { made, heard } = renewal(async (token) => {
    asked.push(token);
    return session(asked.length + 1);
  });
  await made.start();
  expect(made.token).toBe("access-1");
  await vi.advanceTimersByTimeAsync(74_000);
  expect(heard).toEqual([]);
  await vi.advanceTimersByTimeAsync(2_000);
  await vi.advanceTimersByTimeAsync(76_000);
  expect(heard).toEqual(["access-2", "access-3"]);
  expect(asked).toEqual(["refresh-1", "refresh-2"]);
  expect(made.token).toBe("access-3");
  made.stop();
  await vi.advanceTimersByTimeAsync(500_000);
  expect(asked).toHaveLength(2);
});

test("silence is tried again, a refusal ends the session", async () => {
  let asked = 0;
  const { made, heard } = renewal(async () => {
    asked += 1;
    throw asked < 3 ? new Error("no answer") : new Problem(401, "the session has ended");
  });
  await made.start();
  await vi.advanceTimersByTimeAsync(76_000);
  await vi.advanceTimersByTimeAsync(11_000);
  expect([asked, heard]).toEqual([3, ["ended"]]);
  await vi.advanceTimersByTimeAsync(500_000);
  expect(asked).toBe(3);
});
