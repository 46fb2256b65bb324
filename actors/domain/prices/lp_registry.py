"""The LP registry: which LPs there are, how each is reached, and what it is asked for. The aggregator owns it."""

import re
from collections.abc import Callable, Container, Mapping
from typing import Any

import msgspec

from actors.domain.quote import QuoteLimits
from actors.domain.refusal import Code, Refused

LPS_LIMIT = 32
SYMBOLS_LIMIT = 10_000
"""Of all LPs together."""
REGISTRY_LIMIT_BYTES = 786_432
"""As MessagePack: the whole, with the instruments' hours, goes in one frame of the bus."""
SETTINGS_LIMIT = 32
SETTING_LIMIT_CHARS = 512
INSTRUMENT_LIMIT_CHARS = 32
RANK_LIMIT = 1_000
SILENCE_MIN_MS, SILENCE_MAX_MS = 1_000, 600_000
ACTOR_LIMIT_CHARS = 64
FIX_ADAPTER = "fix"
"""Of LPs over FIX, whose sessions are all in the process fix-lp: no feed of their own, no entry point."""

_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,15}")
_ADAPTER = re.compile(r"[a-z][a-z0-9_.-]{0,31}")
_SETTING = re.compile(r"[a-z][a-z0-9_]{0,31}")
_ENVIRONMENT_NAME = re.compile(r"LP_[A-Z0-9_]{1,60}")
_SECRET_WORDS = ("token", "password", "passphrase", "secret", "key", "credential")


class Lp(msgspec.Struct, frozen=True):
    """One LP. On the bus, in the file and over REST it is the same: an object by these names."""

    name: str
    """In ticks, counters and orders."""
    adapter: str
    """The entry point in `hedgerow.venues` that speaks its protocol."""
    symbols: dict[str, str]
    """From our symbol to the LP's spelling of it."""
    enabled: bool = True
    priority: int = 100
    """The lower number goes first, where the order of LPs counts."""
    weight: int = 100
    """In a weighted price; 0: it does not count."""
    silence_timeout_ms: int = 12_000
    """A connection on which nothing comes (no quote, no heartbeat, no pong) for so long is taken for dead."""
    settings: dict[str, str | int | bool] = {}
    """What the adapter needs. No secrets: a setting whose name ends in _env names the variable that holds one."""
    limits: QuoteLimits = QuoteLimits()


class Registry(msgspec.Struct, frozen=True):
    """A version of the whole, and the change that made it."""

    version: int
    lps: dict[str, Lp]
    time_ns: int
    by: str
    change: str


class Change(msgspec.Struct, frozen=True, array_like=True, tag=True, tag_field="kind", kw_only=True):
    """A command. `if_version`: only where the registry is still at this version; 0: whatever it is."""

    by: str
    """Who wants it, for the record."""
    if_version: int = 0


class AddLp(Change, frozen=True):
    lp: Lp


class ChangeLp(Change, frozen=True):
    """The LP of this name is this one from now on, whole."""

    lp: Lp


class EnableLp(Change, frozen=True):
    name: str


class DisableLp(Change, frozen=True):
    name: str


class ReprioritiseLps(Change, frozen=True):
    """LPs that are not named keep their priority."""

    priorities: dict[str, int]


class RemoveLp(Change, frozen=True):
    name: str


LpChange = AddLp | ChangeLp | EnableLp | DisableLp | ReprioritiseLps | RemoveLp


class Known(msgspec.Struct, frozen=True):
    """What an LP's entry may name."""

    symbols: Container[str]
    adapters: Container[str]


def opening(lps: Mapping[str, Lp], known: Known, now_ns: int) -> Registry:
    """The first version; raises Refused."""
    for lp in lps.values():
        _check(lp, known)
    _check_size(lps)
    return Registry(1, dict(lps), now_ns, "config", "the first start")


def apply(registry: Registry, change: LpChange, known: Known, now_ns: int) -> Registry:
    """The next version, or the same where the change is done already: a repetition changes nothing. Raises Refused."""
    lps = _STEPS[type(change)](registry.lps, change, known)
    if lps == registry.lps:
        return registry
    if change.if_version not in (0, registry.version):
        raise Refused(
            Code.VERSION_MISMATCH, f"the registry is at version {registry.version}, not {change.if_version}", "version"
        )
    if not 0 < len(change.by) <= ACTOR_LIMIT_CHARS or not change.by.isprintable():
        raise Refused(Code.BAD_ACTOR, f"who wants it is said in 1 to {ACTOR_LIMIT_CHARS} printable characters", "by")
    _check_size(lps)
    return Registry(registry.version + 1, lps, now_ns, change.by, _words(change))


def entry(registry: Registry, lp: Lp) -> Lp:
    """The LP as the registry has it. One that is removed is disabled, and keeps its names for what is open there."""
    return registry.lps.get(lp.name) or msgspec.structs.replace(lp, enabled=False)


def symbol_of(spelling: str) -> str:
    """Our way of writing a symbol: EUR_USD, EUR/USD, EUR-USD and eurusd are EURUSD."""
    return re.sub(r"[^A-Za-z0-9]", "", spelling).upper()


def _add(lps: dict[str, Lp], change: AddLp, known: Known) -> dict[str, Lp]:
    lp = _checked(change.lp, known)
    if lps.get(lp.name, lp) != lp:
        raise Refused(Code.DUPLICATE_LP, f"there is an LP {lp.name} already", "name")
    return {**lps, lp.name: lp}


def _change(lps: dict[str, Lp], change: ChangeLp, known: Known) -> dict[str, Lp]:
    _find(lps, change.lp.name)
    return {**lps, change.lp.name: _checked(change.lp, known)}


def _enable(lps: dict[str, Lp], change: EnableLp, _: Known) -> dict[str, Lp]:
    return {**lps, change.name: msgspec.structs.replace(_find(lps, change.name), enabled=True)}


def _disable(lps: dict[str, Lp], change: DisableLp, _: Known) -> dict[str, Lp]:
    return {**lps, change.name: msgspec.structs.replace(_find(lps, change.name), enabled=False)}


def _reprioritise(lps: dict[str, Lp], change: ReprioritiseLps, known: Known) -> dict[str, Lp]:
    changed = dict(lps)
    for name, priority in change.priorities.items():
        changed[name] = _checked(msgspec.structs.replace(_find(lps, name), priority=priority), known)
    return changed


def _remove(lps: dict[str, Lp], change: RemoveLp, _: Known) -> dict[str, Lp]:
    _find(lps, change.name)
    return {name: lp for name, lp in lps.items() if name != change.name}


_STEPS: dict[type, Callable[[dict[str, Lp], Any, Known], dict[str, Lp]]] = {
    AddLp: _add,
    ChangeLp: _change,
    EnableLp: _enable,
    DisableLp: _disable,
    ReprioritiseLps: _reprioritise,
    RemoveLp: _remove,
}


def _find(lps: dict[str, Lp], name: str) -> Lp:
    if name not in lps:
        raise Refused(Code.UNKNOWN_LP, f"there is no LP {name[:32]!r}", "name")
    return lps[name]


def _checked(lp: Lp, known: Known) -> Lp:
    """With its symbols in our spelling; raises Refused."""
    symbols = {symbol_of(ours): theirs for ours, theirs in lp.symbols.items()}
    if len(symbols) < len(lp.symbols):
        raise _bad("symbols", "a symbol is there twice, in two spellings")
    lp = msgspec.structs.replace(lp, symbols=symbols)
    _check(lp, known)
    return lp


def _check(lp: Lp, known: Known) -> None:
    if not _NAME.fullmatch(lp.name):
        raise _bad("name", "a name is 1 to 16 capital letters, digits and _, a letter first")
    if not _ADAPTER.fullmatch(lp.adapter) or lp.adapter not in known.adapters:
        raise _bad("adapter", f"no adapter {lp.adapter[:32]!r} is installed")
    for field, value in (("priority", lp.priority), ("weight", lp.weight)):
        if not 0 <= value <= RANK_LIMIT:
            raise _bad(field, f"it is 0 to {RANK_LIMIT}, not {value}")
    if not SILENCE_MIN_MS <= lp.silence_timeout_ms <= SILENCE_MAX_MS:
        raise _bad("silence_timeout_ms", f"it is {SILENCE_MIN_MS} to {SILENCE_MAX_MS}, not {lp.silence_timeout_ms}")
    _check_symbols(lp, known)
    _check_settings(lp)


def _check_symbols(lp: Lp, known: Known) -> None:
    for ours, theirs in lp.symbols.items():
        if ours not in known.symbols:
            raise _bad(f"symbols.{ours[:32]}", "no such symbol is traded here")
        if not (0 < len(theirs) <= INSTRUMENT_LIMIT_CHARS and theirs.isprintable() and theirs.strip() == theirs):
            raise _bad(f"symbols.{ours}", f"the LP's name is 1 to {INSTRUMENT_LIMIT_CHARS} printable characters")
    if len(set(lp.symbols.values())) < len(lp.symbols):
        raise _bad("symbols", "two symbols have the same name at the LP")


def _check_settings(lp: Lp) -> None:
    if len(lp.settings) > SETTINGS_LIMIT:
        raise _bad("settings", f"there are at most {SETTINGS_LIMIT}")
    for name, value in lp.settings.items():
        field = f"settings.{name[:32]}"
        if not _SETTING.fullmatch(name):
            raise _bad(field, "a setting's name is small letters, digits and _")
        if isinstance(value, str) and len(value) > SETTING_LIMIT_CHARS:
            raise _bad(field, f"it has more than {SETTING_LIMIT_CHARS} characters")
        if name.endswith("_env"):
            if not (isinstance(value, str) and _ENVIRONMENT_NAME.fullmatch(value)):
                raise _bad(field, "it names an environment variable, which begins with LP_")
        elif any(word in name for word in _SECRET_WORDS):
            raise _bad(field, f"secrets are not kept here: name the environment variable that holds it in {name}_env")


def _check_size(lps: Mapping[str, Lp]) -> None:
    if len(lps) > LPS_LIMIT:
        raise Refused(Code.LIMIT_EXCEEDED, f"there are at most {LPS_LIMIT} LPs")
    if sum(len(lp.symbols) for lp in lps.values()) > SYMBOLS_LIMIT:
        raise Refused(Code.LIMIT_EXCEEDED, f"there are at most {SYMBOLS_LIMIT} symbols, of all LPs together", "symbols")
    if len(msgspec.msgpack.encode(lps)) > REGISTRY_LIMIT_BYTES:
        raise Refused(Code.LIMIT_EXCEEDED, f"all LPs together, with settings, take over {REGISTRY_LIMIT_BYTES} bytes")


def _bad(field: str, detail: str) -> Refused:
    return Refused(Code.BAD_LP, detail, field)


def _words(change: LpChange) -> str:
    what = change.priorities if isinstance(change, ReprioritiseLps) else ""
    name = change.lp.name if isinstance(change, AddLp | ChangeLp) else getattr(change, "name", what)
    return f"{type(change).__name__} {name}"
