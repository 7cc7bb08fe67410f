package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// Puts the client where it can be run, and proves it: starts it as the launcher does and demands
/// the right answer from it, before any call of PostgreSQL depends on it.
final class AgentRehearsal {
    private static final String WORD = "rehearsal";
    private static final String VARIABLE = "MAINSTAY_REHEARSAL";
    private static final int PATIENCE_SECONDS = 30;

    private AgentRehearsal() {}

    /// What a rehearsing client is to be told; it stands in both its words and its environment.
    static Optional<String> nonce(AgentRequest request) {
        List<String> command = request.command();
        return command.size() == 3
                        && command.getFirst().equals(WORD)
                        && command.get(1).isEmpty()
                        && command.getLast().equals(request.environment().get(VARIABLE))
                ? Optional.of(command.getLast())
                : Optional.empty();
    }

    /// Leaves `place.client()` a program that works, or a link to one: folders for sockets are
    /// often mounted so that no program in them can be run.
    ///
    /// @param socket where the agent listens
    /// @throws MainstayException WAL_AGENT_CLIENT if none does
    static void run(AgentPlace place, Path socket) {
        String architecture = System.getProperty("os.arch", "");
        byte[] program =
                AgentClient.program(architecture)
                        .orElseThrow(
                                () ->
                                        useless(
                                                "there is no client for the processor "
                                                        + architecture));
        List<String> tried = new ArrayList<>();
        for (Path file : candidates(place)) {
            try {
                AgentClient.write(file, program);
                ask(file, socket);
                if (!file.equals(place.client())) {
                    Files.deleteIfExists(place.client());
                    Files.createSymbolicLink(place.client(), file);
                }
                return;
            } catch (IOException | UnsupportedOperationException wrong) {
                tried.add(file + ": " + wrong.getMessage());
            }
        }
        throw useless("the agent's client cannot be run: " + String.join("; ", tried));
    }

    private static List<Path> candidates(AgentPlace place) {
        List<Path> candidates = new ArrayList<>(List.of(place.client()));
        String home = System.getenv().getOrDefault("HOME", "");
        if (home.startsWith("/")) {
            candidates.add(Path.of(home, ".cache", "mainstay", "agent-client"));
        }
        candidates.add(Path.of("/var/lib/mainstay/agent-client"));
        return candidates;
    }

    private static MainstayException useless(String why) {
        return new MainstayException(ErrorCode.WAL_AGENT_CLIENT, why);
    }

    private static void ask(Path client, Path socket) throws IOException {
        String nonce = Long.toHexString(new SecureRandom().nextLong());
        ProcessBuilder builder =
                new ProcessBuilder(
                        client.toString(),
                        socket.toString(),
                        AgentRequest.PROTOCOL,
                        "/",
                        "/",
                        "",
                        WORD,
                        "",
                        nonce);
        builder.environment().clear();
        builder.environment().put(VARIABLE, nonce);
        Process process = builder.redirectErrorStream(true).start();
        try {
            process.getOutputStream().close();
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                throw new IOException("no answer");
            }
            String answer =
                    new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.exitValue() != 0 || !answer.strip().equals("= " + nonce)) {
                throw new IOException("exit " + process.exitValue() + ", '" + answer + "'");
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", stopped);
        } finally {
            process.destroyForcibly();
        }
    }
}
