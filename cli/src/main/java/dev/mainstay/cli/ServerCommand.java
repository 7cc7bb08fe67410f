package dev.mainstay.cli;

import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.Secret;
import dev.mainstay.server.MainstayServer;

import picocli.CommandLine.Command;

import java.util.concurrent.CountDownLatch;

/// `mainstay server`
@Command(name = "server")
final class ServerCommand implements Verb {
    @Override
    public Document run(Session session) {
        OpenSource.warnOfOpenKey(session);
        try (MainstayServer server = MainstayServer.start(OpenSource.surroundings(session));
                AgentBeside _ = new AgentBeside(session)) {
            server.firstToken().ifPresent(token -> show(session.terminal(), token));
            session.progress().note("the server answers at " + server.url());
            new CountDownLatch(1).await();
        } catch (InterruptedException stopped) {
            // its ordinary end
        }
        return Document.of("the server stopped");
    }

    /// Whether a server could start by this configuration; opens nothing.
    static void check(Configuration configuration) {
        MainstayServer.check(configuration);
    }

    /// Even with --quiet: nobody could get in without it.
    private static void show(Terminal terminal, Secret token) {
        terminal.err().println("the first token of an administrator, which is shown this once:");
        terminal.err().println(token.reveal());
    }
}
