/** A column's heading and, if it has one, its class: `number`, `wide` (left out on small screens). */
export type Column = readonly [name: string, className?: string];

/** The heads of a table; `actions` names, for who cannot see them, the buttons at the end of each row. */
export function Head({ columns, actions }: { columns: readonly Column[]; actions?: string }) {
  return (
    <thead>
      <tr>
        {columns.map(([name, className]) => (
          <th key={name} scope="col" className={className}>
            {name}
          </th>
        ))}
        {actions && (
          <th scope="col" className="end">
            <span className="hidden">{actions}</span>
          </th>
        )}
      </tr>
    </thead>
  );
}

export function SideCell({ side }: { side: string }) {
  return <td className={side === "buy" ? "up" : "down"}>{side}</td>;
}
