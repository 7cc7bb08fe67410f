package dev.mainstay.cli;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;

/// Where the process begins: takes the world from the JVM and hands it to a [CommandRunner].
public final class Mainstay {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private Mainstay() {}

    public static void main(String[] arguments) {
        Terminal terminal = terminal();
        Interruption interruption = new Interruption(PATIENCE, terminal.err());
        List<String> words = List.of(arguments);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> onShutdown(interruption, words)));
        Preload.begin();
        int code = Exits.FAILED;
        try {
            code = new CommandRunner(terminal, InstantSource.system(), interruption).run(words);
        } catch (Throwable broken) {
            terminal.err().println("ERROR: [MS-1099] " + broken); // and no memory to say it better
        } finally {
            interruption.end(code);
        }
        System.exit(answer(words, code));
    }

    private static int answer(List<String> words, int code) {
        boolean launcher = System.getProperty("mainstay.launcher") != null;
        return Exits.of(words).process(code, launcher);
    }

    private static void onShutdown(Interruption interruption, List<String> words) {
        if (interruption.isRunning()) {
            SecondSignal.endsTheProcess();
        }
        if (interruption.stop()) {
            Runtime.getRuntime().halt(answer(words, Exits.OK));
        }
    }

    /// The launcher tells which descriptors are terminals, because the JVM only knows about all of
    /// them together. Without it nobody is asked and nothing is drawn.
    private static Terminal terminal() {
        String descriptors = System.getProperty("mainstay.tty", "");
        return new Terminal(
                System.in,
                stream(FileDescriptor.out, false),
                stream(FileDescriptor.err, true),
                descriptors.contains("0"),
                descriptors.contains("1"),
                descriptors.contains("2"),
                Integer.getInteger("mainstay.columns", Terminal.DEFAULT_COLUMNS),
                System.getenv(),
                Path.of("").toAbsolutePath());
    }

    private static PrintStream stream(FileDescriptor descriptor, boolean flush) {
        return new PrintStream(
                new BufferedOutputStream(new FileOutputStream(descriptor)),
                flush,
                StandardCharsets.UTF_8);
    }
}
