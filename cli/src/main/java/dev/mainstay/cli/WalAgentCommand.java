package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import picocli.CommandLine.Command;

import java.util.concurrent.CountDownLatch;

/// `mainstay wal agent`
@Command(
        name = "agent",
        description =
                "stay and answer this user's 'wal push' and 'wal get' in milliseconds, until"
                        + " stopped")
final class WalAgentCommand implements Verb {
    @Override
    public Document run(Session session) {
        AgentPlace place =
                AgentPlace.of(session.terminal().environment())
                        .orElseThrow(
                                () ->
                                        new MainstayException(
                                                ErrorCode.USAGE_INVALID,
                                                "MAINSTAY_AGENT says that there is none"));
        try (Agent _ =
                Agent.open(place, session)
                        .orElseThrow(
                                () ->
                                        new MainstayException(
                                                ErrorCode.WAL_AGENT_RUNS,
                                                "an agent runs in " + place.folder()))) {
            session.progress().note("the agent answers at " + place.socket());
            new CountDownLatch(1).await();
        } catch (InterruptedException stopped) {
            // its ordinary end
        }
        return Document.of("the agent stopped").add("socket", place.socket().toString());
    }
}
