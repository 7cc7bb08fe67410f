package dev.mainstay.server.confirm;

import dev.mainstay.server.security.Persons;
import dev.mainstay.server.security.Role;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// Leave to destroy something, once; not the token that has to be sent.
///
/// @param source of which source it is; empty: of the whole repository
/// @param bound digest of what it is for
/// @param words what would be lost, a line each
/// @param persons who asked
/// @param secondPerson whether somebody else has to agree
/// @param approvedBy who agreed
public record Confirmation(
        String id,
        String action,
        String target,
        String source,
        Role least,
        String bound,
        List<String> words,
        String askedBy,
        Persons persons,
        Instant created,
        Instant expires,
        boolean secondPerson,
        Optional<String> approvedBy,
        Optional<String> refusedBy,
        Optional<Instant> used) {
    public Confirmation {
        words = List.copyOf(words);
    }

    /// Where it stands.
    public enum State {
        WAITING,
        GOOD,
        USED,
        REFUSED,
        EXPIRED
    }

    public State state(Instant now) {
        if (used.isPresent()) {
            return State.USED;
        }
        if (refusedBy.isPresent()) {
            return State.REFUSED;
        }
        if (!expires.isAfter(now)) {
            return State.EXPIRED;
        }
        return secondPerson && approvedBy.isEmpty() ? State.WAITING : State.GOOD;
    }

    /// As the audit trail has it.
    String what() {
        return action + (target.isEmpty() ? "" : " " + target) + " " + id;
    }
}
