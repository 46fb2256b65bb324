import { type ReactNode, useState } from "react";
import { compare, parse } from "../decimal";

interface MovingProps {
  /** The decimal text whose rise or fall is flashed. */
  value: string;
  testId?: string;
  className?: string;
  children: ReactNode;
}

/** A number that flashes briefly, up or down, when it changes. */
export function Moving({ value, testId, className = "", children }: MovingProps) {
  const [seen, setSeen] = useState({ value, flash: "" });
  if (seen.value !== value) {
    const before = parse(seen.value);
    const now = parse(value);
    const way = before && now ? compare(now, before) : 0;
    setSeen({ value, flash: way > 0 ? "flash-up" : way < 0 ? "flash-down" : "" });
  }
  return (
    <span className={className} data-testid={testId} data-value={value}>
      {/* A new key is a new element, which starts the animation again. It takes no presses: one that begins on an
          element that is gone when it ends is no click. */}
      <span key={value} className={`moving ${seen.flash}`}>
        {children}
      </span>
    </span>
  );
}
