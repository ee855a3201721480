"""A rollup.toml for tests: one market, three oracle keys."""

from devnet.accounts import get_cast


def write_rollup(address: str, /, **replaced: str) -> str:
    """The text; `replaced` swaps parts of it, to make it wrong."""
    cast = get_cast()
    signers = ", ".join(f'"{key.hex_address}"' for key in cast.oracle[:3])
    text = f"""
token = "{address}"
sequencer = "{cast.sequencer.hex_address}"
backstop_owner = "{cast.backstop.hex_address}"

[law]
quorum = 2
signers = [{signers}]
future_tolerance = 60
trade_heartbeat = 300
liquidation_heartbeat = 300
liquidation_buffer_ppm = 200_000
silence = 604_800
window = 86_400

[[markets]]
size_decimals = 8
lot = 10_000
initial_margin_ppm = 100_000
maintenance_margin_ppm = 50_000
maker_fee_ppm = 100
taker_fee_ppm = 500
liquidation_penalty_ppm = 10_000
max_position = 100_000_000_000
"""
    for old, new in replaced.items():
        assert f"{old} = " in text
        lines = [new if line.startswith(f"{old} = ") else line for line in text.splitlines()]
        text = "\n".join(lines) + "\n"
    return text
