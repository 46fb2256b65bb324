"""What is remembered of accounts between one question and the next."""

from actors.domain.group import Group

REMEMBERED_ACCOUNTS_LIMIT = 100_000
"""Accounts whose terms and last event are remembered; the longest known are forgotten first, and asked for again."""


class Known:
    def __init__(self) -> None:
        self.last_seq = 0
        """The last event of all."""
        self.groups: dict[str, Group] = {}
        """By name, those that have been heard of."""
        self._seqs: dict[int, int] = {}
        self._terms: dict[int, tuple[str, str]] = {}

    def seq(self, account_id: int) -> int:
        """The last event of the account that anybody was told of: history must have got so far."""
        return self._seqs.get(account_id, 0)

    def note(self, account_id: int, seq: int) -> None:
        self.last_seq = max(self.last_seq, seq)
        self._seqs[account_id] = max(seq, self._seqs.pop(account_id, 0))
        if len(self._seqs) > REMEMBERED_ACCOUNTS_LIMIT:
            del self._seqs[next(iter(self._seqs))]

    def currency(self, account_id: int) -> str:
        """Empty where it is not known."""
        return self._terms.get(account_id, ("", ""))[0]

    def group(self, account_id: int) -> str:
        """The name of its group; empty where it is not known."""
        return self._terms.get(account_id, ("", ""))[1]

    def note_terms(self, account_id: int, currency: str, group: str) -> None:
        self._terms[account_id] = (currency, group)
        if len(self._terms) > REMEMBERED_ACCOUNTS_LIMIT:
            del self._terms[next(iter(self._terms))]
