"""Certificates of a test, each signed by its own key."""

import subprocess
from pathlib import Path


def make(folder: Path, *names: str) -> Path:
    """For each name, which is also the certificate's host name, `NAME.pem` and `NAME.key`."""
    for name in names:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
             "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"],
            check=True, capture_output=True,
        )  # fmt: skip
    return folder
