"""Dealing rules for the staff: listed, added, changed, ordered, taken away, and tried on an order that is not sent."""

from collections.abc import Mapping
from typing import Any

from actors.bus.answers import Lps
from actors.bus.desk_answers import RoutePreview, Terms
from actors.bus.requests import GetLps, PreviewRoute
from actors.domain.commands import DefineRules
from actors.domain.prices.lp_registry import Lp
from actors.domain.routing.rulebook import Rule
from web.desk import answers, schema
from web.desk.handler import DeskHandler, changes, looks_up
from web.handling.contract import QUESTION, contract
from web.payloads import problem
from web.payloads.plain import merged, plain, struct_of
from web.payloads.plain_types import patched
from web.payloads.terms import positive_e8
from web.payloads.times import parse_ns

RULES = "rules"


class _RulesHandler(DeskHandler):
    async def define(self, terms: Terms, rules: tuple[Rule, ...], reason: str, status: int = 200) -> None:
        """Has all rules be these, unless they are others by now than those that were looked at."""
        command = DefineRules(rules, terms.venues, *self.by(reason, terms.versions.get(RULES, 0)))
        await self.change(command, RULES, reason, before=terms.rules)
        self.answer_rules(await self.terms(), status)

    def answer_rules(self, terms: Terms, status: int = 200) -> None:
        self.tag(terms.versions.get(RULES, 0))
        body = {"version": terms.rules.version, "venues": terms.venues, "rules": plain(terms.rules.rules)}
        self.answer(body, status)


class RoutingHandler(_RulesHandler):
    """GET and POST /admin/routing: the rules in the order in which they are tried; a new one."""

    @looks_up("The dealing rules.", answers.RULES)
    async def get(self) -> None:
        self.answer_rules(await self.terms())

    @changes(
        "Add a rule.",
        answers.RULES,
        schema.NewRule,
        {"rule": {"name": "large", "book": "b_book", "quantity_min": "50000"}, "reason": "large ones"},
        status=201,
    )
    async def post(self) -> None:
        wanted = self.body(schema.NewRule)
        terms = await self.terms()
        known = terms.rules.rules
        number = max(rule.rule_id for rule in known) + 1
        rule = struct_of(Rule, {"rule_id": str(number), **wanted.rule}, "rule")
        place = len(known) - 1 if wanted.place is None else min(wanted.place, len(known))
        await self.define(terms, (*known[:place], rule, *known[place:]), wanted.reason, 201)


class RuleHandler(_RulesHandler):
    """PATCH (RFC 7396) and DELETE /admin/routing/{id}."""

    @changes(
        "Change a rule.",
        answers.RULES,
        schema.ChangedTerms,
        {"terms": {"quantity_min": "70000"}, "reason": "fewer"},
        terms=patched(Rule),
    )
    async def patch(self, rule_id: str) -> None:
        wanted = self.body(schema.ChangedTerms)
        terms = await self.terms()
        known = _rule(terms, int(rule_id))
        rule = struct_of(Rule, merged(plain(known), wanted.terms))
        rules = tuple(rule if it is known else it for it in terms.rules.rules)
        await self.define(terms, rules, wanted.reason)

    @changes("Take a rule away.", answers.RULES, parameters=schema.Why)
    async def delete(self, rule_id: str) -> None:
        reason = self.parameters(schema.Why).reason
        terms = await self.terms()
        known = _rule(terms, int(rule_id))
        await self.define(terms, tuple(it for it in terms.rules.rules if it is not known), reason)


class RuleOrderHandler(_RulesHandler):
    """PUT /admin/routing/order: the ids of all rules, in the order in which they are to be tried."""

    @changes(
        "Order the rules.",
        answers.RULES,
        schema.RuleOrder,
        {"rule_ids": ["1", "2"], "reason": "large ones first"},
    )
    async def put(self) -> None:
        wanted = self.body(schema.RuleOrder)
        terms = await self.terms()
        rules = tuple(_rule(terms, int(number)) for number in wanted.rule_ids)
        if sorted(rule.rule_id for rule in rules) != sorted(rule.rule_id for rule in terms.rules.rules):
            raise problem.invalid("rule_ids", "Name each rule once.")
        await self.define(terms, rules, wanted.reason)


class RoutePreviewHandler(DeskHandler):
    """POST /admin/routing/preview: the rule that an order would meet, and why the others before it do not take it."""

    @contract(
        "Where an order would go, and why.",
        {200: answers.ROUTE},
        body=schema.Preview,
        problems=QUESTION,
        example={"account_id": "1", "symbol": "EURUSD", "side": "buy", "quantity": "1000"},
    )
    async def post(self) -> None:
        wanted = self.body(schema.Preview)
        question = PreviewRoute(
            int(wanted.account_id),
            wanted.symbol,
            wanted.side,
            positive_e8(wanted.quantity, "quantity"),
            tuple(struct_of(Rule, rule, f"rules[{at}]") for at, rule in enumerate(wanted.rules or ())),
            0 if wanted.time is None else _moment(wanted.time),
        )
        found = await self.engine(question, RoutePreview)
        lps: Mapping[str, Lp] = {}
        if found.routing.venues:
            lps = (await self.look(self.backend.aggregator, GetLps(), Lps)).registry.lps
        self.answer(_preview(found, wanted.symbol, lps))


def _preview(found: RoutePreview, symbol: str, lps: Mapping[str, Lp]) -> dict[str, Any]:
    considered = [
        {"rule_id": str(it.rule.rule_id), "name": it.rule.name, "matched": it.matched, "why_not": it.why_not or None}
        for it in found.considered
    ]
    winner = next(it.rule for it in found.considered if it.matched)
    return {
        "version": found.version,
        "price": plain(found.price_e8, name="price_e8"),
        "rule": plain(winner),
        "routing": plain(found.routing),
        "considered": considered,
        "passed_over": [
            {"venue": venue, "why": why}
            for venue in found.routing.venues
            if (why := _why_not_sent(lps.get(venue), symbol)) is not None
        ],
    }


def _why_not_sent(lp: Lp | None, symbol: str) -> str | None:
    """Why an execution process sends nothing there, by the registry; None where it does."""
    if lp is None:
        return "not in the LP registry"
    if not lp.enabled:
        return "disabled"
    return None if symbol in lp.symbols else f"no name for {symbol}"


def _rule(terms: Terms, number: int) -> Rule:
    found = next((rule for rule in terms.rules.rules if rule.rule_id == number), None)
    if found is None:
        raise problem.Problem(404, "UNKNOWN_RULE", f"There is no rule {number}.", field="rule_id")
    return found


def _moment(text: str) -> int:
    try:
        return parse_ns(text)
    except ValueError as error:
        raise problem.invalid("time", f"{error}.") from None
