package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.RestoreSettings;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// Runs the operator's commands before and after a restore, each by `/bin/sh -c`, one after the
/// other, with nothing on standard input. They end with the restore: at their timeout, and when it
/// is interrupted, they and all they started are asked to end, and killed if they do not.
public final class RestoreHooks {
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final Duration LAST_WORDS = Duration.ofSeconds(1);

    private final RestoreSettings settings;
    private final Map<String, String> variables;
    private final Consumer<String> output;

    /// @param source name of the source
    /// @param output receives what the commands print, line by line
    public RestoreHooks(
            RestoreSettings settings, String source, RestorePlan plan, Consumer<String> output) {
        this(
                settings,
                Map.of(
                        "MAINSTAY_SOURCE",
                        source,
                        "MAINSTAY_TARGET_DIRECTORY",
                        plan.request().directory().toString(),
                        "MAINSTAY_BACKUP",
                        plan.backup().id().text()),
                output);
    }

    RestoreHooks(RestoreSettings settings, Map<String, String> variables, Consumer<String> output) {
        this.settings = settings;
        this.variables = Map.copyOf(variables);
        this.output = output;
    }

    /// @throws MainstayException RESTORE_HOOK_BEFORE or INTERRUPTED; nothing may be changed then
    public void before() {
        run(
                settings.before(),
                "before",
                (command, how) ->
                        new MainstayException(
                                ErrorCode.RESTORE_HOOK_BEFORE,
                                "restore.before '"
                                        + command
                                        + "' "
                                        + how
                                        + "; nothing was changed"));
    }

    /// @throws MainstayException RESTORE_HOOK_AFTER or INTERRUPTED; the restore is complete anyway
    public void after() {
        run(
                settings.after(),
                "after",
                (command, how) ->
                        new MainstayException(
                                ErrorCode.RESTORE_HOOK_AFTER,
                                "the restore is complete, but restore.after '"
                                        + command
                                        + "' "
                                        + how));
    }

    private interface Refusal {
        MainstayException of(String command, String how);
    }

    private void run(List<String> commands, String phase, Refusal refusal) {
        for (String command : commands) {
            Process process = start(command, phase, refusal);
            Thread reader = Thread.ofVirtual().start(() -> tell(process, phase));
            try {
                await(process, command, refusal);
                reader.join(LAST_WORDS); // something it left running may keep the pipe open
            } catch (InterruptedException stopped) {
                end(process);
                Thread.currentThread().interrupt();
                throw new MainstayException(
                        ErrorCode.INTERRUPTED,
                        "stopped while restore." + phase + " '" + command + "' was running",
                        stopped);
            }
            if (process.exitValue() != 0) {
                throw refusal.of(command, "ended with status " + process.exitValue());
            }
        }
    }

    private Process start(String command, String phase, Refusal refusal) {
        ProcessBuilder builder =
                new ProcessBuilder("/bin/sh", "-c", command)
                        .redirectErrorStream(true)
                        .redirectInput(new java.io.File("/dev/null"));
        builder.environment().putAll(variables);
        builder.environment().put("MAINSTAY_PHASE", phase);
        try {
            return builder.start();
        } catch (IOException failed) {
            throw refusal.of(command, "cannot be run: " + failed.getMessage());
        }
    }

    private void await(Process process, String command, Refusal refusal)
            throws InterruptedException {
        if (!process.waitFor(settings.timeout().toMillis(), TimeUnit.MILLISECONDS)) {
            end(process);
            throw refusal.of(
                    command, "did not end within " + settings.timeout().toSeconds() + " s");
        }
    }

    private void tell(Process process, String phase) {
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                output.accept(phase + ": " + line);
            }
        } catch (IOException gone) {
            return; // it ended
        }
    }

    /// With everything it started and that is still its own.
    private static void end(Process process) {
        List<ProcessHandle> all =
                java.util.stream.Stream.concat(
                                process.descendants(),
                                java.util.stream.Stream.of(process.toHandle()))
                        .toList();
        all.forEach(ProcessHandle::destroy);
        boolean interrupted = Thread.interrupted();
        try {
            process.waitFor(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException again) {
            interrupted = true;
        }
        all.forEach(ProcessHandle::destroyForcibly);
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
