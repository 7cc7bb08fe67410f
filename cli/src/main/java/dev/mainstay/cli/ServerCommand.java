package dev.mainstay.cli;

import dev.mainstay.base.MainstayException;
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
        try (MainstayServer server =
                        MainstayServer.start(
                                OpenSource.surroundings(session), session::readConfiguration);
                AgentBeside _ = new AgentBeside(session)) {
            reloadOnHangUp(server);
            server.firstToken().ifPresent(token -> show(session.terminal(), token));
            session.progress().note("the server answers at " + server.url());
            new CountDownLatch(1).await();
        } catch (InterruptedException stopped) {
            // its ordinary end
        }
        return Document.of("the server stopped");
    }

    /// SIGHUP, as other servers have it: `systemctl reload`.
    private static void reloadOnHangUp(MainstayServer server) {
        try {
            ProcessSignal.listen(
                    "HUP",
                    () -> {
                        try {
                            server.reload();
                        } catch (MainstayException _) {
                            // it is logged, on record and an alert; the server goes on as before
                        }
                    });
        } catch (ReflectiveOperationException | IllegalArgumentException notHere) {
            // the API does it as well
        }
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
