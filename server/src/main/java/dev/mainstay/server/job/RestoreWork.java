package dev.mainstay.server.job;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.backup.FoundBackup;
import dev.mainstay.engine.config.RestoreSettings;
import dev.mainstay.engine.config.SourceSettings;
import dev.mainstay.engine.restore.RestoreHooks;
import dev.mainstay.engine.restore.RestorePlan;
import dev.mainstay.engine.restore.RestorePlanner;
import dev.mainstay.engine.restore.RestoreRequest;
import dev.mainstay.engine.restore.RestoreRun;
import dev.mainstay.engine.restore.WalGetCall;
import dev.mainstay.engine.restore.WantedTarget;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// A restore into a new or empty directory of this host, from a job's parameters.
public final class RestoreWork {
    /// Absolute.
    public static final String DIRECTORY = "directory";

    public static final String BACKUP = "backup";

    /// `target-time` and so on, as the command line has them.
    public static final String TARGET = "target";

    public static final String EXCLUSIVE = "exclusive";
    public static final String TIMELINE = "timeline";

    /// `pause`, `promote` or `shutdown`.
    public static final String ACTION = "target-action";

    /// Before the directory of each tablespace that goes elsewhere.
    public static final String TABLESPACE = "tablespace:";

    private static final int THREADS = 2;

    private final Surroundings surroundings;

    public RestoreWork(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    /// Whether it is possible, and what would be done; nothing is.
    ///
    /// @throws MainstayException USAGE_INVALID, or why it is not possible
    public RestorePlan plan(ProtectedSource source, Map<String, String> parameters) {
        RestorePlan plan = new RestorePlanner(source).plan(request(source.name(), parameters));
        plan.demandFreeDirectories();
        return plan;
    }

    Map<String, String> run(JobRequest job, Progress progress) {
        Instant begin = surroundings.ground().clock().instant();
        try (Repository repository = surroundings.open()) {
            ProtectedSource source = repository.requireSource(job.target());
            RestorePlan plan = plan(source, job.parameters());
            plan.warnings().forEach(progress::note);
            RestoreHooks hooks =
                    new RestoreHooks(
                            settings(job.target())
                                    .map(SourceSettings::restore)
                                    .orElseGet(RestoreSettings::none),
                            job.target(),
                            plan,
                            progress::note);
            hooks.before();
            new RestoreRun(source, plan, progress).execute();
            hooks.after();
            return said(plan, begin);
        }
    }

    private Map<String, String> said(RestorePlan plan, Instant begin) {
        Map<String, String> said = new LinkedHashMap<>();
        said.put("backup", plan.backup().id().text());
        said.put("directory", plan.request().directory().toString());
        said.put("target", plan.request().recovery().target().toString());
        said.put("endLsn", plan.replay().end().toString());
        plan.replay().time().ifPresent(time -> said.put("endTime", time.toString()));
        said.put("files", Long.toString(plan.volume().files()));
        said.put("bytes", Long.toString(plan.volume().size().bytes()));
        said.put(
                "seconds",
                Long.toString(
                        Duration.between(begin, surroundings.ground().clock().instant())
                                .toSeconds()));
        return said;
    }

    private Optional<SourceSettings> settings(String source) {
        return Optional.ofNullable(surroundings.configuration().sources().get(source));
    }

    private RestoreRequest request(String source, Map<String, String> parameters) {
        WantedTarget wanted =
                new WantedTarget(
                        given(parameters, "target-time"),
                        given(parameters, "target-lsn"),
                        given(parameters, "target-xid"),
                        given(parameters, "target-name"),
                        given(parameters, TARGET),
                        given(parameters, EXCLUSIVE).isPresent(),
                        parameters.getOrDefault(TIMELINE, "latest"),
                        RestoreWork::camelCase);
        return new RestoreRequest(
                directory(parameters),
                given(parameters, BACKUP).map(FoundBackup::parse),
                new RestoreRequest.Recovery(
                        wanted.target(),
                        wanted.timelineChoice(),
                        action(parameters),
                        false,
                        false,
                        WalGetCall.of(
                                surroundings.configuration(),
                                Path.of("").toAbsolutePath(),
                                source,
                                Optional.empty(),
                                false)),
                tablespaces(parameters),
                false,
                settings(source).map(each -> each.postgres().processMax()).orElse(THREADS));
    }

    private static Optional<String> given(Map<String, String> parameters, String name) {
        return Optional.ofNullable(parameters.get(name));
    }

    /// `targetTime` for `target-time`.
    private static String camelCase(String name) {
        int dash = name.indexOf('-');
        return dash < 0
                ? name
                : name.substring(0, dash)
                        + Character.toUpperCase(name.charAt(dash + 1))
                        + name.substring(dash + 2);
    }

    private static Path directory(Map<String, String> parameters) {
        try {
            Path directory = Path.of(parameters.getOrDefault(DIRECTORY, ""));
            if (directory.isAbsolute() && directory.equals(directory.normalize())) {
                return directory;
            }
        } catch (InvalidPathException _) {
            // refused below
        }
        throw new MainstayException(
                ErrorCode.USAGE_INVALID,
                "directory is no absolute path on the server's host",
                "name a new or empty directory, such as /var/lib/postgresql/restored",
                null);
    }

    private static Map<String, String> tablespaces(Map<String, String> parameters) {
        Map<String, String> tablespaces = new LinkedHashMap<>();
        parameters.forEach(
                (name, value) -> {
                    if (name.startsWith(TABLESPACE)) {
                        tablespaces.put(path(name.substring(TABLESPACE.length())), path(value));
                    }
                });
        return tablespaces;
    }

    private static String path(String text) {
        try {
            return Path.of(text).toString();
        } catch (InvalidPathException wrong) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID, "tablespaces names what is no path", wrong);
        }
    }

    private static RestoreRequest.Action action(Map<String, String> parameters) {
        String word = parameters.getOrDefault(ACTION, "pause");
        for (RestoreRequest.Action action : RestoreRequest.Action.values()) {
            if (action.name().toLowerCase(Locale.ROOT).equals(word)) {
                return action;
            }
        }
        throw new MainstayException(
                ErrorCode.USAGE_INVALID,
                "targetAction '" + word + "' is none of pause, promote and shutdown");
    }
}
