// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDispute} from "../../src/interfaces/IDispute.sol";
import {IRollup} from "../../src/interfaces/IRollup.sol";
import {Hashes} from "../../src/lib/Hashes.sol";
import {Tags} from "../../src/lib/Tags.sol";
import {Deployment} from "./Deployment.sol";
import {Histories} from "./Histories.sol";

/// @notice Players who assert, reveal and play matches with whole histories, honest or with a lie of their choice.
abstract contract GameTest is Deployment {
    using Histories for Histories.History;

    uint256 internal constant NEVER = type(uint256).max;

    /// @dev Who asserted what. `roots` are the state roots after each input of the range.
    struct Player {
        address owner;
        bytes32 parent;
        bytes32 node;
        bytes32 salt;
        uint256 lieAt; // first input with a false root; NEVER: honest
        uint256 lieStep; // first false state of its traces
        bytes32[] roots;
    }

    /// @dev One input of a range, with what opens it.
    struct Input {
        uint64 batch;
        bytes32 hash;
        bytes32 rest; // chain after it
        uint64 batchBefore; // of the leaf before it
        bytes32 restBefore;
    }

    /// @dev Input hashes by batch, header first, as this test computes them.
    mapping(uint64 batch => bytes32[]) internal hashesOf;
    mapping(bytes32 claim => Player) internal players;
    /// @dev The state root that a node stands for.
    mapping(bytes32 node => bytes32) internal rootOf;
    /// @dev Single leaves of a claim's history that are not what its roots say.
    mapping(bytes32 claim => mapping(uint256 position => bytes32)) internal oddLeaf;
    /// @dev Number in its range of the input that a match is about, once known.
    mapping(bytes32 id => uint256) internal disputedInput;

    function deployGame() internal {
        deploy();
        bytes memory init = abi.encodePacked(
            uint8(1), uint64(block.chainid), address(vault), uint40(block.timestamp), initBody()
        );
        hashesOf[1].push(Hashes.input(init));
    }

    /* INPUTS */

    /// @dev Seal a batch of `count` sequenced inputs.
    function sealBatch(uint256 count) internal {
        uint64 batch = inbox.batchCount() + 1;
        uint40 second = uint40(block.timestamp);
        hashesOf[batch].push(Hashes.input(abi.encodePacked(uint8(2), batch, second, second, uint8(0))));
        bytes memory rows;
        for (uint256 i = 0; i < count; ++i) {
            bytes memory data = abi.encodePacked(uint8(5), second, batch, i);
            rows = abi.encodePacked(rows, uint16(data.length), data);
            hashesOf[batch].push(Hashes.input(data));
        }
        bytes32 previous = inbox.getBatch(batch - 1).acc;
        bytes32 acc = Hashes.accumulator(previous, chainFrom(batch, 0), uint64(count + 1));
        vm.prank(sequencer);
        inbox.appendBatch(previous, acc, 0, second, second, rows);
    }

    /// @dev Chain of a batch's inputs from number `index` on.
    function chainFrom(uint64 batch, uint256 index) internal view returns (bytes32 chain) {
        for (uint256 i = hashesOf[batch].length; i > index; --i) {
            chain = Hashes.chainLink(hashesOf[batch][i - 1], chain);
        }
    }

    /// @dev The inputs of the batches from + 1 to `to`.
    function inputsOf(uint64 from, uint64 to) internal view returns (Input[] memory inputs) {
        uint256 count = 0;
        for (uint64 batch = from + 1; batch <= to; ++batch) {
            count += hashesOf[batch].length;
        }
        inputs = new Input[](count);
        uint256 next = 0;
        for (uint64 batch = from + 1; batch <= to; ++batch) {
            for (uint256 i = 0; i < hashesOf[batch].length; ++i) {
                Input memory one = inputs[next++];
                (one.batch, one.hash, one.rest) = (batch, hashesOf[batch][i], chainFrom(batch, i + 1));
                one.batchBefore = i == 0 ? batch - 1 : batch;
                one.restBefore = i == 0 ? bytes32(0) : chainFrom(batch, i);
            }
        }
    }

    function rangeOf(bytes32 parent) internal view returns (Input[] memory) {
        return inputsOf(rollup.getNode(parent).batch, rollup.getRound(parent).to);
    }

    /* ASSERTIONS */

    /// @dev A bonded account.
    function newStaker(string memory name) internal returns (address who) {
        who = account(name);
        vm.deal(who, BOND);
        vm.prank(who);
        rollup.stake{value: BOND}();
    }

    function expectedAcc(bytes32 parent) internal view returns (bytes32) {
        return inbox.getBatch(rollup.getRound(parent).to).acc;
    }

    /// @dev Roots of a history that is true before input `lieAt`, which may lie behind the last input (padding).
    function rootsFor(bytes32 parent, uint256 lieAt, bytes32 salt)
        internal
        view
        returns (bytes32[] memory roots)
    {
        Input[] memory inputs = rangeOf(parent);
        bool isPadding = lieAt != NEVER && lieAt >= inputs.length;
        roots = new bytes32[](isPadding ? lieAt + 1 : inputs.length);
        bytes32 root = rootOf[parent];
        for (uint256 i = 0; i < roots.length; ++i) {
            if (i >= lieAt) root = keccak256(abi.encodePacked("false root", salt, i));
            else if (i < inputs.length) root = machine.nextRoot(root, inputs[i].hash);
            roots[i] = root;
        }
    }

    /// @dev Claim the true end (lieAt NEVER) or a false one.
    function claimFor(address owner, bytes32 parent, uint256 lieAt, uint256 lieStep, bytes32 salt)
        internal
        returns (bytes32 claim)
    {
        bytes32[] memory roots = rootsFor(parent, lieAt, salt);
        bytes32 endRoot = roots[roots.length - 1];
        uint64 to = rollup.getRound(parent).to;
        bytes32 acc = expectedAcc(parent);
        vm.prank(owner);
        claim = rollup.assertState(parent, endRoot, to, acc);
        Player storage player = players[claim];
        (player.owner, player.parent, player.salt) = (owner, parent, salt);
        (player.lieAt, player.lieStep, player.roots) = (lieAt, lieStep, roots);
        player.node = Hashes.node(parent, Hashes.leaf(endRoot, to, 0));
        rootOf[player.node] = endRoot;
    }

    function claimTruth(address owner, bytes32 parent) internal returns (bytes32) {
        return claimFor(owner, parent, NEVER, 0, 0);
    }

    function claimLie(address owner, bytes32 parent, uint256 lieAt) internal returns (bytes32) {
        return claimFor(owner, parent, lieAt, 2, "lie");
    }

    /// @dev The leaves that a claim asserts.
    function historyOf(bytes32 claim) internal view returns (Histories.History memory history) {
        Player storage player = players[claim];
        Input[] memory inputs = rangeOf(player.parent);
        bytes32[] memory ends = new bytes32[](player.roots.length);
        for (uint256 i = 0; i < ends.length; ++i) {
            Input memory last = inputs[i < inputs.length ? i : inputs.length - 1];
            bytes32 odd = oddLeaf[claim][i];
            ends[i] = odd != 0 ? odd : Hashes.leaf(player.roots[i], last.batch, last.rest);
        }
        return Histories.History(arity(), inputHeight(), ends);
    }

    function reveal(bytes32 claim) internal {
        bytes32[] memory list = historyOf(claim).top();
        vm.prank(players[claim].owner);
        rollup.reveal(claim, list);
    }

    /// @dev The leaf that the node of a claim ends in.
    function endOf(bytes32 claim) internal view returns (bytes32) {
        bytes32 node = players[claim].node;
        return Hashes.leaf(rootOf[node], rollup.getNode(node).batch, 0);
    }

    /* MATCHES */

    function ordered(bytes32 one, bytes32 other) internal pure returns (bytes32 a, bytes32 b) {
        return one < other ? (one, other) : (other, one);
    }

    function openMatch(bytes32 one, bytes32 other, bytes32 first) internal returns (bytes32 id) {
        (bytes32 a, bytes32 b) = ordered(one, other);
        return dispute.openMatch(a, b, first);
    }

    /// @dev The state root before an input, as a claim has it.
    function rootBefore(bytes32 claim, uint256 input) internal view returns (bytes32) {
        Player storage player = players[claim];
        return input == 0 ? rootOf[player.parent] : player.roots[input - 1];
    }

    /// @dev A claim's machine states over an input: true ones where its root is, else false from `lieStep` on, which
    /// may lie behind the step in which the machine stops.
    function traceOf(bytes32 claim, uint256 input) internal view returns (Histories.History memory) {
        Player storage player = players[claim];
        bytes32 root = rootBefore(claim, input);
        bytes32 hash = rangeOf(player.parent)[input].hash;
        bool isTrue = player.roots[input] == machine.nextRoot(root, hash);
        uint256 length = machine.STEPS();
        if (!isTrue && player.lieStep >= length) length = player.lieStep + 1;
        bytes32[] memory ends = new bytes32[](length);
        for (uint256 i = 0; i < length; ++i) {
            ends[i] = isTrue || i < player.lieStep
                ? machine.stateAfter(root, hash, i + 1)
                : keccak256(abi.encodePacked("false state", player.salt, i));
        }
        ends[length - 1] = machine.finalState(player.roots[input]);
        return Histories.History(arity(), stepHeight(), ends);
    }

    /// @dev The history of the level that a match is at.
    function levelHistory(bytes32 claim, bytes32 id) internal view returns (Histories.History memory) {
        if (dispute.getMatch(id).stage == IDispute.Stage.STEPS) return traceOf(claim, disputedInput[id]);
        return historyOf(claim);
    }

    /// @dev The lists that the next move opens.
    function forkOf(bytes32 one, bytes32 other) internal view returns (IDispute.Fork memory fork) {
        (fork.a, fork.b) = ordered(one, other);
        fork.round = players[one].parent;
        bytes32 id = dispute.matchId(one, other);
        IDispute.Match memory m = dispute.getMatch(id);
        Histories.History memory historyA = levelHistory(fork.a, id);
        uint256 index = m.start / uint256(arity()) ** m.height;
        fork.listA = historyA.words(m.height, index);
        fork.listB = levelHistory(fork.b, id).words(m.height, index);
        if (m.start != 0) fork.prev = historyA.end(m.start - 1);
        else if (m.stage == IDispute.Stage.STEPS) fork.prev = initialOf(fork.a, disputedInput[id]);
        else fork.prev = players[fork.a].parent;
    }

    function initialOf(bytes32 claim, uint256 input) internal view returns (bytes32) {
        return machine.initialState(rootBefore(claim, input), rangeOf(players[claim].parent)[input].hash);
    }

    /// @dev First child in which the lists of a fork differ.
    function childOf(IDispute.Fork memory fork, uint256 height) internal pure returns (uint256) {
        for (uint256 i = 0; i < fork.listA.length; ++i) {
            if (fork.listA[i] != fork.listB[i]) return height == 1 ? i : i / 2;
        }
        revert("the lists of both sides are the same");
    }

    function moverOf(bytes32 one, bytes32 other) internal view returns (bytes32) {
        (bytes32 a, bytes32 b) = ordered(one, other);
        return dispute.getMatch(dispute.matchId(one, other)).turnB ? b : a;
    }

    /// @dev What the side on turn has to give for a dissection.
    function nextList(IDispute.Fork memory fork) internal view returns (bytes32[] memory) {
        bytes32 id = dispute.matchId(fork.a, fork.b);
        IDispute.Match memory m = dispute.getMatch(id);
        uint256 span = uint256(arity()) ** (m.height - 1);
        uint256 index = m.start / span + childOf(fork, m.height);
        return levelHistory(m.turnB ? fork.b : fork.a, id).words(m.height - 1, index);
    }

    function openingOf(bytes32 claim, uint256 input) internal view returns (IDispute.Opening memory) {
        Input memory one = rangeOf(players[claim].parent)[input];
        return IDispute.Opening({
            root: rootBefore(claim, input),
            batch: one.batchBefore,
            rest: one.restBefore,
            inputHash: one.hash,
            nextRest: one.rest
        });
    }

    /// @dev The position between the two commitments.
    function halfPosition(bytes32 one, bytes32 other) internal view returns (IDispute.Position memory p) {
        (bytes32 a, bytes32 b) = ordered(one, other);
        bytes32 id = dispute.matchId(a, b);
        bool turnB = dispute.getMatch(id).turnB;
        uint256 input = disputedInput[id];
        Input memory opened = rangeOf(players[a].parent)[input];
        p.round = players[a].parent;
        p.nodeA = turnB ? traceOf(a, input).root() : historyOf(a).end(input);
        p.nodeB = turnB ? historyOf(b).end(input) : traceOf(b, input).root();
        p.prev = initialOf(a, input);
        (p.batch, p.rest) = (opened.batch, opened.rest);
    }

    function hashPosition(IDispute.Position memory p) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(Tags.POSITION, p.round, p.nodeA, p.nodeB, p.prev, p.batch, p.rest));
    }

    function proofOf(bytes32 claim, uint256 input, uint256 done) internal view returns (bytes memory) {
        bytes32 root = rootBefore(claim, input);
        bytes32 hash = rangeOf(players[claim].parent)[input].hash;
        return abi.encode(done < machine.STEPS() ? root : machine.nextRoot(root, hash), hash, done);
    }

    /// @dev The next move of a match, whoever's it is. Returns whether the match was decided by it.
    function move(bytes32 one, bytes32 other) internal returns (bool) {
        bytes32 id = dispute.matchId(one, other);
        IDispute.Match memory m = dispute.getMatch(id);
        if (m.stage == IDispute.Stage.HALF) {
            moveSecondCommit(one, other);
        } else if (m.height > 1) {
            moveDissect(one, other);
        } else if (m.stage == IDispute.Stage.STEPS) {
            return moveProve(one, other);
        } else if (m.start + childOf(forkOf(one, other), 1) >= rollup.inputCount(players[one].parent)) {
            return movePadding(one, other);
        } else {
            moveCommit(one, other);
        }
        return false;
    }

    function moveDissect(bytes32 one, bytes32 other) internal {
        IDispute.Fork memory fork = forkOf(one, other);
        bytes32[] memory next = nextList(fork);
        dispute.dissect(fork, next);
    }

    function moveCommit(bytes32 one, bytes32 other) internal {
        IDispute.Fork memory fork = forkOf(one, other);
        bytes32 id = dispute.matchId(one, other);
        bytes32 mover = moverOf(one, other);
        uint256 input = dispute.getMatch(id).start + childOf(fork, 1);
        disputedInput[id] = input;
        IDispute.Opening memory opening = openingOf(mover, input);
        bytes32[] memory trace = traceOf(mover, input).top();
        vm.prank(players[mover].owner);
        dispute.commitTrace(fork, opening, players[mover].roots[input], trace);
    }

    function moveSecondCommit(bytes32 one, bytes32 other) internal {
        (bytes32 a, bytes32 b) = ordered(one, other);
        bytes32 mover = moverOf(a, b);
        uint256 input = disputedInput[dispute.matchId(a, b)];
        IDispute.Position memory p = halfPosition(a, b);
        bytes32[] memory trace = traceOf(mover, input).top();
        vm.prank(players[mover].owner);
        dispute.commitSecondTrace(a, b, p, players[mover].roots[input], trace);
    }

    function moveProve(bytes32 one, bytes32 other) internal returns (bool) {
        IDispute.Fork memory fork = forkOf(one, other);
        bytes32 id = dispute.matchId(one, other);
        uint256 done = dispute.getMatch(id).start + childOf(fork, 1);
        bytes memory proof = proofOf(one, disputedInput[id], done);
        dispute.prove(fork, proof);
        return true;
    }

    function movePadding(bytes32 one, bytes32 other) internal returns (bool) {
        IDispute.Fork memory fork = forkOf(one, other);
        dispute.provePadding(fork);
        return true;
    }

    /// @dev Play a match to its end without anybody wasting time.
    function playOut(bytes32 one, bytes32 other) internal {
        while (!move(one, other)) {}
    }

    /* OUTCOMES */

    /// @dev A side's owner asks for its refund.
    function collect(bytes32 claim, bytes32 opponent) internal returns (uint96) {
        vm.prank(players[claim].owner);
        return dispute.collect(claim, opponent);
    }

    function assertLive(bytes32 claim) internal view {
        assertTrue(rollup.isLive(claim), "the claim is dead");
    }

    function assertDead(bytes32 claim) internal view {
        assertTrue(rollup.getClaim(claim).status == IRollup.Status.DEAD, "the claim is alive");
    }
}
