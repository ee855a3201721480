// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title The tree of state assertions: bonds, rivals, confirmation.
/// @notice A node asserts the state after a range of batches; claims of bonded stakers stand on it. The children of a
/// node are rivals and share a round, keyed by the parent's id. docs/PROTOCOL.md section 5.
/// @dev Rule PB, "pairwise from birth": a claim's clock against a rival runs from the birth of the rival's node, and a
/// node can be confirmed CHALLENGE_PERIOD after its own birth. Change nothing here without re-running a model of it.
interface IRollup {
    enum Status {
        NONE,
        LIVE,
        DEAD
    }

    /// @notice How far an assertion has come. PENDING: its own round is undecided, or decided for another one.
    /// CONFIRMED: it has won its round. DECIDED: and one of its children has won the round below it.
    enum Phase {
        PENDING,
        CONFIRMED,
        DECIDED
    }

    /// @notice What is stored of an assertion and of the round below it; `Node` and `Round` are how one reads it.
    /// @dev Its end is not stored: the id commits to it. The second slot is all that most moves look up.
    struct Assertion {
        bytes32 parent;
        uint64 batch;
        uint40 createdAt;
        uint40 born;
        uint32 live;
        uint64 to;
        bool full;
        Phase phase;
        uint32 liveEnds;
        uint40 rivalAt;
        uint40 until;
        uint40 decidedAt;
        bytes32 xorLive;
        bytes32 incumbent;
    }

    /// @notice What is stored of a claim; `Claim` is how one reads it.
    /// @param hasPot whether what is left of its owner's bond is its pot: its death has split that bond
    struct Stand {
        address owner;
        uint40 revealedAt;
        Status status;
        bool hasPot;
        address operator;
        uint96 credit;
        bytes32 node;
        bytes32 top;
    }

    /// @notice An assertion. id = K(ASSERTION | parent | end).
    /// @param parent node that it continues; 0 for genesis
    /// @param batch last batch of its range
    /// @param createdAt time of its first claim
    /// @param born when its number of live claims last rose from 0
    /// @param live number of claims on it that are not dead
    struct Node {
        bytes32 parent;
        uint64 batch;
        uint40 createdAt;
        uint40 born;
        uint32 live;
    }

    /// @notice The question which state follows a node; its answers are the node's children.
    /// @param to last batch of the range that the answers are about
    /// @param full whether more batches existed than fitted when the range was fixed
    /// @param liveEnds number of children with live claims
    /// @param rivalAt when the round last went from one live end to two
    /// @param until when it closes for ends other than the incumbent
    /// @param decidedAt when an end last died, with the last of its live claims; 0 if none has
    /// @param xorLive xor of the ids of all live ends: the sole one when liveEnds is 1
    /// @param incumbent the end that was alone when its first rival came
    /// @param confirmed the child that won; 0 while undecided
    struct Round {
        uint64 to;
        bool full;
        uint32 liveEnds;
        uint40 rivalAt;
        uint40 until;
        uint40 decidedAt;
        bytes32 xorLive;
        bytes32 incumbent;
        bytes32 confirmed;
    }

    /// @notice One staker's stand on a node. id = K(CLAIM | node | owner).
    /// @param revealedAt time of its reveal; 0 before
    /// @param credit wei to be paid to the owner once the node is confirmed
    /// @param pot wei left for refunds, where its death has split its owner's bond
    /// @param top history commitment, once revealed
    struct Claim {
        address owner;
        uint40 revealedAt;
        Status status;
        address operator;
        uint96 credit;
        uint128 pot;
        bytes32 node;
        bytes32 top;
    }

    /// @notice One address and its one bond.
    /// @param bond wei; in storage, of a staker who is out: what is left of the pot
    /// @param out whether the bond was lost; for ever
    struct Staker {
        uint96 bond;
        bool out;
        bytes32 lastClaim;
    }

    /// @notice What a match between two claims begins with.
    /// @param round the round of both
    /// @param topA history commitment of a
    /// @param topB history commitment of b
    /// @param clockA seconds that a has for its moves
    /// @param clockB seconds that b has
    struct Terms {
        bytes32 round;
        bytes32 topA;
        bytes32 topB;
        uint40 clockA;
        uint40 clockB;
    }

    /// @notice Constructor arguments; docs/PROTOCOL.md section 7.
    struct Parameters {
        address inbox;
        address dispute;
        uint8 k;
        uint8 h1;
        uint8 h2;
        uint40 challengePeriod;
        uint40 grace;
        uint40 minPeriod;
        uint96 bond;
    }

    event Staked(address indexed staker, uint96 bond);
    event BondWithdrawn(address indexed staker, uint96 bond);
    event OperatorSet(bytes32 indexed claim, address indexed operator);

    /// @notice A new assertion about the batches from + 1 to `to`; `acc` is the Inbox's accumulator after `to`.
    /// @param nextTo last batch of the range of its own round
    /// @param nextFull whether that range is full
    event NodeCreated(
        bytes32 indexed node,
        bytes32 indexed parent,
        bytes32 end,
        bytes32 endRoot,
        uint64 from,
        uint64 to,
        bytes32 acc,
        uint64 nextTo,
        bool nextFull
    );

    /// @notice A staker stands on a node.
    /// @param time block time
    /// @param born birth of the node: `time` when it had no live claim
    event Claimed(
        bytes32 indexed claim, bytes32 indexed node, address indexed owner, uint40 time, uint40 born
    );

    /// @notice A round that had one live end has a second one since `rivalAt`.
    event RivalAppeared(bytes32 indexed round, bytes32 incumbent, uint40 rivalAt, uint40 until);

    /// @notice A claim has opened its history: `list` hashes to `top`.
    event Revealed(bytes32 indexed claim, bytes32 top, uint40 time, bytes32[] list);

    /// @notice A claim is dead.
    /// @param winner the claim that gets the bounty; 0: none
    /// @param pot wei of its owner's bond kept for refunds; 0 when the bond was lost before
    /// @param bounty wei of it credited to the winner
    event Eliminated(
        bytes32 indexed claim,
        bytes32 indexed node,
        bytes32 indexed winner,
        uint40 time,
        uint128 pot,
        uint96 bounty
    );

    /// @notice A claim whose owner was out already no longer counts.
    event Pruned(bytes32 indexed claim, bytes32 indexed node, uint40 time);
    event Confirmed(bytes32 indexed node, bytes32 indexed parent, uint40 time);
    event Refunded(bytes32 indexed claim, bytes32 indexed pot, uint96 amount);
    event CreditPaid(bytes32 indexed claim, address indexed owner, uint96 amount);

    error NotDispute(address caller, address dispute);
    error StakerOut(address staker);
    error StakerNotOut(address staker);
    error AlreadyStaked(address staker);
    error NotStaked(address staker);
    error WrongBond(uint256 given, uint256 expected);
    /// @notice The bond still backs a claim whose own node is not confirmed.
    error ClaimUndecided(bytes32 claim);
    error TransferFailed(address to, uint256 amount);
    error NotOwner(address caller, address owner);
    error UnknownNode(bytes32 node);
    /// @notice The round is decided, or its parent was rejected.
    error RoundClosed(bytes32 round);
    error UnexpectedRange(uint64 given, uint64 expected);
    error RangeNotSealed(uint64 to, uint64 batchCount);
    /// @notice The caller has executed another history than the Inbox holds.
    error WrongHistory(bytes32 given, bytes32 expected);
    /// @notice The bond stands on another undecided branch.
    error WrongBranch(bytes32 parent, bytes32 lastClaim);
    error ClaimExists(bytes32 claim);
    error TooEarly(uint256 time, uint256 earliest);
    error JoinClosed(uint256 time, uint256 closed);
    error ClaimNotLive(bytes32 claim);
    error AlreadyRevealed(bytes32 claim);
    error NotRevealed(bytes32 claim);
    /// @notice The claims stand on one node, or on nodes of different rounds.
    error NotRivals(bytes32 a, bytes32 b);
    error ParentUnconfirmed(bytes32 parent);
    error NotSoleEnd(uint256 liveClaims, uint256 liveEnds);
    error NotConfirmed(bytes32 node);
    error NoCredit(bytes32 claim);
    error EmptyPot(bytes32 claim);

    function INBOX() external view returns (address);
    function DISPUTE() external view returns (address);
    function K() external view returns (uint8);
    function H1() external view returns (uint8);
    function H2() external view returns (uint8);
    function MAX_INPUTS() external view returns (uint64);
    function CHALLENGE_PERIOD() external view returns (uint40);
    function GRACE() external view returns (uint40);
    function MIN_PERIOD() external view returns (uint40);
    function BOND() external view returns (uint96);
    function GENESIS() external view returns (bytes32);

    /// @notice Lay down one bond. Anyone who is not out and has none.
    function stake() external payable;

    /// @notice Take the bond back. The staker, when its last claim's own node is confirmed or it never claimed.
    function withdraw() external;

    /// @notice Name a second key that may reveal and commit for a claim. The claim's owner.
    function setOperator(bytes32 claim, address operator) external;

    /// @notice Claim that the state root after the parent's range is `endRoot`. A staker.
    /// @dev The bond must stand on the parent itself, or on nothing that is still undecided. Open to all while the
    /// round is empty; the sole live end can always be joined; a rival to it only CHALLENGE_PERIOD from its birth.
    /// @param to the batch up to which the caller has executed; must be the round's
    /// @param acc the Inbox's accumulator after that batch, as the caller knows it
    /// @return claim id of the new claim
    function assertState(bytes32 parent, bytes32 endRoot, uint64 to, bytes32 acc)
        external
        returns (bytes32 claim);

    /// @notice Open the history of a live claim: its top list, which must end in the node's end. Owner or operator.
    /// @dev No deadline and no rival needed: to reveal late costs that much of the clock in every match.
    function reveal(bytes32 claim, bytes32[] calldata list) external;

    /// @notice Eliminate a live claim that has not revealed CHALLENGE_PERIOD after a live rival's birth. Anyone.
    function timeoutReveal(bytes32 claim, bytes32 rival) external;

    /// @notice Take a claim off the count of its node because its owner is out. Anyone.
    function prune(bytes32 claim) external;

    /// @notice Decide a round for its sole live end, CHALLENGE_PERIOD after its birth and GRACE after another end's death.
    /// Anyone.
    function confirm(bytes32 node) external;

    /// @notice Pay a claim's credit to its owner. Anyone, once its node is confirmed, unless the owner is out.
    function claimCredit(bytes32 claim) external;

    /// @notice Eliminate a claim and split its owner's bond: 40 % pot, 10 % to the winner, the rest is burnt. Dispute.
    /// @param winner claim that gets the bounty; 0: nobody, it is burnt too
    function eliminate(bytes32 claim, bytes32 winner) external;

    /// @notice Credit a claim from the pot of a rival's owner. Dispute.
    /// @param pot the rival; its owner may have lost the bond for another claim, which is where getClaim shows the pot
    /// @return paid at most `amount`, at most what is left
    function refund(bytes32 claim, bytes32 pot, uint256 amount) external returns (uint96 paid);

    /// @notice Reverts unless both claims are live. `round` must be the round of both: it is not looked up again.
    function requireLive(bytes32 round, bytes32 a, bytes32 b) external view;

    /// @notice What a match between two live, revealed rivals begins with; reverts for any others.
    function matchTerms(bytes32 a, bytes32 b) external view returns (Terms memory);

    /// @notice Inputs in the range that a round is about.
    function inputCount(bytes32 round) external view returns (uint64);

    /// @notice The round that a claim is in: its node's parent.
    function roundOf(bytes32 claim) external view returns (bytes32);

    /// @notice Whether `caller` may move for the claim, as its owner or operator.
    function mayMove(bytes32 claim, address caller) external view returns (bool);

    function isConfirmed(bytes32 node) external view returns (bool);

    /// @notice Whether the round of a node can still be played: undecided, and the node not rejected itself.
    function isOpen(bytes32 node) external view returns (bool);

    /// @notice Whether a claim counts: not dead, its owner not out, its round open.
    function isLive(bytes32 claim) external view returns (bool);

    function getNode(bytes32 node) external view returns (Node memory);
    function getRound(bytes32 node) external view returns (Round memory);
    function getClaim(bytes32 claim) external view returns (Claim memory);
    function getStaker(address staker) external view returns (Staker memory);
}
