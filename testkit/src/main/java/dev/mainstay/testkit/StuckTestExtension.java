package dev.mainstay.testkit;

import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.PreInterruptCallback;
import org.junit.jupiter.api.extension.PreInterruptContext;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/// Tells what the processes that a test started are doing, when the test has taken longer than any
/// may and JUnit is about to interrupt it (what this process does JUnit tells): otherwise all that
/// is known is that a build did not end. JUnit finds this by itself.
public final class StuckTestExtension implements PreInterruptCallback {
    @Override
    public void beforeThreadInterrupt(PreInterruptContext stuck, ExtensionContext context)
            throws IOException {
        for (ProcessHandle process : ProcessHandle.current().descendants().toList()) {
            System.out.printf(
                    "still running: %d %s%n",
                    process.pid(), process.info().commandLine().orElse("(unknown)"));
            if (process.info().command().orElse("").endsWith("/java")) {
                System.out.println(threads(process));
            }
        }
    }

    /// Virtual threads are in one dump only, who holds which lock in the other.
    private static String threads(ProcessHandle process) throws IOException {
        Path file = Files.createTempFile("threads-", ".txt");
        try {
            String said =
                    jcmd(process, "Thread.dump_to_file", "-overwrite", file.toString())
                            + jcmd(process, "Thread.print", "-l");
            return Files.readString(file) + said;
        } finally {
            Files.delete(file);
        }
    }

    private static String jcmd(ProcessHandle process, String... command) throws IOException {
        String[] line = new String[command.length + 2];
        line[0] = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
        line[1] = Long.toString(process.pid());
        System.arraycopy(command, 0, line, 2, command.length);
        Process jcmd = new ProcessBuilder(line).redirectErrorStream(true).start();
        try (var output = jcmd.getInputStream()) {
            return new String(output.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
