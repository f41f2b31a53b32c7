"""Certificates that are missing or no certificates: a sentence each."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from network_peers import certificates, needs_openssl
from spikebridge.errors import InputError, UsageError
from spikebridge.settings import TlsSettings
from spikebridge.sources.net.tls import publishing_context, reading_context


def test_without_files_nothing_is_encrypted() -> None:
    assert reading_context(TlsSettings()) is None
    assert publishing_context(TlsSettings()) is None


def test_a_certificate_needs_its_key() -> None:
    with pytest.raises(UsageError, match="--tls-cert and --tls-key together"):
        TlsSettings(certificate=Path("a.pem"))
    with pytest.raises(UsageError, match="--tls-cert and --tls-key together"):
        TlsSettings(key=Path("a.key"))


def test_who_publishes_needs_a_certificate(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="to publish encrypted, found --tls-ca alone"):
        publishing_context(TlsSettings(tmp_path / "ca.pem"))


@needs_openssl
def test_files_that_are_none(tmp_path: Path) -> None:
    made = certificates(tmp_path)["server"]
    text = tmp_path / "text.pem"
    text.write_text("no certificate", encoding="utf-8")
    locked = tmp_path / "locked.key"
    subprocess.run(
        ["openssl", "rsa", "-in", str(made.key), "-aes128", "-passout", "pass:secret", "-out", str(locked)],
        check=True, capture_output=True,
    )  # fmt: skip
    for context in (reading_context, publishing_context):
        for ca in (text, tmp_path / "missing.pem", tmp_path):
            with pytest.raises(InputError, match="expected certificates of an authority as PEM in "):
                context(TlsSettings(ca, made.certificate, made.key))
        for certificate, key in ((text, made.key), (made.certificate, text), (made.certificate, made.ca)):
            with pytest.raises(InputError, match="expected a certificate, with its key in "):
                context(TlsSettings(made.ca, certificate, key))
        with pytest.raises(InputError, match="the key is encrypted"):
            context(TlsSettings(made.ca, made.certificate, locked))
