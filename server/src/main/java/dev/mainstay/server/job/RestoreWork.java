package dev.mainstay.server.job;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.backup.FoundBackup;
import dev.mainstay.engine.config.RestoreSettings;
import dev.mainstay.engine.config.SourceSettings;
import dev.mainstay.engine.restore.DeltaRestore;
import dev.mainstay.engine.restore.HalfRestore;
import dev.mainstay.engine.restore.PreviousCluster;
import dev.mainstay.engine.restore.RestoreHooks;
import dev.mainstay.engine.restore.RestorePlan;
import dev.mainstay.engine.restore.RestorePlanner;
import dev.mainstay.engine.restore.RestoreRequest;
import dev.mainstay.engine.restore.RestoreRun;
import dev.mainstay.engine.restore.RestoreValidation;
import dev.mainstay.engine.restore.RestoredConfiguration;
import dev.mainstay.engine.restore.WalGetCall;
import dev.mainstay.engine.restore.WantedTarget;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// A restore into a directory of this host, from a job's parameters: a new or empty one, or where a
/// cluster is.
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

    /// What becomes of the cluster that is in the directory.
    public static final String IN_PLACE = "in-place";

    /// Its files are rewritten where they differ, and removed where the backup has none.
    public static final String DELTA = "delta";

    /// It is set aside.
    public static final String KEEP_PREVIOUS = "keep-previous";

    private static final int THREADS = 2;

    private final Surroundings surroundings;

    public RestoreWork(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    /// What a restore finds.
    ///
    /// @param delta what of the cluster that is there would go
    /// @param previous what would be set aside
    public record Outlook(
            RestorePlan plan,
            Optional<DeltaRestore.Outlook> delta,
            Optional<PreviousCluster> previous) {
        /// In words, what would not be there any more; empty where nothing is.
        public Optional<String> lost() {
            String where =
                    String.join(
                            ", ",
                            Stream.concat(
                                            Stream.of(plan.request().directory()),
                                            plan.tablespaces().stream()
                                                    .map(RestorePlan.Tablespace::to))
                                    .map(Path::toString)
                                    .toList());
            return delta.map(
                            found ->
                                    "in "
                                            + where
                                            + " everything that is not as in backup "
                                            + plan.backup().id()
                                            + " is overwritten, and "
                                            + found.filesRemoved()
                                            + " files and "
                                            + found.directoriesRemoved()
                                            + " directories that it does not have are removed")
                    .or(
                            () ->
                                    previous.map(
                                            _ ->
                                                    "the cluster in "
                                                            + where
                                                            + " is set aside, and backup "
                                                            + plan.backup().id()
                                                            + " takes its place"));
        }
    }

    /// What a restore would do, wherever its directory is.
    ///
    /// @throws MainstayException USAGE_INVALID, or why it is not possible
    public RestorePlan possible(ProtectedSource source, Map<String, String> parameters) {
        return new RestorePlanner(source).plan(request(source.name(), parameters));
    }

    /// Whether it is possible, and what would be done; nothing is.
    ///
    /// @throws MainstayException USAGE_INVALID, or why it is not possible
    public Outlook plan(ProtectedSource source, Map<String, String> parameters) {
        RestorePlan plan = possible(source, parameters);
        Path directory = plan.request().directory();
        String inPlace = inPlace(parameters);
        if (inPlace.equals(DELTA) && !DeltaRestore.isEmpty(directory)) {
            DeltaRestore delta = new DeltaRestore(source, plan, Progress.none());
            // A command of the configuration may stop the server before.
            boolean mayRun = !commands(source.name()).before().isEmpty();
            return new Outlook(
                    plan,
                    Optional.of(mayRun ? delta.lookRunning() : delta.look()),
                    Optional.empty());
        }
        if (inPlace.equals(KEEP_PREVIOUS)
                && PreviousCluster.isThere(directory)
                && HalfRestore.find(directory).isEmpty()) {
            PreviousCluster previous =
                    new PreviousCluster(directory, surroundings.ground().clock().instant());
            previous.demand(plan);
            return new Outlook(plan, Optional.empty(), Optional.of(previous));
        }
        plan.demandFreeDirectories();
        return new Outlook(plan, Optional.empty(), Optional.empty());
    }

    private static String inPlace(Map<String, String> parameters) {
        String word = parameters.getOrDefault(IN_PLACE, "");
        if (!List.of("", DELTA, KEEP_PREVIOUS).contains(word)) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID,
                    "inPlace '" + word + "' is none of " + DELTA + " and " + KEEP_PREVIOUS);
        }
        return word;
    }

    Map<String, String> run(JobRequest job, Progress progress) {
        Instant begin = surroundings.ground().clock().instant();
        try (Repository repository = surroundings.open()) {
            ProtectedSource source = repository.requireSource(job.target());
            Outlook outlook = plan(source, job.parameters());
            RestorePlan plan = outlook.plan;
            plan.warnings().forEach(progress::note);
            RestoreHooks hooks =
                    new RestoreHooks(commands(job.target()), job.target(), plan, progress::note);
            hooks.before();
            Map<String, String> said = new LinkedHashMap<>();
            if (outlook.delta.isPresent()) {
                said(said, new DeltaRestore(source, plan, progress).execute());
            } else {
                outlook.previous
                        .flatMap(PreviousCluster::keep)
                        .ifPresent(kept -> said.put("previous", kept.toString()));
                new RestoreRun(source, plan, progress).execute();
            }
            hooks.after();
            said(said, plan, begin);
            RestoredConfiguration configuration = new RestoredConfiguration(plan);
            said.put("next", configuration.toStart());
            configuration.notes().forEach(progress::note);
            return said;
        }
    }

    /// Reads and proves everything, and writes nothing.
    Map<String, String> validate(JobRequest job, Progress progress) {
        Instant begin = surroundings.ground().clock().instant();
        try (Repository repository = surroundings.open()) {
            ProtectedSource source = repository.requireSource(job.target());
            RestorePlan plan = possible(source, job.parameters());
            plan.warnings().forEach(progress::note);
            new RestoreValidation(source, plan, progress).run();
            Map<String, String> said = new LinkedHashMap<>();
            said(said, plan, begin);
            said.put("timeline", plan.replay().timelineSetting());
            said.put("walFirst", plan.replay().first().toString());
            said.put("walLast", plan.replay().last().toString());
            said.put("walSegments", Long.toString(plan.replay().segments()));
            said.put("proof", plan.proof());
            return said;
        }
    }

    private static void said(Map<String, String> said, DeltaRestore.Result result) {
        said.put("compared", Long.toString(result.compared()));
        said.put("kept", Long.toString(result.kept()));
        said.put("rewritten", Long.toString(result.rewritten()));
        said.put("fetched", Long.toString(result.fetched()));
        said.put("filesRemoved", Long.toString(result.outlook().filesRemoved()));
        said.put("directoriesRemoved", Long.toString(result.outlook().directoriesRemoved()));
    }

    private RestoreSettings commands(String source) {
        return settings(source).map(SourceSettings::restore).orElseGet(RestoreSettings::none);
    }

    private void said(Map<String, String> said, RestorePlan plan, Instant begin) {
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
