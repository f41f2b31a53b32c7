"""Encryption of network streams, as dv-processing has it: both sides show a certificate."""

from __future__ import annotations

import ssl
from pathlib import Path

from spikebridge.errors import InputError, UsageError
from spikebridge.settings import TlsSettings


def reading_context(tls: TlsSettings) -> ssl.SSLContext | None:
    """For who connects; None where nothing is encrypted. The server's certificate has to be valid for its name."""
    if not tls.wanted:
        return None
    try:
        context = ssl.create_default_context(cafile=tls.ca)
    except (OSError, ssl.SSLError) as error:
        raise _refused("certificates of an authority", tls.ca, error) from error
    # On by default from Python 3.13; refuses authorities as `openssl req -x509` makes them, which dv-processing takes.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    _show_certificate(context, tls)
    return context


def publishing_context(tls: TlsSettings) -> ssl.SSLContext | None:
    """For who is connected to; None where nothing is encrypted. With an authority, every reader has to show one."""
    if not tls.wanted:
        return None
    if tls.certificate is None:
        raise UsageError("expected --tls-cert and --tls-key to publish encrypted, found --tls-ca alone; add them.")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _show_certificate(context, tls)
    if tls.ca is not None:
        try:
            context.load_verify_locations(tls.ca)
        except (OSError, ssl.SSLError) as error:
            raise _refused("certificates of an authority", tls.ca, error) from error
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _show_certificate(context: ssl.SSLContext, tls: TlsSettings) -> None:
    if tls.certificate is None or tls.key is None:
        return
    try:
        # An encrypted key would ask for its password on the terminal, of a program that may have none.
        context.load_cert_chain(tls.certificate, tls.key, password=_no_password)
    except (OSError, ssl.SSLError, ValueError) as error:
        raise _refused(f"a certificate, with its key in {tls.key}", tls.certificate, error) from error


def _no_password() -> str:
    raise ValueError("the key is encrypted")


def _refused(what: str, path: Path | None, error: Exception) -> InputError:
    reason = (error.strerror if isinstance(error, OSError) else "") or str(error)
    return InputError(f"expected {what} as PEM in {path}, found: {reason}; check the files.")
