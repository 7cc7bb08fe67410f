package dev.mainstay.repository;

import java.time.Instant;
import java.time.temporal.ChronoUnit;

/// What happened, as the audit trail of a server tells it: no bodies, and no secrets.
///
/// @param at to the millisecond
/// @param server which one wrote it, of those that share a state
/// @param who a token, a subject of an identity provider, a schedule, or the server itself; empty
///   for nobody who is known
/// @param address from where; empty for what came from no other host
/// @param action method and path template of a request, or a few words
/// @param target what it was done to
/// @param outcome `begun`, a status of HTTP, or what became of a job
/// @param times how often, where several are one entry
public record AuditFacts(
        Instant at,
        String server,
        String who,
        String address,
        String action,
        String target,
        String outcome,
        long times) {
    /// What is longer was chosen by a stranger.
    private static final int MOST = 300;

    public AuditFacts {
        at = at.truncatedTo(ChronoUnit.MILLIS);
        server = plain(server);
        who = plain(who);
        address = plain(address);
        action = plain(action);
        target = plain(target);
        outcome = plain(outcome);
        if (times < 1) {
            throw new IllegalArgumentException("what never happened is no entry");
        }
    }

    /// One line, whoever chose it.
    private static String plain(String text) {
        String line =
                text.codePoints()
                        .limit(MOST)
                        .map(
                                each ->
                                        Character.isISOControl(each)
                                                        || Character.getType(each)
                                                                == Character.SURROGATE
                                                ? '?'
                                                : each)
                        .collect(
                                StringBuilder::new,
                                StringBuilder::appendCodePoint,
                                StringBuilder::append)
                        .toString();
        return line;
    }
}
