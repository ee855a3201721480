"""Sends the transactions of one key, each until it is done. One sender a key: it alone hands out nonces.

Every transaction has a purpose, a name such as `batch:17` that the caller would give it again after a crash:

    write (nonce, purpose, hash) to the outbox  ->  send  ->  watch  ->  receipt

    not known to the node any more (dropped, reorg)      send the same bytes again
    not mined within the resubmission timeout            replace it: same nonce, 10 % more, up to the cap,
                                                         by way of the next endpoint
    its nonce was used by something else, or is far off  an alarm, and begin again with another nonce
    a lower nonce is missing, or waits for nobody        fill the gap with a transfer of nothing to ourselves
    the pool holds no more of this key for now           hand in the same bytes at every look until it does

So a crash at any point sends nothing twice: asked for the same purpose again, the sender finds the old
receipt, or takes over the old nonce. What was mined and then lost in a reorg is sent again in the same way.

    SendError (L1Error)
    ├── TransactionTooLarge     more gas or bytes than Ethereum takes in one transaction: split it
    └── SendRefused             no node will ever take it as it is
    Reverted                    the contract refused before sending: it has cost nothing; nothing is pending
    └── RevertedInBlock         the contract refused in a block: the gas is paid
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from optimist.l1.client import L1Client, require_header
from optimist.l1.codec import decode_revert
from optimist.l1.errors import L1Error, L1Inconsistent, L1Unavailable, Reverted, RpcError
from optimist.l1.fees import FeePolicy, Fees, compute_bump, compute_fees
from optimist.l1.outbox import KEPT_NONCES, Attempt, Outbox
from optimist.l1.refusals import Refusal, read_refusal
from optimist.l1.signer import SigningKey
from optimist.l1.transactions import Transaction
from optimist.l1.types import Header, Receipt

log = structlog.get_logger(__name__)

MAX_TRANSACTION_GAS: Final = (1 << 24) - 1  # EIP-7825
MAX_TRANSACTION_BYTES: Final = 128 * 1024  # what nodes take into their pools
GAS_HEADROOM_PERCENT: Final = 20  # state may change between the estimate and the block
TRANSFER_GAS: Final = 21_000
LOST_NONCE_LOOKS: Final = 3  # a lagging node may show the nonce before the receipt
FAR_NONCES: Final = 512  # behind the next one on L1, at least: only an endpoint that lied can lead us further


class SendError(L1Error):
    """A transaction cannot be sent as it is."""


class TransactionTooLarge(SendError):
    """More gas or more bytes than one transaction may have."""


class SendRefused(SendError):
    """The node refused for a reason that waiting does not mend."""


class RevertedInBlock(Reverted):
    """The contract refused in a block: what the transaction did is undone, its gas is paid."""

    def __init__(self, reason: Reverted, receipt: Receipt, at: int) -> None:
        """reason: what the contract said. at: timestamp of the block; 0 when L1 does not say."""
        super().__init__(reason.name, reason.arguments, reason.data)
        self.receipt = receipt
        self.at = at


@dataclass(frozen=True, slots=True)
class Call:
    """What to send, and why. `gas` 0: estimate it (which fails when it would revert on the latest block)."""

    purpose: str
    to: bytes
    data: bytes = b""
    value: int = 0
    gas: int = 0


@dataclass(frozen=True, slots=True)
class SendPolicy:
    """How patient to be. Times in seconds."""

    fees: FeePolicy
    confirmations: int = 1
    resubmission_timeout: float = 48.0
    poll: float = 2.0
    max_pending: int = 10


@dataclass(slots=True)
class _Job:
    """A call on its way. `attempt` is the last one."""

    call: Call
    gas: int
    attempt: Attempt
    raw: bytes
    sent_at: float = 0.0
    is_kept_out: bool = False  # the pool was full when we handed it in last
    nonce_lost: int = 0  # looks at which the nonce was used, but none of our attempts mined
    hashes: list[bytes] = field(default_factory=list)


class Sender:
    """The only sender of one key."""

    def __init__(
        self,
        client: L1Client,
        signer: SigningKey,
        outbox: Outbox,
        policy: SendPolicy,
        *,
        chain_id: int,
        checkpoint: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Loads the outbox; nothing is sent before `send` is asked for it.

        checkpoint: told "before-send" (written down, not sent), "after-send" and "after-inclusion" (in a
        block that is not deep enough yet); tests kill us there.
        """
        self.address = signer.address
        self.spent = 0  # wei for gas, since this sender was made
        self.foreign_nonces = 0  # of ours that something else used
        self._client = client
        self._signer = signer
        self._outbox = outbox
        self._policy = policy
        self._chain_id = chain_id
        self._checkpoint = checkpoint
        self._attempts: dict[str, list[Attempt]] = {}
        for attempt in outbox.load():
            self._attempts.setdefault(attempt.purpose, []).append(attempt)
        self._running: dict[str, asyncio.Task[Receipt]] = {}
        self._held: dict[int, str] = {}  # nonce -> purpose that works on it now
        self._failed: set[bytes] = set()  # attempts that were mined and reverted
        self._stuck_nonce, self._stuck_since = -1, 0.0  # the next one on L1, while it holds up the others
        self._far = max(FAR_NONCES, 2 * policy.max_pending)
        self._distrusted_at = float("-inf")  # when we turned to another endpoint last
        self._assigning = asyncio.Lock()
        self._slots = asyncio.Semaphore(policy.max_pending)

    async def send(self, call: Call) -> Receipt:
        """Receipt of the call, once it succeeded and is deep enough. Waits as long as it takes.

        Asked twice for one purpose, both get the same receipt. A cancelled waiter does not stop the sending
        (`close` does, and even then it may still be mined). Raises Reverted, SendError or L1Error.
        """
        task = self._running.get(call.purpose)
        if task is None:
            task = asyncio.create_task(self._send(call), name=f"send {call.purpose}")
            self._running[call.purpose] = task
            task.add_done_callback(lambda done: self._forget(call.purpose, done))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Stop watching. What is in the outbox can be taken up by the next sender of this key."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def pending(self) -> int:
        """Transactions on their way."""
        return len(self._held)

    def _forget(self, purpose: str, done: asyncio.Task[Receipt]) -> None:
        del self._running[purpose]
        if not done.cancelled():
            done.exception()  # its waiters may all be gone: then nobody else would look at it

    # -------------------------------------------------------------------------------------------- one call

    async def _send(self, call: Call) -> Receipt:
        while True:
            done = await self._find_receipt(call)
            if done is None:
                break
            deep = await self._await_depth(call, done)
            if deep is not None:
                return deep
        async with self._slots:
            try:
                gas = call.gas or await self._estimate(call)
            except Reverted:
                done = await self._find_receipt(call)  # an attempt of before may have been mined just now
                if done is None:
                    raise
                return await self._send(call)
            while True:
                job = await self._begin(call, gas)
                try:
                    receipt = await self._watch(job)
                finally:
                    self._release(call.purpose)
                if receipt is not None:
                    return await self._finish(call, receipt)

    async def _find_receipt(self, call: Call) -> Receipt | None:
        """The receipt of an earlier attempt that succeeded; remembers those that failed."""
        known = self._attempts.get(call.purpose, [])
        receipts = await self._client.get_receipts([attempt.hash for attempt in known]) if known else []
        self._failed |= {receipt.transaction for receipt in receipts if receipt and not receipt.succeeded}
        return next((receipt for receipt in receipts if receipt is not None and receipt.succeeded), None)

    async def _await_depth(self, call: Call, receipt: Receipt) -> Receipt | None:
        """The receipt, once it is deep enough; None when a reorg takes it away meanwhile."""
        while True:
            (now,) = await self._client.get_receipts([receipt.transaction])
            if now is None:
                log.warning("transaction_lost_in_reorg", purpose=call.purpose, hash=receipt.transaction)
                return None
            if await self._is_deep(now):
                return now
            await asyncio.sleep(self._policy.poll)

    async def _is_deep(self, receipt: Receipt) -> bool:
        head, own = await self._client.get_headers(["latest", receipt.block.number])
        if own is None or own.hash != receipt.block.hash:
            return False
        return require_header(head, "latest").number - own.number + 1 >= self._policy.confirmations

    async def _finish(self, call: Call, receipt: Receipt) -> Receipt:
        self.spent += receipt.gas_used * receipt.gas_price
        if receipt.succeeded:
            log.info("transaction_done", purpose=call.purpose, hash=receipt.transaction, gas=receipt.gas_used)
            return receipt
        reason = Reverted("Unknown", {"transaction": receipt.transaction, "gas_used": receipt.gas_used})
        header = None
        try:
            header = await self._client.get_header(receipt.block.hash)
            if header is not None:
                reason = await self._find_reason(call, header) or reason
        except (L1Unavailable, L1Inconsistent, RpcError) as error:
            log.warning("l1_trouble", purpose=call.purpose, error=str(error))  # the gas is paid all the same
        log.warning(
            "transaction_reverted", purpose=call.purpose, hash=receipt.transaction, reason=str(reason)
        )
        raise RevertedInBlock(reason, receipt, 0 if header is None else header.timestamp)

    async def _find_reason(self, call: Call, header: Header) -> Reverted | None:
        """Why a mined transaction reverted: the call again, before and after its block."""
        for block in (header.parent_hash, header.hash):
            try:
                await self._client.eth_call(
                    call.to, call.data, at=block, sender=self.address, value=call.value
                )
            except RpcError as error:
                if error.data is not None:
                    return decode_revert(error.data)
        return None

    async def _estimate(self, call: Call) -> int:
        gas = await self._try_estimate(call)
        while gas is None:
            log.error("insufficient_funds", purpose=call.purpose, address=self.address)
            self._distrust()
            await asyncio.sleep(self._policy.poll)
            gas = await self._try_estimate(call)
        if gas > MAX_TRANSACTION_GAS:
            raise TransactionTooLarge(
                f"{call.purpose} needs {gas} gas, a transaction has {MAX_TRANSACTION_GAS}"
            )
        return min(gas * (100 + GAS_HEADROOM_PERCENT) // 100, MAX_TRANSACTION_GAS)

    async def _try_estimate(self, call: Call) -> int | None:
        """Gas that the call needs now; None while there is no money for it."""
        try:
            return await self._client.estimate_gas(self.address, call.to, call.data, call.value)
        except RpcError as error:
            if error.data is not None or "revert" in error.message.lower():
                raise decode_revert(error.data) from error
            if read_refusal(error.message) is Refusal.NO_FUNDS:
                return None
            raise SendRefused(f"{call.purpose}: {error}") from error

    # ---------------------------------------------------------------------------------------------- nonces

    async def _begin(self, call: Call, gas: int) -> _Job:
        """Take a nonce, write the attempt down, send it."""
        if gas > MAX_TRANSACTION_GAS:
            raise TransactionTooLarge(
                f"{call.purpose} asks for {gas} gas, a transaction has {MAX_TRANSACTION_GAS}"
            )
        fees = await self._await_fees(call)
        try:
            async with self._assigning:
                used = await self._client.get_nonce(self.address)
                job = await self._take_over(call, used)
                if job is None:
                    nonce = await self._find_free_nonce(used)
                    self._held[nonce] = call.purpose
                    job = await self._sign(call, nonce, gas, fees)
            await self._submit(job)
        except BaseException:
            self._release(call.purpose)
            raise
        return job

    async def _take_over(self, call: Call, used: int) -> _Job | None:
        """Go on with an attempt of before, if its nonce is still to be had: that of a crash or a reorg."""
        for attempt in reversed(self._attempts.get(call.purpose, [])):
            if used <= attempt.nonce <= used + self._far and attempt.nonce not in self._held:
                self._held[attempt.nonce] = call.purpose
                job = await self._make_job(call, attempt.nonce, attempt.gas, attempt.fees)
                if job.attempt.hash != attempt.hash:  # the caller asks for something else under the same name
                    log.warning("transaction_changed", purpose=call.purpose, nonce=attempt.nonce)
                    job = await self._record(job)
                log.info("transaction_taken_over", purpose=call.purpose, nonce=attempt.nonce)
                return job
        return None

    async def _find_free_nonce(self, used: int) -> int:
        """The lowest nonce that nobody works on, and for which nothing of ours waits in the node's pool."""
        waiting = {a.nonce: a for attempts in self._attempts.values() for a in attempts if a.nonce >= used}
        nonce = used
        while nonce in self._held or (nonce in waiting and await self._client.is_known(waiting[nonce].hash)):
            nonce += 1
        return nonce

    def _release(self, purpose: str) -> None:
        for nonce in [nonce for nonce, holder in self._held.items() if holder == purpose]:
            del self._held[nonce]

    # ------------------------------------------------------------------------------------ signing, sending

    async def _await_fees(self, call: Call) -> Fees:
        """A first offer, once the base fee is below the cap."""
        while True:
            header, tip = await self._get_market()
            fees = compute_fees(header.base_fee, tip, self._policy.fees)
            if fees is not None:
                return fees
            log.warning("base_fee_above_cap", purpose=call.purpose, base_fee=header.base_fee)
            self._distrust()
            await asyncio.sleep(self._policy.poll)

    async def _get_market(self) -> tuple[Header, int]:
        header = require_header(await self._client.get_header("latest"), "latest")
        return header, await self._client.get_tip()

    async def _make_job(self, call: Call, nonce: int, gas: int, fees: Fees) -> _Job:
        transaction = Transaction(
            chain_id=self._chain_id,
            nonce=nonce,
            to=call.to,
            value=call.value,
            data=call.data,
            gas=gas,
            max_fee=fees.max_fee,
            tip=fees.tip,
        )
        raw, hash_ = await transaction.sign(self._signer)
        if len(raw) > MAX_TRANSACTION_BYTES:
            raise TransactionTooLarge(
                f"{call.purpose} has {len(raw)} bytes, nodes take {MAX_TRANSACTION_BYTES}"
            )
        earlier = [a.hash for a in self._attempts.get(call.purpose, []) if a.hash not in self._failed]
        attempt = Attempt(nonce, call.purpose, hash_, gas, fees)
        return _Job(call, gas, attempt, raw, hashes=[*earlier, hash_])

    async def _sign(self, call: Call, nonce: int, gas: int, fees: Fees) -> _Job:
        return await self._record(await self._make_job(call, nonce, gas, fees))

    async def _record(self, job: _Job) -> _Job:
        """Write the attempt down BEFORE it is sent: what is not in the outbox was never sent."""
        await self._outbox.record(job.attempt)
        self._attempts.setdefault(job.call.purpose, []).append(job.attempt)
        if job.attempt.nonce % KEPT_NONCES == 0:
            self._forget_old(job.attempt.nonce - KEPT_NONCES)
        return job

    def _forget_old(self, until: int) -> None:
        """See `l1.outbox.keep_recent`, which does the same to the file."""
        self._attempts = {
            purpose: attempts for purpose, attempts in self._attempts.items() if attempts[-1].nonce > until
        }

    async def _submit(self, job: _Job) -> None:
        """Hand the job's bytes to the node. Raises SendRefused where waiting does not help."""
        job.sent_at = time.monotonic()
        attempt = job.attempt
        details = {"purpose": attempt.purpose, "nonce": attempt.nonce, "hash": attempt.hash}
        self._checkpoint("before-send")
        was_kept_out, job.is_kept_out = job.is_kept_out, False
        try:
            await self._client.send_raw(job.raw)
        except L1Unavailable as error:
            log.warning("l1_trouble", error=str(error), **details)  # it may have arrived: the watch finds out
            return
        except RpcError as error:
            self._note_refusal(job, error, was_kept_out=was_kept_out)
            return
        self._checkpoint("after-send")
        log.info("transaction_sent", max_fee=attempt.fees.max_fee, tip=attempt.fees.tip, **details)

    def _note_refusal(self, job: _Job, error: RpcError, *, was_kept_out: bool) -> None:
        """What the watch has to know of a refusal. Raises SendRefused where waiting does not help."""
        attempt = job.attempt
        details = {"purpose": attempt.purpose, "nonce": attempt.nonce, "reason": error.message}
        match read_refusal(error.message):
            case Refusal.KNOWN | Refusal.NONCE_USED:
                pass  # the watch finds it, or what took its nonce
            case Refusal.UNDERPRICED:
                log.info("transaction_underpriced", **details)
                job.sent_at = float("-inf")  # replace it at the next look
            case Refusal.NO_PLACE:
                job.is_kept_out = True
                if not was_kept_out:
                    log.info("pool_is_full", **details)
            case Refusal.NO_FUNDS:
                log.error("insufficient_funds", address=self.address, **details)
            case Refusal.FOR_GOOD:
                raise SendRefused(f"{attempt.purpose}: {error}") from error

    # -------------------------------------------------------------------------------------------- watching

    async def _watch(self, job: _Job) -> Receipt | None:
        """The receipt, deep enough; None when the nonce is lost to something else."""
        while True:
            try:
                receipt = await self._look(job)
            except (L1Unavailable, L1Inconsistent, RpcError) as error:
                log.warning("l1_trouble", purpose=job.call.purpose, error=str(error))
                receipt = None
            if receipt is not None:
                return receipt
            if job.nonce_lost >= LOST_NONCE_LOOKS:
                self.foreign_nonces += 1
                log.error(
                    "foreign_nonce",
                    purpose=job.call.purpose,
                    nonce=job.attempt.nonce,
                    address=self.address,
                    meaning="somebody else sends with this key, which must have one sender; or L1 lied",
                )
                self._distrust()
                return None
            await asyncio.sleep(self._policy.poll)

    async def _look(self, job: _Job) -> Receipt | None:
        # With a hundred transactions on their way, what is asked about each at every look counts.
        receipts, used, is_known = await self._client.get_standing(job.hashes, self.address)
        for receipt in receipts:
            if receipt is not None:
                if await self._is_deep(receipt):
                    return receipt
                self._checkpoint("after-inclusion")
                return None
        if not used <= job.attempt.nonce <= used + self._far:
            job.nonce_lost += 1
            return None
        job.nonce_lost = 0
        if used < job.attempt.nonce:
            await self._fill_gaps(used, job.attempt.nonce)
        if time.monotonic() - job.sent_at >= self._policy.resubmission_timeout:
            self._distrust()
            await self._bump(job)
        elif not is_known:
            if not job.is_kept_out:
                log.warning("transaction_dropped", purpose=job.call.purpose, nonce=job.attempt.nonce)
            sent_at = job.sent_at
            await self._submit(job)
            job.sent_at = min(sent_at, job.sent_at)  # the timeout goes on
        return None

    def _distrust(self) -> None:
        """Ask another endpoint: what this one says keeps us from sending, or what it took is not mined.

        Once in a resubmission timeout, however many wait: two turns of two endpoints would be none.
        """
        now = time.monotonic()
        if now - self._distrusted_at >= self._policy.resubmission_timeout:
            self._distrusted_at = now
            self._client.turn_to_next()

    async def _bump(self, job: _Job) -> None:
        """Replace the waiting transaction by a better offer."""
        header, tip = await self._get_market()
        fees = compute_bump(job.attempt.fees, header.base_fee, tip, self._policy.fees)
        if fees is None:
            log.warning("fee_cap_reached", purpose=job.call.purpose, max_fee=job.attempt.fees.max_fee)
            await self._submit(job)
            job.sent_at = time.monotonic()
            return
        better = await self._sign(job.call, job.attempt.nonce, job.gas, fees)
        job.attempt, job.raw = better.attempt, better.raw
        job.hashes.append(better.attempt.hash)
        await self._submit(job)

    async def _fill_gaps(self, used: int, below: int) -> None:
        """Use up nonces that were given to a purpose which nobody pursues any more: they would block us."""
        async with self._assigning:
            nonce, stuck = await self._find_free_nonce(used), None
            if nonce >= below:
                nonce, stuck = used, self._find_stuck(used)
                if stuck is None:
                    return
            purpose = f"fill:{nonce}"
            self._held[nonce] = purpose
            try:
                header, tip = await self._get_market()
                if stuck is None:
                    fees = compute_fees(header.base_fee, tip, self._policy.fees)
                else:
                    fees = compute_bump(stuck.fees, header.base_fee, tip, self._policy.fees)
                if fees is None:
                    return
                log.warning("nonce_gap_filled", nonce=nonce, instead_of=stuck.purpose if stuck else "")
                call = Call(purpose, self.address)
                await self._submit(await self._sign(call, nonce, TRANSFER_GAS, fees))
            finally:
                self._release(purpose)

    def _find_stuck(self, nonce: int) -> Attempt | None:
        """The best offer in the pool for a nonce that nobody pursues, when it has not been enough for long.

        It is of a process before this one, which had begun something that is not wanted any more.
        """
        now = time.monotonic()
        if nonce in self._held or nonce != self._stuck_nonce:
            self._stuck_nonce, self._stuck_since = nonce, now
        if now - self._stuck_since < self._policy.resubmission_timeout:
            return None
        self._stuck_since = now
        offers = [a for attempts in self._attempts.values() for a in attempts if a.nonce == nonce]
        return max(offers, key=lambda attempt: attempt.fees.max_fee, default=None)
