"""DEPOSIT: money that the Vault holds already becomes collateral. A deposit has no way to be rejected."""

from optimist.provable import handler, input_length, input_uint, load, note, require, store
from optimist.stf.codes import Code
from optimist.stf.constants import ACCOUNT_LIMIT, MAX_COLLATERAL, REASON_DEPOSIT_REFUSED
from optimist.stf.group import enter_group
from optimist.stf.inputs import DEPOSIT_ACCOUNT_AT, DEPOSIT_AMOUNT_AT, DEPOSIT_LENGTH, DEPOSIT_OWNER_AT
from optimist.stf.notes import Deposited
from optimist.stf.records import Account, System
from optimist.stf.withdrawal import write_withdrawal


@handler
def apply_deposit(system: System) -> None:
    """Credit `amount` to the account; the first deposit sets its owner.

    What cannot be credited (an account number beyond the last, another owner, collateral at its bound)
    becomes a withdrawal record to the owner that the deposit names, so that no money is ever stuck between L1
    and the law. The Vault lets none of these happen. Only a wrong length is rejected: such bytes are no
    deposit of the Vault.
    """
    require(input_length() == DEPOSIT_LENGTH, Code.MALFORMED)
    account_id = input_uint(DEPOSIT_ACCOUNT_AT, 5)
    owner = input_uint(DEPOSIT_OWNER_AT, 20)
    amount = input_uint(DEPOSIT_AMOUNT_AT, 8)
    if account_id < ACCOUNT_LIMIT:
        account = load(Account, account_id)
        total = account.collateral + amount
        if (account.owner == 0 or account.owner == owner) and total <= MAX_COLLATERAL:
            account.owner = owner
            account.collateral = total
            store(account_id, account)
            note(Deposited(account=account_id, owner=owner, amount=amount))
            enter_group(account_id, amount)
            return
    write_withdrawal(system, owner, amount, account_id, REASON_DEPOSIT_REFUSED)
