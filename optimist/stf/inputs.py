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
KIND_CANCEL: Final = 5
KIND_CANCEL_ALL: Final = 6
KIND_REDUCE: Final = 7
KIND_TRANSFER: Final = 8
KIND_SESSION_KEY: Final = 9
KIND_FEES: Final = 10
KIND_ACCOUNT_TIER: Final = 11
KIND_SETTLE: Final = 12
KIND_PROPOSE_MARKET: Final = 16
KIND_ENACT_MARKET: Final = 17
KIND_CLOSE_MARKET: Final = 18

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
INIT_FEE_MANAGER_AT: Final = 73
INIT_GOVERNOR_AT: Final = 93
INIT_TIMELOCK_AT: Final = 113
INIT_SILENCE_AT: Final = 117
INIT_WINDOW_AT: Final = 121
INIT_LISTS_AT: Final = 125  # the signers begin here, the markets follow them
INIT_SIGNER_LENGTH: Final = 20
INIT_MARKET_LENGTH: Final = 166

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
MARKET_GROUP_AT: Final = 165

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

# Forced WITHDRAW: account:5 · amount:8 · least paid:8
FORCED_WITHDRAW_ACCOUNT_AT: Final = 27
FORCED_WITHDRAW_AMOUNT_AT: Final = 32
FORCED_WITHDRAW_LEAST_AT: Final = 40
FORCED_WITHDRAW_LENGTH: Final = 48

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

# A signed price: signer index:1 · price:8 · signature:65
SIGNED_PRICE_SIGNER_AT: Final = 0
SIGNED_PRICE_PRICE_AT: Final = 1
SIGNED_PRICE_SIGNATURE_AT: Final = 9

# TRADE: market:2 · fill size:8 · fill price:8 · maker order · taker order
TRADE_MARKET_AT: Final = 7
TRADE_SIZE_AT: Final = 9
TRADE_PRICE_AT: Final = 17
TRADE_MAKER_AT: Final = 25  # the taker order follows it, wherever it ends

# An order: account:5 · is buy:1 · size:8 · price:8 · max fee ppm:4 · slot:1 · nonce:8 · expiry:5 ·
# reduce only:1 · time in force:1 · key:1 · depth:1 · index:1, then as many siblings of 32 bytes as the depth
# says, and a signature
ORDER_ACCOUNT_AT: Final = 0
ORDER_IS_BUY_AT: Final = 5
ORDER_SIZE_AT: Final = 6
ORDER_PRICE_AT: Final = 14
ORDER_MAX_FEE_AT: Final = 22
ORDER_SLOT_AT: Final = 26
ORDER_NONCE_AT: Final = 27
ORDER_EXPIRY_AT: Final = 35
ORDER_REDUCE_ONLY_AT: Final = 40
ORDER_TIME_IN_FORCE_AT: Final = 41
ORDER_KEY_AT: Final = 42
ORDER_DEPTH_AT: Final = 43
ORDER_INDEX_AT: Final = 44
ORDER_SIBLINGS_AT: Final = 45
ORDER_LENGTH: Final = 110  # of an order that is signed alone; each sibling adds SIBLING_LENGTH
SIBLING_LENGTH: Final = 32

# A signature: v:1 · r:32 · s:32; offsets from where it begins
SIGNATURE_V_AT: Final = 0
SIGNATURE_R_AT: Final = 1
SIGNATURE_S_AT: Final = 33
SIGNATURE_LENGTH: Final = 65

# WITHDRAW: account:5 · amount:8 · least paid:8 · recipient:20 · nonce:8 · signature:65
WITHDRAW_ACCOUNT_AT: Final = 7
WITHDRAW_AMOUNT_AT: Final = 12
WITHDRAW_LEAST_AT: Final = 20
WITHDRAW_RECIPIENT_AT: Final = 28
WITHDRAW_NONCE_AT: Final = 48
WITHDRAW_SIGNATURE_AT: Final = 56
WITHDRAW_LENGTH: Final = 121

# LIQUIDATE, sequenced or forced; offsets from where the body begins: account:5 · market:2
LIQUIDATE_ACCOUNT_AT: Final = 0
LIQUIDATE_MARKET_AT: Final = 5
LIQUIDATE_BODY_LENGTH: Final = 7

# CANCEL: account:5 · slot:1 · nonce:8 · key:1 · signature:65
CANCEL_ACCOUNT_AT: Final = 7
CANCEL_SLOT_AT: Final = 12
CANCEL_NONCE_AT: Final = 13
CANCEL_KEY_AT: Final = 21
CANCEL_SIGNATURE_AT: Final = 22
CANCEL_LENGTH: Final = 87

# CANCEL_ALL: account:5 · nonce:8 · key:1 · signature:65
CANCEL_ALL_ACCOUNT_AT: Final = 7
CANCEL_ALL_NONCE_AT: Final = 12
CANCEL_ALL_KEY_AT: Final = 20
CANCEL_ALL_SIGNATURE_AT: Final = 21
CANCEL_ALL_LENGTH: Final = 86

# Forced CANCEL_ALL: account:5 · nonce:8
FORCED_CANCEL_ALL_ACCOUNT_AT: Final = 27
FORCED_CANCEL_ALL_NONCE_AT: Final = 32
FORCED_CANCEL_ALL_LENGTH: Final = 40

# TRANSFER: source:5 · target:5 · amount:8 · least paid:8 · nonce:8 · signature:65
TRANSFER_SOURCE_AT: Final = 7
TRANSFER_TARGET_AT: Final = 12
TRANSFER_AMOUNT_AT: Final = 17
TRANSFER_LEAST_AT: Final = 25
TRANSFER_NONCE_AT: Final = 33
TRANSFER_SIGNATURE_AT: Final = 41
TRANSFER_LENGTH: Final = 106

# SESSION_KEY: account:5 · index:1 · key:20 · rights:1 · expiry:5 · nonce:8 · signature:65
SESSION_KEY_ACCOUNT_AT: Final = 7
SESSION_KEY_INDEX_AT: Final = 12
SESSION_KEY_KEY_AT: Final = 13
SESSION_KEY_RIGHTS_AT: Final = 33
SESSION_KEY_EXPIRY_AT: Final = 34
SESSION_KEY_NONCE_AT: Final = 39
SESSION_KEY_SIGNATURE_AT: Final = 47
SESSION_KEY_LENGTH: Final = 112

# Forced SESSION_KEY, which only ends one: account:5 · index:1
FORCED_SESSION_KEY_ACCOUNT_AT: Final = 27
FORCED_SESSION_KEY_INDEX_AT: Final = 32
FORCED_SESSION_KEY_LENGTH: Final = 33

# REDUCE, forced only: account:5 · market:2 · size:8 · limit price:8
FORCED_REDUCE_ACCOUNT_AT: Final = 27
FORCED_REDUCE_MARKET_AT: Final = 32
FORCED_REDUCE_SIZE_AT: Final = 34
FORCED_REDUCE_LIMIT_AT: Final = 42
FORCED_REDUCE_LENGTH: Final = 50

# FEES: market:2 · tier:1 · maker ppm:4 (two's complement) · taker ppm:4 · nonce:8 · signature:65
FEES_MARKET_AT: Final = 7
FEES_TIER_AT: Final = 9
FEES_MAKER_AT: Final = 10
FEES_TAKER_AT: Final = 14
FEES_NONCE_AT: Final = 18
FEES_SIGNATURE_AT: Final = 26
FEES_LENGTH: Final = 91

# ACCOUNT_TIER: account:5 · tier:1 · nonce:8 · signature:65
ACCOUNT_TIER_ACCOUNT_AT: Final = 7
ACCOUNT_TIER_TIER_AT: Final = 12
ACCOUNT_TIER_NONCE_AT: Final = 13
ACCOUNT_TIER_SIGNATURE_AT: Final = 21
ACCOUNT_TIER_LENGTH: Final = 86

# SETTLE, sequenced or forced; offsets from where the body begins: account:5 · market:2
SETTLE_ACCOUNT_AT: Final = 0
SETTLE_MARKET_AT: Final = 5
SETTLE_BODY_LENGTH: Final = 7

# PROPOSE_MARKET, sequenced or forced; offsets from where the body begins:
# market:2 · nonce:8 · signature:65 · a market as in INIT
PROPOSE_MARKET_AT: Final = 0
PROPOSE_NONCE_AT: Final = 2
PROPOSE_SIGNATURE_AT: Final = 10
PROPOSE_RULES_AT: Final = 75

# ENACT_MARKET, sequenced or forced: market:2
ENACT_MARKET_AT: Final = 0
ENACT_BODY_LENGTH: Final = 2

# CLOSE_MARKET, forced only: market:2
CLOSE_MARKET_AT: Final = 0
CLOSE_BODY_LENGTH: Final = 2
