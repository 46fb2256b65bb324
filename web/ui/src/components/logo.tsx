export function Logo() {
  return (
    <span className="logo">
      <img src="/assets/favicon.svg" alt="" width="24" height="24" />
      Hedgerow
    </span>
  );
}
