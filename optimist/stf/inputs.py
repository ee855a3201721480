"""The wire format of every input: offsets, lengths and kinds, as `docs/PROTOCOL.md` §3 gives them.

An input is envelope | body. Byte 0 is the origin; the Inbox writes or checks it. Every `..._AT` is an offset
in bytes from the start of the input (of an order, a signed price or a market where the name says so). Fields
follow each other without gaps, unsigned and big-endian.
"""

from typing import Final

# Byte 0: who wrote the envelope.
ORIGIN_INIT: Final = 1
ORIGIN_HEADER: Final = 2
ORIGIN_DEPOSIT: Final = 3
ORIGIN_FORCED: Final = 4
ORIGIN_SEQUENCED: Final = 5

# Kinds of sequenced and forced inputs. A kind has one meaning in both.
KIND_PRICE: Final = 1
KIND_TRADE: Final = 2
KIND_WITHDRAW: Final = 3
KIND_LIQUIDATE: Final = 4

# ---- INIT: 1 · chain id:8 · vault:20 · second:5 | parameters, signers, markets
INIT_CHAIN_ID_AT: Final = 1
INIT_VAULT_AT: Final = 9
INIT_SECOND_AT: Final = 29
INIT_BACKSTOP_OWNER_AT: Final = 34
INIT_QUORUM_AT: Final = 54
INIT_SIGNERS_AT: Final = 55
INIT_MARKETS_AT: Final = 56
INIT_FUTURE_TOLERANCE_AT: Final = 57
INIT_TRADE_HEARTBEAT_AT: Final = 61
INIT_LIQUIDATION_HEARTBEAT_AT: Final = 65
INIT_LIQUIDATION_BUFFER_AT: Final = 69
INIT_LISTS_AT: Final = 73  # the signers begin here, the markets follow them
INIT_SIGNER_LENGTH: Final = 20
INIT_MARKET_LENGTH: Final = 165

# A market of the INIT body.
MARKET_SIZE_DECIMALS_AT: Final = 0
MARKET_LOT_AT: Final = 1
MARKET_INITIAL_MARGIN_AT: Final = 9
MARKET_MAINTENANCE_MARGIN_AT: Final = 13
MARKET_MAKER_FEE_AT: Final = 17
MARKET_TAKER_FEE_AT: Final = 21
MARKET_LIQUIDATION_PENALTY_AT: Final = 25
MARKET_MAX_POSITION_AT: Final = 29
MARKET_STEP_AT: Final = 37
MARKET_HALT_AT: Final = 41
MARKET_HALT_SECONDS_AT: Final = 45
MARKET_GAP_SECONDS_AT: Final = 49
MARKET_INTEREST_AT: Final = 53
MARKET_DAMPER_AT: Final = 57
MARKET_MAX_RATE_AT: Final = 61
MARKET_MAX_PREMIUM_AT: Final = 65
MARKET_SMOOTHING_AT: Final = 69
MARKET_TIERS_AT: Final = 73  # three of them, zeros where there is none
MARKET_MAX_OPEN_INTEREST_AT: Final = 121
MARKET_OPEN_INTEREST_LOWER_AT: Final = 129
MARKET_OPEN_INTEREST_UPPER_AT: Final = 137
MARKET_MARK_CAP_AT: Final = 145
MARKET_VOLATILITY_MULTIPLIER_AT: Final = 149
MARKET_VOLATILITY_HORIZON_AT: Final = 153
MARKET_VOLATILITY_WINDOW_AT: Final = 157
MARKET_VOLATILITY_SAMPLE_AT: Final = 161

# A tier of a market.
TIER_FROM_AT: Final = 0
TIER_INITIAL_MARGIN_AT: Final = 8
TIER_MAINTENANCE_MARGIN_AT: Final = 12
TIER_LENGTH: Final = 16

# ---- HEADER: 2 · batch:8 · first:5 · last:5 · mode:1
HEADER_BATCH_AT: Final = 1
HEADER_FIRST_AT: Final = 9
HEADER_LAST_AT: Final = 14
HEADER_MODE_AT: Final = 19
HEADER_LENGTH: Final = 20
MODE_SEQUENCER: Final = 0
MODE_PUBLIC: Final = 1

# ---- DEPOSIT: 3 · account:5 · owner:20 · amount:8
DEPOSIT_ACCOUNT_AT: Final = 1
DEPOSIT_OWNER_AT: Final = 6
DEPOSIT_AMOUNT_AT: Final = 26
DEPOSIT_LENGTH: Final = 34

# ---- FORCED: 4 · sender:20 · enqueuedAt:5 | kind:1 · body
FORCED_SENDER_AT: Final = 1
FORCED_ENQUEUED_AT: Final = 21
FORCED_KIND_AT: Final = 26
FORCED_BODY_AT: Final = 27

# Forced WITHDRAW: account:5 · amount:8
FORCED_WITHDRAW_ACCOUNT_AT: Final = 27
FORCED_WITHDRAW_AMOUNT_AT: Final = 32
FORCED_WITHDRAW_LENGTH: Final = 40

# ---- SEQUENCED: 5 · second:5 | kind:1 · body
SEQUENCED_SECOND_AT: Final = 1
SEQUENCED_KIND_AT: Final = 6
SEQUENCED_BODY_AT: Final = 7

# PRICE, sequenced or forced; offsets from where the body begins:
# feed:2 · publish time:5 · count:1 · count * signed price
PRICE_FEED_AT: Final = 0
PRICE_PUBLISH_TIME_AT: Final = 2
PRICE_COUNT_AT: Final = 7
PRICE_LIST_AT: Final = 8
SIGNED_PRICE_LENGTH: Final = 74

# A signed price: signer index:1 · price:8 · v:1 · r:32 · s:32
SIGNED_PRICE_SIGNER_AT: Final = 0
SIGNED_PRICE_PRICE_AT: Final = 1
SIGNED_PRICE_V_AT: Final = 9
SIGNED_PRICE_R_AT: Final = 10
SIGNED_PRICE_S_AT: Final = 42

# TRADE: market:2 · fill size:8 · fill price:8 · maker order · taker order
TRADE_MARKET_AT: Final = 7
TRADE_SIZE_AT: Final = 9
TRADE_PRICE_AT: Final = 17
TRADE_MAKER_AT: Final = 25
TRADE_TAKER_AT: Final = 130
TRADE_LENGTH: Final = 235

# An order: account:5 · is buy:1 · size:8 · price:8 · max fee ppm:4 · slot:1 · nonce:8 · expiry:5 ·
# v:1 · r:32 · s:32
ORDER_ACCOUNT_AT: Final = 0
ORDER_IS_BUY_AT: Final = 5
ORDER_SIZE_AT: Final = 6
ORDER_PRICE_AT: Final = 14
ORDER_MAX_FEE_AT: Final = 22
ORDER_SLOT_AT: Final = 26
ORDER_NONCE_AT: Final = 27
ORDER_EXPIRY_AT: Final = 35
ORDER_V_AT: Final = 40
ORDER_R_AT: Final = 41
ORDER_S_AT: Final = 73
ORDER_LENGTH: Final = 105

# WITHDRAW: account:5 · amount:8 · recipient:20 · nonce:8 · v:1 · r:32 · s:32
WITHDRAW_ACCOUNT_AT: Final = 7
WITHDRAW_AMOUNT_AT: Final = 12
WITHDRAW_RECIPIENT_AT: Final = 20
WITHDRAW_NONCE_AT: Final = 40
WITHDRAW_V_AT: Final = 48
WITHDRAW_R_AT: Final = 49
WITHDRAW_S_AT: Final = 81
WITHDRAW_LENGTH: Final = 113

# LIQUIDATE, sequenced or forced; offsets from where the body begins: account:5 · market:2
LIQUIDATE_ACCOUNT_AT: Final = 0
LIQUIDATE_MARKET_AT: Final = 5
LIQUIDATE_BODY_LENGTH: Final = 7
