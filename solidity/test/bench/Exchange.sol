// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title The law's TRADE as a contract: what `make bench` measures anvil with.
/// @notice Signed orders, order slots, margin tiers over all positions, open interest, funding owed and capped fees, as in
/// optimist/stf; tests/parity/test_exchange_contract.py holds it against the law. Left out, to its advantage: session keys,
/// trees of orders, fee tiers, deleveraging, the average premium of fills, and everything but trades.
contract Exchange {
    uint256 private constant PPM = 1e6;
    uint256 private constant TIERS = 4;
    uint256 private constant UNIT = 3600 * 1e9; // of an index, times the market's divisor
    uint8 private constant FILL_OR_KILL = 2;
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;
    bytes32 private constant ORDER_TYPE = keccak256(
        "Order(uint40 account,uint16 market,bool isBuy,uint64 size,uint64 price,uint32 maxFeePpm,uint8 slot,uint64 nonce,uint40 expiry,bool reduceOnly,uint8 timeInForce)"
    );

    struct Order {
        uint40 account;
        uint16 market;
        bool isBuy;
        uint64 size;
        uint64 price;
        uint32 maxFeePpm;
        uint8 slot;
        uint64 nonce;
        uint40 expiry;
        bool reduceOnly;
        uint8 timeInForce;
    }

    struct Signed {
        Order order;
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    struct Tier {
        uint128 start;
        uint32 initialPpm;
        uint32 maintenancePpm;
    }

    struct Rules {
        uint64 divisor;
        uint64 lot;
        uint64 maxPosition;
        uint64 maxOpenInterest;
        uint64 openInterestLower;
        uint64 openInterestUpper;
        uint32 floorPpm;
        int32 makerPpm;
        uint32 takerPpm;
        uint64 mark;
        uint40 publishedAt;
    }

    struct Account {
        address owner;
        int64 collateral;
    }

    struct Used {
        uint64 nonce;
        uint64 filled;
    }

    struct Position {
        uint16 marketPlusOne;
        int80 size;
        int160 index;
    }

    struct Side {
        uint96 size;
        int160 index;
    }

    struct Schedule {
        uint256[4] starts;
        uint256[4] initial;
        uint256[4] maintenance;
    }

    struct Fill {
        uint256 market;
        uint256 size;
        uint256 price;
        uint256 cost;
        uint256 proceeds;
        uint256 divisor;
        uint256 mark;
        uint256 maxPosition;
    }

    struct Holdings {
        uint256 slot;
        int256 size;
        int256 owed;
        int256 value;
        uint256 maintenance;
        uint256 initial;
    }

    struct Margin {
        int256 value;
        uint256 maintenance;
        uint256 initial;
    }

    struct Change {
        int256 feePpm;
        int256 mostRebate;
        int256 moved;
        int256 collateral;
        int256 size;
        bool isReduced;
    }

    error Refused(string why);

    event Filled(uint40 indexed account, uint16 indexed market, int256 size, uint256 price, int256 fee);

    uint256 public immutable HEARTBEAT;
    uint256 public immutable POSITION_SLOTS;
    uint256 public immutable ORDER_SLOTS;
    bytes32 public immutable DOMAIN;

    mapping(uint256 market => Rules) private _rules;
    mapping(uint256 market => Tier[4]) private _tiers;
    mapping(uint256 market => Side[2]) private _sides;
    mapping(uint256 account => Account) public accounts;
    mapping(uint256 account => uint64) public orderFloors;
    mapping(uint256 account => mapping(uint256 slot => Position)) private _positions;
    mapping(uint256 account => mapping(uint256 slot => Used)) private _used;
    int64 public fund;

    constructor(bytes32 domain, uint256 heartbeat, uint256 positionSlots, uint256 orderSlots) {
        DOMAIN = domain;
        HEARTBEAT = heartbeat;
        POSITION_SLOTS = positionSlots;
        ORDER_SLOTS = orderSlots;
    }

    /// @notice List a market. Nobody guards this and the next two: there is no money here.
    function list(uint16 market, Rules calldata rules, Tier[4] calldata tiers) external {
        _rules[market] = rules;
        for (uint256 i = 0; i < TIERS; ++i) {
            _tiers[market][i] = tiers[i];
        }
    }

    /// @notice An account with money.
    function open(uint40 account, address owner, int64 collateral) external {
        accounts[account] = Account(owner, collateral);
    }

    /// @notice A new mark.
    function setMark(uint16 market, uint64 mark, uint40 publishedAt) external {
        _rules[market].mark = mark;
        _rules[market].publishedAt = publishedAt;
    }

    /// @notice Size of an account's position in a market.
    function positionOf(uint40 account, uint16 market) external view returns (int256) {
        for (uint256 slot = 0; slot < POSITION_SLOTS; ++slot) {
            Position memory position = _positions[account][slot];
            if (position.marketPlusOne == market + 1) return position.size;
        }
        return 0;
    }

    /// @notice Fill both orders, or neither.
    function trade(uint64 size, uint64 price, Signed calldata maker, Signed calldata taker) external {
        Rules storage rules = _rules[maker.order.market];
        Fill memory fill;
        fill.market = maker.order.market;
        fill.size = size;
        fill.price = price;
        fill.divisor = rules.divisor;
        fill.mark = rules.mark;
        fill.maxPosition = rules.maxPosition;
        _require(fill.divisor != 0 && taker.order.market == fill.market, "unknown market");
        _require(block.timestamp <= rules.publishedAt + HEARTBEAT, "stale price");
        _require(accounts[maker.order.account].owner != accounts[taker.order.account].owner, "self trade");
        _require(maker.order.isBuy != taker.order.isBuy, "same side");
        _require(size != 0 && price != 0, "nothing");
        fill.cost = _ceilDiv(uint256(size) * price, fill.divisor);
        fill.proceeds = uint256(size) * price / fill.divisor;

        uint256 before = _sides[fill.market][0].size;
        Schedule memory schedule = _loadSchedule(fill.market, before);
        (int256 takerFee, bool takerEnds) = _applySide(fill, schedule, taker, false, 0);
        (int256 makerFee, bool makerEnds) =
            _applySide(fill, schedule, maker, true, takerFee > 0 ? takerFee : int256(0));
        uint256 bound = rules.maxOpenInterest;
        if (before > bound) bound = before;
        _require(_sides[fill.market][0].size <= bound, "open interest");
        if (fill.size % rules.lot != 0) _require(takerEnds || makerEnds, "lot");
        fund = _toInt64(int256(fund) + takerFee + makerFee + int256(fill.cost) - int256(fill.proceeds));
    }

    function _applySide(
        Fill memory fill,
        Schedule memory schedule,
        Signed calldata signed,
        bool isMaker,
        int256 mostRebate
    ) private returns (int256 fee, bool ends) {
        Order calldata order = signed.order;
        Account memory account = accounts[order.account];
        Rules storage rules = _rules[fill.market];
        Change memory change;
        change.feePpm = isMaker ? int256(rules.makerPpm) : int256(uint256(rules.takerPpm));
        change.mostRebate = mostRebate;
        change.moved = order.isBuy ? int256(fill.size) : -int256(fill.size);
        change.collateral = account.collateral;
        _checkTerms(order, fill, isMaker, change.feePpm);
        _useOrder(order, fill.size);
        _checkSignature(signed, account.owner);
        fee = _move(fill, schedule, change, order.account);
        if (order.reduceOnly) _require(change.isReduced, "reduce only");
        accounts[order.account].collateral = _toInt64(change.collateral - fee);
        emit Filled(order.account, order.market, change.moved, fill.price, fee);
        ends = order.reduceOnly && change.size == 0;
    }

    /// @dev Moves position and collateral of one side; returns its fee, which the caller takes.
    function _move(Fill memory fill, Schedule memory schedule, Change memory change, uint256 account)
        private
        returns (int256 fee)
    {
        Holdings memory holdings = _scan(account, fill.market);
        if (holdings.owed != 0) change.collateral += _floorDiv(holdings.owed, int256(UNIT * fill.divisor));
        Margin memory before = _margin(fill, holdings, schedule, change.collateral, holdings.size);
        change.size = holdings.size + change.moved;
        change.isReduced = _isReduced(holdings.size, change.size);
        _require(_abs(change.size) <= fill.maxPosition || change.isReduced, "position bound");
        _changePosition(account, holdings, fill.market, change.size);
        change.collateral += change.moved > 0 ? -int256(fill.cost) : int256(fill.proceeds);
        Margin memory later = _margin(fill, holdings, schedule, change.collateral, change.size);
        fee = _computeFee(fill, change.feePpm, change.mostRebate);
        if (fee > 0 && later.value - fee < int256(later.initial) && change.isReduced) {
            fee = _capFee(before, later, fee);
        }
        later.value -= fee;
        _require(_isAllowed(before, later, change.isReduced), "below initial margin");
    }

    function _checkTerms(Order calldata order, Fill memory fill, bool isMaker, int256 feePpm) private view {
        if (isMaker) _require(order.timeInForce == 0, "taker only");
        else if (order.timeInForce == FILL_OR_KILL) _require(fill.size == order.size, "fill or kill");
        _require(order.timeInForce <= FILL_OR_KILL, "time in force");
        _require(order.isBuy ? fill.price <= order.price : fill.price >= order.price, "limit");
        _require(feePpm <= int256(uint256(order.maxFeePpm)), "fee above maximum");
        _require(block.timestamp <= order.expiry, "expired");
    }

    function _useOrder(Order calldata order, uint256 size) private {
        _require(order.slot < ORDER_SLOTS, "slot");
        _require(order.nonce >= orderFloors[order.account], "cancelled");
        Used memory used = _used[order.account][order.slot];
        _require(order.nonce >= used.nonce, "nonce");
        uint256 filled = order.nonce > used.nonce ? size : used.filled + size;
        _require(filled <= order.size, "overfilled");
        _used[order.account][order.slot] = Used(order.nonce, uint64(filled));
    }

    function _checkSignature(Signed calldata signed, address owner) private view {
        bytes32 digest =
            keccak256(abi.encodePacked(hex"1901", DOMAIN, keccak256(abi.encode(ORDER_TYPE, signed.order))));
        _require(uint256(signed.s) <= HALF_ORDER, "high s");
        address signer = ecrecover(digest, signed.v, signed.r, signed.s);
        _require(signer != address(0) && signer == owner, "not signed by owner");
    }

    function _scan(uint256 account, uint256 market) private view returns (Holdings memory holdings) {
        uint256 free = POSITION_SLOTS;
        holdings.slot = POSITION_SLOTS;
        for (uint256 slot = 0; slot < POSITION_SLOTS; ++slot) {
            Position memory position = _positions[account][slot];
            if (position.marketPlusOne == 0) {
                if (free == POSITION_SLOTS) free = slot;
                continue;
            }
            uint256 other = position.marketPlusOne - 1;
            int256 owed = int256(_abs(position.size))
                * (_sides[other][position.size < 0 ? 1 : 0].index - position.index);
            if (other == market) {
                holdings.slot = slot;
                holdings.size = position.size;
                holdings.owed = owed;
            } else {
                _addHolding(holdings, other, position.size, owed);
            }
        }
        if (holdings.slot == POSITION_SLOTS) holdings.slot = free;
        _require(holdings.slot < POSITION_SLOTS, "slots full");
    }

    function _addHolding(Holdings memory holdings, uint256 market, int256 size, int256 owed) private view {
        Rules storage rules = _rules[market];
        _require(block.timestamp <= rules.publishedAt + HEARTBEAT, "stale price");
        uint256 divisor = rules.divisor;
        uint256 mark = rules.mark;
        holdings.value += _floorDiv(size * int256(mark), int256(divisor));
        if (owed != 0) holdings.value += _floorDiv(owed, int256(UNIT * divisor));
        uint256 notional = _ceilDiv(_abs(size) * mark, divisor);
        Schedule memory schedule = _loadSchedule(market, _sides[market][0].size);
        holdings.maintenance += _ask(schedule.starts, schedule.maintenance, notional);
        holdings.initial += _ask(schedule.starts, schedule.initial, notional);
    }

    function _loadSchedule(uint256 market, uint256 openInterest)
        private
        view
        returns (Schedule memory schedule)
    {
        Rules storage rules = _rules[market];
        uint256 share = _computeShare(rules, openInterest);
        uint256 initial = 0;
        uint256 maintenance = 0;
        for (uint256 i = 0; i < TIERS; ++i) {
            Tier memory tier = _tiers[market][i];
            uint256 raised = _raise(tier.initialPpm, share);
            if (i == 0 && raised < rules.floorPpm) raised = rules.floorPpm;
            schedule.starts[i] = i != 0 && tier.start == 0 ? type(uint128).max : tier.start;
            schedule.initial[i] = raised > initial ? raised - initial : 0;
            schedule.maintenance[i] =
                tier.maintenancePpm > maintenance ? tier.maintenancePpm - maintenance : 0;
            if (raised > initial) initial = raised;
            if (tier.maintenancePpm > maintenance) maintenance = tier.maintenancePpm;
        }
    }

    function _computeShare(Rules storage rules, uint256 openInterest) private view returns (uint256) {
        uint256 upper = rules.openInterestUpper;
        if (upper == 0) return 0;
        uint256 lower = rules.openInterestLower;
        uint256 held = _ceilDiv(openInterest * rules.mark, rules.divisor);
        if (held <= lower) return 0;
        uint256 span = upper - lower;
        uint256 above = held - lower < span ? held - lower : span;
        return _ceilDiv(above * PPM, span);
    }

    function _margin(
        Fill memory fill,
        Holdings memory holdings,
        Schedule memory schedule,
        int256 collateral,
        int256 size
    ) private pure returns (Margin memory margin) {
        uint256 notional = _ceilDiv(_abs(size) * fill.mark, fill.divisor);
        margin.value = collateral + holdings.value + _floorDiv(size * int256(fill.mark), int256(fill.divisor));
        margin.maintenance = holdings.maintenance + _ask(schedule.starts, schedule.maintenance, notional);
        margin.initial = holdings.initial + _ask(schedule.starts, schedule.initial, notional);
    }

    function _changePosition(uint256 account, Holdings memory holdings, uint256 market, int256 size) private {
        Side[2] storage sides = _sides[market];
        if (holdings.size != 0) sides[holdings.size < 0 ? 1 : 0].size -= uint96(_abs(holdings.size));
        if (size == 0) {
            delete _positions[account][holdings.slot];
        } else {
            Side storage side = sides[size < 0 ? 1 : 0];
            side.size += uint96(_abs(size));
            _positions[account][holdings.slot] = Position(uint16(market + 1), int80(size), side.index);
        }
    }

    function _computeFee(Fill memory fill, int256 feePpm, int256 mostRebate) private pure returns (int256) {
        if (feePpm >= 0) return int256(_ceilDiv(fill.cost * uint256(feePpm), PPM));
        int256 rebate = int256(fill.proceeds * uint256(-feePpm) / PPM);
        return -(rebate < mostRebate ? rebate : mostRebate);
    }

    function _capFee(Margin memory before, Margin memory later, int256 fee) private pure returns (int256) {
        int256 divisor = before.maintenance == 0 ? int256(1) : int256(before.maintenance);
        int256 kept = -_floorDiv(-(before.value * int256(later.maintenance)), divisor);
        int256 most = later.value - kept;
        if (most < 0) return 0;
        return most < fee ? most : fee;
    }

    function _isAllowed(Margin memory before, Margin memory later, bool isReduced)
        private
        pure
        returns (bool)
    {
        if (later.value >= int256(later.initial)) return true;
        if (!isReduced) return false;
        return later.value * int256(before.maintenance) >= before.value * int256(later.maintenance);
    }

    function _isReduced(int256 before, int256 later) private pure returns (bool) {
        return (0 <= later && later < before) || (before < later && later <= 0);
    }

    function _ask(uint256[4] memory starts, uint256[4] memory rises, uint256 notional)
        private
        pure
        returns (uint256)
    {
        uint256 sum = notional * rises[0];
        for (uint256 i = 1; i < TIERS; ++i) {
            if (notional > starts[i]) sum += (notional - starts[i]) * rises[i];
        }
        return _ceilDiv(sum, PPM);
    }

    function _raise(uint256 fraction, uint256 share) private pure returns (uint256) {
        if (share == 0) return fraction;
        uint256 raised = fraction + _ceilDiv((PPM - fraction) * share, PPM);
        return raised < PPM ? raised : PPM;
    }

    function _ceilDiv(uint256 dividend, uint256 divisor) private pure returns (uint256) {
        return (dividend + divisor - 1) / divisor;
    }

    function _floorDiv(int256 dividend, int256 divisor) private pure returns (int256) {
        if (dividend >= 0) return dividend / divisor;
        return -((-dividend + divisor - 1) / divisor);
    }

    function _abs(int256 value) private pure returns (uint256) {
        return uint256(value < 0 ? -value : value);
    }

    function _toInt64(int256 value) private pure returns (int64) {
        _require(type(int64).min < value && value <= type(int64).max, "collateral bound");
        return int64(value);
    }

    function _require(bool condition, string memory why) private pure {
        if (!condition) revert Refused(why);
    }
}
