package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.AbstractMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

class CommandRunnerTest {
    private final Console console = new Console();
    @TempDir private Path folder;

    private Terminal terminal(String typed, boolean people) {
        return terminal(new ByteArrayInputStream(typed.getBytes(StandardCharsets.UTF_8)), people);
    }

    private Terminal terminal(InputStream in, boolean people) {
        return console.terminal(in, people, Map.of(), folder);
    }

    private int run(String... arguments) {
        return console.run(folder, arguments);
    }

    private String out() {
        return console.out();
    }

    private String err() {
        return console.err();
    }

    @Test
    void helpNamesTheCommandsAndTheGlobalOptions() {
        assertThat(run("--help")).isZero();
        assertThat(out()).contains("--config", "--output", "--quiet", "version");
        assertThat(err()).isEmpty();
    }

    @Test
    void theVersionPrintsAsTextAndAsJson() {
        assertThat(run("version")).isZero();
        assertThat(out()).startsWith("Mainstay ").contains("jdk: ").doesNotContain("${");
        assertThat(run("--output", "json", "version")).isZero();
        assertThat(out()).startsWith("{\"summary\":\"Mainstay ").contains("\"formatVersion\":1");
    }

    @Test
    void wrongUsageNamesTheNearestCommandAndExitsTwo() {
        assertThat(run("versoin")).isEqualTo(2);
        assertThat(err())
                .isEqualTo(
                        """
                        ERROR: [MS-0405] unknown command 'versoin'; did you mean 'version'?
                        HINT: see 'mainstay --help'
                        """);
        assertThat(out()).isEmpty();
    }

    @Test
    void wrongUsageIsJsonWhereJsonIsWanted() {
        assertThat(run("version", "--qiet", "--output=json")).isEqualTo(2);
        assertThat(out())
                .isEqualTo(
                        "{\"error\":{\"code\":\"MS-0405\",\"message\":\"unknown option '--qiet';"
                                + " did you mean '--quiet'?\",\"hint\":\"see 'mainstay version"
                                + " --help'\"}}\n");
        assertThat(err()).isEmpty();
    }

    @Test
    void aMisspeltOptionIsNamedBeforeTheOneThatIsMissingForIt() {
        assertThat(run("restore", "orders", "--too", "dir")).isEqualTo(2);
        assertThat(err()).contains("[MS-0405] unknown option '--too'; did you mean '--to'?");
        assertThat(run("restore", "orders")).isEqualTo(2);
        assertThat(err()).contains("[MS-0405] missing required option: '--to=DIR'");
    }

    /// An environment in which every look at it fails.
    private static Map<String, String> failing(Error error) {
        return new AbstractMap<>() {
            @Override
            public Set<Entry<String, String>> entrySet() {
                throw error;
            }

            @Override
            public @Nullable String get(@Nullable Object key) {
                return null;
            }
        };
    }

    @Test
    void evenWhatNobodyExpectsIsOneDocument() {
        assertThat(
                        console.run(
                                folder,
                                failing(new NoClassDefFoundError("x")),
                                "--output=json",
                                "backups"))
                .isEqualTo(Exits.FAILED);
        assertThat(out())
                .startsWith("{\"error\":{\"code\":\"MS-1099\",\"message\":\"unexpected")
                .contains("NoClassDefFoundError: x");
        assertThat(console.run(folder, failing(new OutOfMemoryError("heap")), "backups"))
                .isEqualTo(Exits.FAILED);
        assertThat(err())
                .contains("ERROR: [MS-1099] the memory is not enough: heap", "HINT: ", "-Xmx1g");
    }

    @Test
    void noCommandAndABadFormatAreWrongUsage() {
        assertThat(run()).isEqualTo(2);
        assertThat(err()).contains("[MS-0405] name a command: init, ");
        assertThat(run("version", "--output", "xml")).isEqualTo(2);
        assertThat(err()).contains("[MS-0405]", "xml");
        assertThat(run("version", "extra")).isEqualTo(2);
        assertThat(err()).contains("too many arguments, first 'extra'");
    }

    @Test
    void oneDocumentPrintsAsTextAndAsJson() {
        Document document =
                Document.of("backup done")
                        .add("bytesRead", ByteSize.mib(3))
                        .add("took", Duration.ofMillis(2500))
                        .add("size", ByteSize.of(7))
                        .add("began", Instant.parse("2026-11-21T04:15:00.5Z"))
                        .add("parent", Optional.empty())
                        .add("locked", false)
                        .addAll("notes", List.of("one", "two"))
                        .add(
                                "files",
                                Table.of("name", "pages", "state")
                                        .row("a", 12, State.OK)
                                        .row("longer", 3, State.FAILED));
        assertThat(PlainText.of(document, false))
                .isEqualTo(
                        """
                        backup done
                          bytes read: 3.00 MiB
                          took:       2.5 s
                          size:       7 B
                          began:      2026-11-21 04:15:00 UTC
                          parent:     -
                          locked:     no
                          notes:
                            one
                            two
                          NAME    PAGES  STATE
                          a          12  ok
                          longer      3  failed
                        """);
        assertThat(PlainText.of(document, true)).contains("\u001b[31mfailed\u001b[0m");
        assertThat(JsonText.of(document))
                .isEqualTo(
                        "{\"summary\":\"backup done\",\"bytesReadBytes\":3145728,"
                                + "\"tookSeconds\":2.5,\"sizeBytes\":7,"
                                + "\"began\":\"2026-11-21T04:15:00.500Z\",\"parent\":null,"
                                + "\"locked\":false,\"notes\":[\"one\",\"two\"],\"files\":["
                                + "{\"name\":\"a\",\"pages\":12,\"state\":\"ok\"},"
                                + "{\"name\":\"longer\",\"pages\":3,\"state\":\"failed\"}]}");
    }

    private void confirm(String typed, boolean people, boolean yes) throws IOException {
        Session session =
                new Session(
                        terminal(typed, people),
                        Output.text,
                        Optional.empty(),
                        InstantSource.fixed(Instant.EPOCH),
                        dev.mainstay.engine.Progress.none());
        Confirm.danger(session, "this removes 3 backups", yes);
    }

    private boolean refused(String typed, boolean people) throws IOException {
        try {
            confirm(typed, people, false);
            return false;
        } catch (MainstayException wrong) {
            return wrong.code() == ErrorCode.CONFIRMATION_NEEDED;
        }
    }

    @Test
    void dangerIsConfirmedOnATerminalOrByYes() throws IOException {
        confirm("", false, true);
        assertThat(refused("y\n", true)).isFalse();
        assertThat(refused("yes\n", true)).isFalse();
        assertThat(refused("\n", true)).isTrue();
        assertThat(refused("no\n", true)).isTrue();
        assertThat(refused("", true)).isTrue();
        assertThat(refused("y\n", false)).isTrue();
        assertThat(err()).contains("this removes 3 backups. Go on? [y/N] ");
    }

    @Test
    void nobodyToAskReadsAsThat() {
        assertThatThrownBy(() -> confirm("", false, false))
                .hasMessage(
                        "nobody can be asked here, so nothing was changed: this removes 3 backups");
        assertThatThrownBy(() -> confirm("n\n", true, false))
                .hasMessage(
                        "the answer was not 'y', so nothing was changed: this removes 3 backups");
    }

    @Test
    void aSignalEndsTheQuestion() throws IOException {
        try (PipedInputStream silence = new PipedInputStream(new PipedOutputStream())) {
            Session session =
                    new Session(
                            terminal(silence, true),
                            Output.text,
                            Optional.empty(),
                            InstantSource.fixed(Instant.EPOCH),
                            dev.mainstay.engine.Progress.none());
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> Confirm.danger(session, "this removes 3 backups", false))
                    .extracting("code")
                    .isEqualTo(ErrorCode.INTERRUPTED);
        }
    }

    @Test
    void linesOfProgressComeEveryFewSeconds() {
        long[] now = {0};
        LineProgress progress = new LineProgress(console.errors(), () -> now[0]);
        progress.advance(5);
        progress.begin("reading orders", 100 << 20);
        for (int second = 1; second <= 11; second++) {
            now[0] += 1_000_000_000L;
            progress.advance(4 << 20);
        }
        progress.note("a page changed");
        progress.end();
        progress.end();
        assertThat(err())
                .isEqualTo(
                        """
                        reading orders: 20.00 MiB of 100.00 MiB (20%), 4.00 MiB/s, 20.0 s left
                        reading orders: 40.00 MiB of 100.00 MiB (40%), 4.00 MiB/s, 15.0 s left
                        a page changed
                        reading orders: 44.00 MiB in 11.0 s
                        """);
    }

    @Test
    void aBarIsDrawnForPeople() {
        BarProgress progress = new BarProgress(console.errors(), 80);
        progress.begin("reading orders", 100 << 20);
        progress.advance(50 << 20);
        progress.note("a page changed");
        progress.end();
        progress.advance(1);
        assertThat(err()).contains("reading orders", "50%", "a page changed\n");
    }

    @Test
    void programsAndQuietPeopleSeeNoProgress() {
        assertThat(ProgressChoice.of(terminal("", true), Output.text, false))
                .isInstanceOf(BarProgress.class);
        assertThat(ProgressChoice.of(terminal("", false), Output.text, false))
                .isInstanceOf(LineProgress.class);
        for (var none :
                List.of(
                        ProgressChoice.of(terminal("", true), Output.json, false),
                        ProgressChoice.of(terminal("", true), Output.text, true))) {
            none.begin("x", 1);
            none.note("y");
            none.end();
        }
        assertThat(err()).isEmpty();
    }

    @Test
    void aSignalInterruptsTheCommandAndWaitsForIt() throws InterruptedException {
        Interruption interruption =
                new Interruption(Duration.ofSeconds(20), terminal("", false).err());
        boolean[] cleaned = {false};
        var began = new java.util.concurrent.CountDownLatch(1);
        Thread command =
                Thread.ofPlatform()
                        .start(
                                () -> {
                                    interruption.begin();
                                    began.countDown();
                                    try {
                                        new java.util.concurrent.CountDownLatch(1).await();
                                    } catch (InterruptedException stopped) {
                                        cleaned[0] = true;
                                    }
                                    interruption.end(Exits.INTERRUPTED);
                                });
        began.await();
        assertThat(interruption.stop()).as("ended well").isFalse();
        assertThat(cleaned[0]).isTrue();
        assertThat(interruption.isRequested()).isTrue();
        command.join();
        assertThat(interruption.stop()).as("nothing runs any more").isFalse();
    }

    @Test
    void aSignalBeforeTheCommandKeepsItFromBeginning() {
        Interruption interruption =
                new Interruption(Duration.ofMillis(1), terminal("", false).err());
        assertThat(interruption.stop()).isFalse();
        Terminal terminal = terminal("", false);
        CommandRunner runner =
                new CommandRunner(terminal, InstantSource.fixed(Instant.EPOCH), interruption);
        assertThat(runner.run(List.of("init"))).isEqualTo(Exits.INTERRUPTED);
        assertThat(err()).contains("ERROR: [MS-0407] stopped by a signal before it began\n");
    }

    @Test
    void aSignalThatComesTooLateChangesNothing() {
        Interruption interruption =
                new Interruption(Duration.ofSeconds(20), terminal("", false).err());
        interruption.begin();
        interruption.end(Exits.OK);
        assertThat(interruption.stop()).as("it is done, and the process says so").isTrue();
        assertThat(Thread.interrupted()).isFalse();
    }

    @Test
    void whatMustNotBeLeftHalfDoneIsDoneOrNotBegun() {
        assertThat(Uninterrupted.call(() -> "done")).isEqualTo("done");
        Thread caller = Thread.currentThread();
        assertThat(
                        Uninterrupted.call(
                                () -> {
                                    caller.interrupt();
                                    return Thread.currentThread().isInterrupted();
                                }))
                .isFalse();
        caller.interrupt();
        assertThatThrownBy(() -> Uninterrupted.call(() -> "never"))
                .extracting("code")
                .isEqualTo(ErrorCode.INTERRUPTED);
        assertThat(Thread.interrupted()).isFalse();
        assertThatThrownBy(
                        () ->
                                Uninterrupted.call(
                                        () -> {
                                            throw new LinkageError("as it is");
                                        }))
                .hasMessage("as it is");
    }

    @Test
    void walUnderTheLauncherAnswersNumbersNoJvmUses() {
        Exits get = Exits.of(List.of("--config", "f", "wal", "get", "name", "path"));
        assertThat(get).isEqualTo(Exits.RESTORE_COMMAND);
        assertThat(get.process(0, true)).isEqualTo(40);
        assertThat(get.process(44, true)).isEqualTo(44);
        assertThat(get.process(1, true)).isEqualTo(1);
        assertThat(get.process(0, false)).isZero();
        assertThat(get.process(44, false)).isEqualTo(1);
        for (int failure : new int[] {1, 2, 3, 130}) {
            assertThat(get.process(failure, false)).isEqualTo(126);
        }
        Exits push = Exits.of(List.of("wal", "push", "pg_wal/x"));
        assertThat(push.process(0, true)).isEqualTo(40);
        assertThat(push.process(0, false)).isZero();
        assertThat(push.process(1, false)).isEqualTo(1);
        assertThat(Exits.of(List.of("wal", "receive", "s"))).isEqualTo(Exits.ORDINARY);
        assertThat(Exits.of(List.of("backup", "get"))).isEqualTo(Exits.ORDINARY);
    }
}
