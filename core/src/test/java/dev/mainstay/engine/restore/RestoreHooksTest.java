package dev.mainstay.engine.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.RestoreSettings;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Commands run as they are written, and end with the restore.
@Timeout(60)
class RestoreHooksTest {
    @TempDir private Path folder;
    private final ConcurrentLinkedQueue<String> output = new ConcurrentLinkedQueue<>();

    private RestoreHooks hooks(List<String> before, List<String> after, Duration timeout) {
        return new RestoreHooks(
                new RestoreSettings(before, after, timeout),
                Map.of("MAINSTAY_SOURCE", "orders"),
                output::add);
    }

    private static final Duration LONG = Duration.ofMinutes(1);

    @Test
    void eachCommandRunsInOrderAndIsShown() {
        RestoreHooks hooks =
                hooks(
                        List.of("echo one $MAINSTAY_SOURCE", "echo two $MAINSTAY_PHASE >&2"),
                        List.of("echo three $MAINSTAY_PHASE; cat"),
                        LONG);
        hooks.before();
        assertThat(output).containsExactly("before: one orders", "before: two before");
        hooks.after();
        assertThat(output).endsWith("after: three after");
    }

    @Test
    void theFirstThatFailsIsTheLast() {
        Path never = folder.resolve("never");
        RestoreHooks hooks =
                hooks(List.of("exit 3", "touch " + never), List.of("kill -9 $$"), LONG);
        assertThatThrownBy(hooks::before)
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        failed ->
                                assertThat(failed.code()).isEqualTo(ErrorCode.RESTORE_HOOK_BEFORE))
                .hasMessageContaining("'exit 3' ended with status 3; nothing was changed");
        assertThat(never).doesNotExist();
        assertThatThrownBy(hooks::after)
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        failed -> assertThat(failed.code()).isEqualTo(ErrorCode.RESTORE_HOOK_AFTER))
                .hasMessageContaining("the restore is complete, but ");
    }

    /// Also what it started, even if that does not want to.
    @Test
    void oneThatTakesTooLongIsEnded() throws IOException {
        Path pid = folder.resolve("pid");
        RestoreHooks hooks =
                hooks(
                        List.of(
                                "(trap '' TERM; echo started; sleep 1000) & echo $! > "
                                        + pid
                                        + "; wait"),
                        List.of(),
                        Duration.ofMillis(300));
        assertThatThrownBy(hooks::before).hasMessageContaining("did not end within");
        assertGone(pid);
    }

    @Test
    void anInterruptionEndsIt() throws Exception {
        Path pid = folder.resolve("pid");
        CountDownLatch running = new CountDownLatch(1);
        RestoreHooks hooks =
                new RestoreHooks(
                        new RestoreSettings(
                                List.of("sleep 1000 & echo $! > " + pid + "; echo go; wait"),
                                List.of(),
                                LONG),
                        Map.of(),
                        _ -> running.countDown());
        MainstayException[] thrown = new MainstayException[1];
        Thread thread =
                Thread.ofPlatform()
                        .start(
                                () -> {
                                    try {
                                        hooks.before();
                                    } catch (MainstayException stopped) {
                                        thrown[0] = stopped;
                                    }
                                });
        assertThat(running.await(30, TimeUnit.SECONDS)).isTrue();
        thread.interrupt();
        thread.join();
        assertThat(thrown[0].code()).isEqualTo(ErrorCode.INTERRUPTED);
        assertGone(pid);
    }

    /// A daemon that keeps the output open keeps nobody waiting.
    @Test
    void whatIsLeftRunningIsNotWaitedFor() throws IOException {
        Path pid = folder.resolve("pid");
        RestoreHooks hooks = hooks(List.of("sleep 1000 & echo $! > " + pid), List.of(), LONG);
        hooks.before();
        ProcessHandle left = handle(pid);
        assertThat(left.isAlive()).isTrue();
        left.destroyForcibly();
    }

    private static ProcessHandle handle(Path pid) throws IOException {
        return ProcessHandle.of(Long.parseLong(Files.readString(pid).strip())).orElseThrow();
    }

    private static void assertGone(Path pid) throws IOException {
        ProcessHandle.of(Long.parseLong(Files.readString(pid).strip()))
                .ifPresent(left -> left.onExit().orTimeout(30, TimeUnit.SECONDS).join());
    }
}
