import { expect, test } from "vitest";
import type { MarginAlert } from "../src/contract";
import { describeMargin } from "../src/wording";

test.each<[MarginAlert["status"], string | null, string]>([
  ["margin_call", "98.5", "Margin call. The margin level is 98.50%. Deposit money, or close positions."],
  [
    "stop_out",
    "45.10",
    "Stop-out. The margin level is 45.10%. Positions are closed, the largest loss first.",
  ],
  ["normal", null, "The margin suffices again."],
])("a margin status in words: %s", (status, margin_level, words) => {
  expect(describeMargin({ account_id: "1", status, margin_level })).toBe(words);
});
