// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Matches between rival claims: bisection, clocks, proof, refunds.
/// @notice Level 1 finds the first input, level 2 the first machine step on which two histories differ; the machine
/// executes that step. Every move opens lists by their hashes, so there are no Merkle proofs and nobody ever lacks a
/// move: an honest side loses only by its own clock. docs/PROTOCOL.md section 5.
/// @dev Sides: a is the claim with the smaller id. A match stores the hash of its position alone; the words of the
/// position are in the events, and every move carries those that cannot be computed from its lists.
interface IDispute {
    /// @notice Where a match stands.
    /// @dev INPUTS: lists of inputs' leaves. HALF: one side has committed to its trace. STEPS: lists of machine states.
    enum Stage {
        NONE,
        INPUTS,
        HALF,
        STEPS
    }

    /// @notice What is kept of a match.
    /// @param position K(POSITION | all words of Position)
    /// @param start first input of the range, or first step of the trace, that the lists are about
    /// @param height of the lists to be opened next
    /// @param turnB whether b moves next
    /// @param last time of the last move
    /// @param clockA seconds that a has left for its moves
    /// @param movesA moves that a has made and not been refunded for
    struct Match {
        bytes32 position;
        uint40 start;
        uint40 last;
        uint40 clockA;
        uint40 clockB;
        uint8 height;
        Stage stage;
        bool turnB;
        uint8 movesA;
        uint8 movesB;
    }

    /// @notice What both sides stand on.
    /// @param round the round of both claims
    /// @param nodeA hash of a's list over the span in dispute; in stage HALF of its trace, or its claimed leaf
    /// @param nodeB the same of b
    /// @param prev the state before the span, on which both agree: a leaf, a machine's state, or, before the first input
    /// of the range, the round's own node
    /// @param batch stage HALF: batch of the leaves after the disputed input, else 0
    /// @param rest stage HALF: that batch's chain after the disputed input, else 0
    struct Position {
        bytes32 round;
        bytes32 nodeA;
        bytes32 nodeB;
        bytes32 prev;
        uint64 batch;
        bytes32 rest;
    }

    /// @notice The lists of both sides over the span in dispute.
    /// @param a smaller claim id
    /// @param b larger claim id
    /// @param round as in the position
    /// @param prev as in the position
    /// @param listA words that hash to nodeA
    /// @param listB words that hash to nodeB
    struct Fork {
        bytes32 a;
        bytes32 b;
        bytes32 round;
        bytes32 prev;
        bytes32[] listA;
        bytes32[] listB;
    }

    /// @notice What opens the agreed leaf before the disputed input, L(root, batch, rest), and that input.
    /// @param rest chain of the batch's inputs to come, the disputed one first; 0 when the next batch begins
    /// @param inputHash hash of the disputed input
    /// @param nextRest chain after the disputed input
    struct Opening {
        bytes32 root;
        uint64 batch;
        bytes32 rest;
        bytes32 inputHash;
        bytes32 nextRest;
    }

    // From these events and Rollup.Revealed alone follows every match: before a dissection the list of the side that is
    // not on turn has been in one of them.

    event MatchOpened(
        bytes32 indexed id, bytes32 indexed a, bytes32 indexed b, Match state, Position position
    );

    /// @notice A side has narrowed the dispute to the child that begins at `start` and opened its own list `next` of it.
    event Dissected(bytes32 indexed id, uint40 time, uint40 start, bytes32[] next);

    /// @notice A side has committed to its machine trace of the disputed input. After the first commitment the stage is
    /// HALF and `start` the input's number in the range; after the second one level 2 begins.
    event TraceCommitted(bytes32 indexed id, Match state, Position position, bytes32[] trace);

    /// @notice The step in dispute was executed; at least one side claimed another result.
    event Proven(bytes32 indexed id, uint40 step, bytes32 pre, bytes32 post, bool lostA, bool lostB);

    /// @notice The position in dispute lies behind the last input, where nothing may change.
    event PaddingProven(bytes32 indexed id, uint40 position, bytes32 prev, bool lostA, bool lostB);
    event TimedOut(bytes32 indexed id, bool lostB);
    event Collected(bytes32 indexed id, bytes32 indexed claim, uint8 moves, uint96 amount);

    /// @notice Claims of a match are named smaller id first.
    error NotOrdered(bytes32 a, bytes32 b);
    error MatchExists(bytes32 id);
    error UnknownMatch(bytes32 id);
    /// @notice The claim named as the first to move is not in the match.
    error NotInMatch(bytes32 claim);
    error WrongStage(Stage stage, uint8 height);
    /// @notice The side on turn has used up its clock.
    error Late(uint256 elapsed, uint256 clock);
    error NotLate(uint256 elapsed, uint256 clock);
    /// @notice The lists, the agreed state or what goes with them are not those of the match.
    error WrongPosition(bytes32 given, bytes32 expected);
    /// @notice The new list is not the mover's own child.
    error WrongList(bytes32 given, bytes32 expected);
    /// @notice Neither owner nor operator of the claim on turn.
    error NotMover(address caller, bytes32 claim);
    /// @notice The first difference lies behind the last input: provePadding decides.
    error Padding(uint256 position, uint256 inputs);
    error NotPadding(uint256 position, uint256 inputs);
    /// @notice The input is not the next one of the canonical chain.
    error WrongInput(bytes32 given, bytes32 expected);
    error NothingToCollect(bytes32 claim);
    /// @notice The Rollup was created for another Dispute.
    error OtherDispute(address named, address self);

    function ROLLUP() external view returns (address);
    function INBOX() external view returns (address);
    function STEP() external view returns (address);
    function K() external view returns (uint8);
    function H1() external view returns (uint8);
    function H2() external view returns (uint8);
    function GAS_PRICE_CAP() external view returns (uint96);

    /// @notice Gas that is refunded for each move.
    function MOVE_GAS() external view returns (uint256);

    /// @notice Begin the match of two live, revealed rivals. Anyone.
    /// @param a smaller claim id
    /// @param b larger claim id
    /// @param first the claim that moves first, a or b
    function openMatch(bytes32 a, bytes32 b, bytes32 first) external returns (bytes32 id);

    /// @notice Narrow the dispute to the first child in which the lists differ. Anyone, for the side on turn.
    /// @param next that side's own list of the child: 2k words, or k when its height is 1
    function dissect(Fork calldata fork, bytes32[] calldata next) external;

    /// @notice Name the disputed input and commit to the mover's trace of it. Owner or operator of the side on turn.
    /// @dev Only the mover's own end is opened: a rival's may have no preimage at all.
    /// @param nextRoot state root in the mover's leaf after the input
    /// @param trace top list of the mover's machine states; its last end is FINAL(nextRoot)
    function commitTrace(
        Fork calldata fork,
        Opening calldata opening,
        bytes32 nextRoot,
        bytes32[] calldata trace
    ) external;

    /// @notice The other side commits to its trace of the same input. Owner or operator of the side on turn.
    /// @param position as of the first commitment; the mover's node in it is L(nextRoot, batch, rest)
    function commitSecondTrace(
        bytes32 a,
        bytes32 b,
        Position calldata position,
        bytes32 nextRoot,
        bytes32[] calldata trace
    ) external;

    /// @notice Eliminate every side that claims a change behind the last input of the range. Anyone.
    function provePadding(Fork calldata fork) external;

    /// @notice Execute the first step in which the traces differ; eliminate every side with another result. Anyone.
    /// @param proof witness of the machine state before the step
    function prove(Fork calldata fork, bytes calldata proof) external;

    /// @notice Eliminate the side on turn, whose clock has run out. Anyone.
    function timeout(bytes32 a, bytes32 b) external;

    /// @notice Refund a side's moves as credit, at the base fee of this block, from the pot of its opponent's owner. Owner
    /// or operator of the side, once.
    /// @param claim the side that is refunded
    /// @param opponent a claim whose owner is out, whoever killed which of its claims
    function collect(bytes32 claim, bytes32 opponent) external returns (uint96 paid);

    function getMatch(bytes32 id) external view returns (Match memory);

    /// @notice Id of the match between two claims, whichever is named first.
    function matchId(bytes32 a, bytes32 b) external pure returns (bytes32);
}
