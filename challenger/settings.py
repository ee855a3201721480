"""Settings of `challenger watch` and `challenger run`."""

from optimist.ops.settings import NodeSettings, SignerSettings


class WatchSettings(NodeSettings):
    """The watcher needs an L1 and a deployment, nothing else."""


class RunSettings(SignerSettings):
    """The challenger adds a key, which holds the bond."""

    stake: bool = True
    """Lay down the bond when a false assertion needs an answer; off: only play for claims we operate."""
    until_resolved: bool = False
    """End when nothing false lives and all that we stood up for is confirmed and paid; else play for ever."""
