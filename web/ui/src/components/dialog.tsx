import { type ReactNode, useEffect, useRef } from "react";

interface DialogProps {
  title: string;
  testId: string;
  onClose: () => void;
  children: ReactNode;
}

/** A modal window over the page; Escape closes it. */
export function Dialog({ title, testId, onClose, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (element.current && !element.current.open) element.current.showModal();
  }, []);
  return (
    <dialog ref={element} className="dialog" aria-label={title} data-testid={testId} onClose={onClose}>
      <header>
        <h2>{title}</h2>
        <button type="button" className="quiet" aria-label="Close this window" onClick={onClose}>
          ✕
        </button>
      </header>
      {children}
    </dialog>
  );
}
