"""Sizes that are compiled into the image. Exactly one of these modules is `optimist.stf.preset` in a law."""
