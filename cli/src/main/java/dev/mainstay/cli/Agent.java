package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// This process as the agent of its user: socket and desk.
record Agent(AgentListener listener, AgentDesk desk) implements AutoCloseable {
    /// @return empty if there is another one already
    /// @throws MainstayException if there can be none here
    static Optional<Agent> open(AgentPlace place, Session session) {
        AgentDesk desk = desk(session);
        Optional<AgentListener> listener = Optional.empty();
        try {
            listener = AgentListener.open(place, desk, session.progress()::note);
            return listener.map(open -> new Agent(open, desk));
        } finally {
            if (listener.isEmpty()) {
                desk.close();
            }
        }
    }

    private static AgentDesk desk(Session session) {
        String program = System.getProperty("mainstay.program", "");
        if (program.isEmpty()) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID,
                    "an agent answers the launcher that started it; start it by 'mainstay'");
        }
        List<Path> parts = new ArrayList<>(List.of(Path.of(program)));
        for (String part :
                System.getProperty("java.class.path", "").split(File.pathSeparator, -1)) {
            if (part.endsWith(".jar")) {
                parts.add(Path.of(part));
            }
        }
        try {
            return new AgentDesk(
                    Path.of(program), parts, session.clock(), session.progress()::note);
        } catch (IOException unreadable) {
            throw new MainstayException(
                    ErrorCode.RUNTIME_MISSING,
                    "cannot look at what this process was started from: " + unreadable,
                    unreadable);
        }
    }

    @Override
    public void close() {
        listener.close();
        desk.close();
    }
}
