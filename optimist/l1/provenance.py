"""That our creation code made the contracts: what nobody can see in the code that it left.

Creation code may store anything before it leaves our code on L1: a root that is confirmed already, an account
that was paid. A mapping does not tell what it holds. But an account's address and nonce make a contract's
address, and each nonce is used once: so the one transaction with this sender and nonce created it, and its
data are our creation code and the constructor's arguments.
"""

from optimist.l1.client import L1Client
from optimist.l1.creation import compute_create_address, load_code
from optimist.l1.deployment import ADVICE, Deployment, DeploymentMismatch, DeploymentUnseen
from optimist.l1.types import SentTransaction, to_hex


async def check_provenance(client: L1Client, deployment: Deployment) -> None:
    """Look at the transactions that created the contracts.

    Raises DeploymentMismatch, DeploymentUnseen when some are unknown and no other is wrong, or L1Error.
    What they say is true for ever: to be asked when a node begins from nothing, for an endpoint need not
    know transactions of years ago. `check_deployment` is for every start.
    """
    names = list(deployment.transactions)
    found = await client.get_transactions([deployment.transactions[name] for name in names])
    differences = [
        f"{name}: {complaint}"
        for name, sent in zip(names, found, strict=True)
        if (complaint := find_fault(deployment, name, sent))
    ]
    if differences:
        is_unseen = len(differences) == found.count(None)
        raise (DeploymentUnseen if is_unseen else DeploymentMismatch)(differences)


def find_fault(deployment: Deployment, name: str, sent: SentTransaction | None) -> str:
    """What is wrong with the transaction that is said to have created a contract; empty when nothing is."""
    address, hash_ = to_hex(deployment.addresses[name]), to_hex(deployment.transactions[name])
    if sent is None:
        return (
            f"this endpoint does not know transaction {hash_}, which is said to have created it: "
            "give one that serves old transactions with --l1-rpc"
        )
    if sent.to or compute_create_address(sent.sender, sent.nonce) != deployment.addresses[name]:
        return f"transaction {hash_} did not create the contract at {address}: the file is wrong"
    if not sent.data.startswith(load_code()[name].creation):
        return (
            f"other code than ours created {address}, in transaction {hash_}, and may have stored anything "
            f"there; {ADVICE}"
        )
    return ""
