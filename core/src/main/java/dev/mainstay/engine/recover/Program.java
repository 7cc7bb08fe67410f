package dev.mainstay.engine.recover;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// Runs a client program. Words and variables go to a shell on its standard input: no process list
/// shows a secret, and names arrive in UTF-8 whatever the locale of this process.
final class Program {
    private static final int LINES = 15;

    private Program() {}

    /// @param variables for the program's environment, instead of all `PG…` of this process's
    /// @param failure the code to fail with
    /// @throws MainstayException with the program's own words; INTERRUPTED, the program ended
    static void run(List<String> command, Map<String, String> variables, ErrorCode failure) {
        StringBuilder script = new StringBuilder();
        variables.forEach(
                (name, value) ->
                        script.append("export ")
                                .append(name)
                                .append('=')
                                .append(quote(value))
                                .append('\n'));
        script.append("exec");
        command.forEach(word -> script.append(' ').append(quote(word)));
        script.append(" </dev/null\n");
        ProcessBuilder builder = new ProcessBuilder("/bin/sh").redirectErrorStream(true);
        builder.environment().keySet().removeIf(name -> name.startsWith("PG"));
        builder.environment().put("LC_ALL", "C");
        String program = command.getFirst().substring(command.getFirst().lastIndexOf('/') + 1);
        StringBuilder words = new StringBuilder();
        Process process;
        try {
            process = builder.start();
        } catch (IOException failed) {
            throw new MainstayException(failure, "cannot start " + program + ": " + failed, failed);
        }
        Thread reader = Thread.ofVirtual().start(() -> read(process, words));
        try (OutputStream in = process.getOutputStream()) {
            in.write(script.toString().getBytes(StandardCharsets.UTF_8));
        } catch (IOException failed) {
            process.destroyForcibly();
            throw new MainstayException(failure, "cannot start " + program + ": " + failed, failed);
        }
        try {
            int status = process.waitFor();
            reader.join();
            if (status != 0) {
                throw new MainstayException(
                        failure,
                        program + " failed with status " + status + ":\n" + end(words.toString()));
            }
        } catch (InterruptedException stopped) {
            end(process);
            Thread.currentThread().interrupt();
            throw new MainstayException(ErrorCode.INTERRUPTED, program + " was stopped", stopped);
        }
    }

    /// Gone when this returns: what it did in its transaction is undone by its server.
    private static void end(Process process) {
        process.destroy();
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException again) {
            process.destroyForcibly();
        }
    }

    private static void read(Process process, StringBuilder words) {
        try {
            words.append(
                    new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException ended) {
            words.append(ended);
        }
    }

    private static String end(String words) {
        List<String> lines = words.strip().lines().toList();
        return String.join("\n", lines.subList(Math.max(0, lines.size() - LINES), lines.size()));
    }

    private static String quote(String word) {
        return "'" + word.replace("'", "'\\''") + "'";
    }
}
