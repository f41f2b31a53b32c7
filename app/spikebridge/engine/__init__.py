"""The chain in a process of its own, so that neither drawing can make it late nor its failing can end the window.

``client.Engine`` starts it and opens sources in it; snapshots come back through a pipe, the picture through memory that
both share.
"""

from spikebridge.engine.client import Engine, Session

__all__ = ["Engine", "Session"]
