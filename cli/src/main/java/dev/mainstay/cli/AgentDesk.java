package dev.mainstay.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/// What an agent does with a request: runs its command line as a process of its own would, in the
/// client's folder, with the client's environment and therefore configuration.
///
/// It answers only what it has done or what is proved absent. Everything else, and every error, is
/// left unanswered; the launcher then starts a process, which finds out and says what is wrong. So
/// an agent can be no reason for a failure that is none without it.
final class AgentDesk implements AutoCloseable {
    private static final Pattern FRESH =
            Pattern.compile(".+\\.mainstay~[0-9]{1,10}", Pattern.DOTALL);

    /// @param exit as the launcher knows it from the JVM: [Exits#WAL_DONE] or [Exits#PROVED_ABSENT]
    record Answer(int exit, String out, String err) {}

    /// A file as it was when the agent began.
    private record Seen(Path file, Optional<Object> key, long bytes, long modifiedMillis) {
        static Seen of(Path file) throws IOException {
            BasicFileAttributes facts = Files.readAttributes(file, BasicFileAttributes.class);
            return new Seen(
                    file,
                    Optional.ofNullable(facts.fileKey()),
                    facts.size(),
                    facts.lastModifiedTime().toMillis());
        }

        boolean isSame() {
            try {
                return of(file).equals(this);
            } catch (IOException gone) {
                return false;
            }
        }
    }

    private final Path program;
    private final List<Seen> installation;
    private final InstantSource clock;
    private final Consumer<String> notes;
    private final ResidentWal wal;

    /// Building them costs more than anything else that a call does, so they are used again.
    private final Deque<Verbs> idle = new ConcurrentLinkedDeque<>();

    /// @param program the launcher whose calls are answered: another one may be of another version
    /// @param parts what this process was started from; once one of them is another file than it
    ///   was, nothing is answered any more
    AgentDesk(Path program, List<Path> parts, InstantSource clock, Consumer<String> notes)
            throws IOException {
        this.program = program.toRealPath();
        this.installation = new java.util.ArrayList<>();
        for (Path part : parts) {
            installation.add(Seen.of(part.toRealPath()));
        }
        this.clock = clock;
        this.notes = notes;
        this.wal = new ResidentWal(notes);
    }

    /// @return empty if the request is to be left to a process of its own
    Optional<Answer> answer(AgentRequest request) throws IOException {
        List<String> command = request.command();
        Exits kind = Exits.of(command);
        boolean fits =
                switch (kind) {
                    case ORDINARY -> false;
                    case ARCHIVE_COMMAND -> request.fresh().isEmpty();
                    case RESTORE_COMMAND -> FRESH.matcher(request.fresh()).matches();
                };
        if (!fits
                || !request.protocol().equals(AgentRequest.PROTOCOL)
                || !request.program().toRealPath().equals(program)) {
            return Optional.empty();
        }
        if (!installation.stream().allMatch(Seen::isSame)) {
            notes.accept("WARNING: Mainstay was installed anew; restart this process");
            return Optional.empty();
        }
        return run(kind, request);
    }

    private Optional<Answer> run(Exits kind, AgentRequest request) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Terminal terminal =
                new Terminal(
                        InputStream.nullInputStream(),
                        new PrintStream(out, false, StandardCharsets.UTF_8),
                        new PrintStream(err, false, StandardCharsets.UTF_8),
                        false,
                        false,
                        false,
                        Terminal.DEFAULT_COLUMNS,
                        request.environment(),
                        request.workingDirectory());
        Interruption never = new Interruption(Duration.ZERO, terminal.err());
        Verbs verbs = Optional.ofNullable(idle.poll()).orElseGet(() -> Verbs.of(List.of("wal")));
        int code =
                new CommandRunner(terminal, clock, never, wal.route(request.fresh()))
                        .run(request.command(), _ -> verbs);
        idle.push(verbs);
        int exit = kind.process(code, true);
        if (exit == Exits.WAL_DONE || exit == Exits.PROVED_ABSENT) {
            return Optional.of(new Answer(exit, text(out), text(err)));
        }
        notes.accept(
                "WARNING: left to a process of its own: "
                        + String.join(" ", request.command())
                        + ": "
                        + (text(out) + text(err)).lines().findFirst().orElse("exit " + code));
        return Optional.empty();
    }

    private static String text(ByteArrayOutputStream bytes) {
        return bytes.toString(StandardCharsets.UTF_8);
    }

    /// The client went away before it had its answer: what was written for it is removed.
    void unanswered(AgentRequest request) {
        if (request.fresh().isEmpty()) {
            return;
        }
        try {
            Files.deleteIfExists(request.workingDirectory().resolve(request.fresh()));
        } catch (IOException | RuntimeException notThere) {
            notes.accept("WARNING: cannot remove what a client left: " + notThere);
        }
    }

    @Override
    public void close() {
        wal.close();
    }
}
