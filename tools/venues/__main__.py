"""Simulated LPs for development: `python -m tools.venues [--ticks FILE_OR_FOLDER …] [--speed N] [--seed N] …`.

Without options it does what the settings say (HEDGEROW_TICKS, HEDGEROW_TICK_SPEED, …).
"""

import argparse
import asyncio
import json
import math
import secrets
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from actors import process
from actors.store import private_files
from config import settings as config
from config.settings import Settings
from tools.venues.binance import LAG_MS
from tools.venues.market import Market
from tools.venues.recording import RecordingError, find_recordings
from tools.venues.serving import serve

ACCOUNT = "101-001-1000001-001"


async def serve_until_stopped(
    market: Market, options: argparse.Namespace, addresses: Path, record: Path, fix_password: str, fix_folder: Path
) -> None:
    """Serve until SIGINT or SIGTERM, or until a recording cannot be read any more (`RecordingError`).

    `addresses`: the file in which feeds find the LPs, whose ports and token are new with each start. `record`: that of
    the OANDA account's transactions, which outlive a start, as does what is in
    `fix_folder`.
    """
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    host, token = options.host, secrets.token_hex(16)
    ports = options.oanda_port, options.binance_port
    lag_ms = options.binance_lag_ms
    serving = serve(market, host, *ports, ACCOUNT, token, lag_ms, record, options.fix_port, fix_password, fix_folder)
    oanda = {"url": f"http://{host}:{serving.oanda_port}", "account": ACCOUNT, "token": token}
    binance_host = f"{host}:{serving.binance_port}"
    binance = {"url": f"ws://{binance_host}", "rest_url": f"http://{binance_host}"}
    fix_address = {"host": host, "port": serving.fix_port}
    private_files.write(addresses, json.dumps({"oanda": oanda, "binance": binance, "fix": fix_address}))
    rows = sum(recording.rows_count for recording in market.recordings)
    print(f"OANDA v20 on {oanda['url']}, Binance streams on {binance['url']}, FIX 4.4 on {host}:{serving.fix_port}")
    print(f"feeds find them in {addresses}")
    print(f"{rows} recorded rows at speed {market.speed:g}" if rows else f"the model with seed {market.seed}")
    sys.stdout.flush()
    waiting = [asyncio.create_task(stopped.wait()), asyncio.create_task(serving.failure())]
    try:
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in waiting:
            task.cancel()
        await serving.close()


def _options(argv: Sequence[str], settings: Settings) -> argparse.Namespace:
    """The settings say what to do; an option says otherwise."""
    parser = argparse.ArgumentParser(prog="python -m tools.venues", description="Simulated LPs for development.")
    ticks = [] if settings.ticks is None else [settings.ticks]
    parser.add_argument("--ticks", nargs="+", type=Path, default=ticks, metavar="FILE_OR_FOLDER")
    parser.add_argument(
        "--speed", type=_speed, default=settings.tick_speed, help="times real time; 0: as fast as the clients read"
    )
    parser.add_argument(
        "--once", action="store_true", default=not settings.tick_repeat, help="do not begin again at the end"
    )
    parser.add_argument("--seed", type=int, default=settings.tick_seed, help="of the model, for what is not recorded")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--oanda-port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--binance-port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--fix-port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--binance-lag-ms", type=int, default=LAG_MS, help="how far Binance is behind OANDA")
    return parser.parse_args(argv)


def _speed(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and value >= 0):
        raise argparse.ArgumentTypeError(f"{text} is not a speed: 1 is real time, 0 as fast as clients read")
    return value


def main(argv: Sequence[str]) -> int:
    settings = config.load()
    options = _options(argv, settings)
    process.claim(settings, "venues")
    try:
        market = Market(find_recordings(options.ticks), options.seed, options.speed, options.once)
        folder, password = settings.run_dir / "venues", private_files.secret(settings.simulated_fix_password)
        folder.mkdir(mode=0o700, exist_ok=True)
        records = folder / "oanda.jsonl", password, folder
        asyncio.run(serve_until_stopped(market, options, settings.venues_file, *records))
    except (RecordingError, OSError) as error:
        print(f"venues: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
