package dev.mainstay.cli;

import dev.mainstay.server.MainstayServer;

import picocli.CommandLine.Command;

import java.util.concurrent.CountDownLatch;

/// `mainstay server`
@Command(name = "server")
final class ServerCommand implements Verb {
    @Override
    public Document run(Session session) {
        OpenSource.warnOfOpenKey(session);
        try (MainstayServer server = MainstayServer.start(OpenSource.surroundings(session))) {
            session.progress().note("the server answers at " + server.url());
            new CountDownLatch(1).await();
        } catch (InterruptedException stopped) {
            // its ordinary end
        }
        return Document.of("the server stopped");
    }
}
