package dev.mainstay.cli;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.engine.config.RestoreSettings;
import dev.mainstay.engine.config.SourceSettings;
import dev.mainstay.engine.restore.DeltaRestore;
import dev.mainstay.engine.restore.HalfRestore;
import dev.mainstay.engine.restore.KeptDatabases;
import dev.mainstay.engine.restore.RestoreHooks;
import dev.mainstay.engine.restore.RestorePlan;
import dev.mainstay.engine.restore.RestorePlanner;
import dev.mainstay.engine.restore.RestoreRequest;
import dev.mainstay.engine.restore.RestoreRun;
import dev.mainstay.engine.restore.RestoreValidation;
import dev.mainstay.engine.restore.RestoredConfiguration;
import dev.mainstay.engine.restore.RestoredServer;
import dev.mainstay.engine.restore.ServerPrograms;
import dev.mainstay.engine.restore.WalGetCall;
import dev.mainstay.postgres.cluster.ServerVersion;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// `mainstay restore SOURCE --to DIR`
@Command(name = "restore")
final class RestoreCommand implements Verb {
    private static final int THREADS = 2;
    private static final String SUPERUSER = "postgresql://postgres@/postgres";

    @Parameters(paramLabel = "SOURCE", description = "which source")
    private String source = "";

    @Option(
            names = "--to",
            paramLabel = "DIR",
            required = true,
            description = "becomes the data directory; new or empty, unless --delta is given")
    private Path to = Path.of("");

    @Option(
            names = "--backup",
            paramLabel = "ID",
            description = "start from this backup (default: the newest before the target)")
    private Optional<String> backup = Optional.empty();

    @Mixin private FromOption from = new FromOption();

    @Mixin private RecoveryOptions recovery = new RecoveryOptions();

    @Mixin private DatabaseOptions databases = new DatabaseOptions();

    @Option(
            names = "--tablespace",
            paramLabel = "OLD=NEW",
            description = "put the tablespace of directory OLD into NEW")
    private Map<String, String> tablespaces = new LinkedHashMap<>();

    @Option(
            names = "--external-config",
            description =
                    "put configuration files from outside the data directory back to where they"
                            + " were, if there is none (default: DIR/mainstay-external)")
    private boolean externalConfig;

    @Option(
            names = "--delta",
            description =
                    "DIR holds the stopped cluster: rewrite what differs, keep what does not,"
                            + " remove the rest")
    private boolean delta;

    @Option(
            names = "--keep-previous",
            description =
                    "set the stopped cluster in DIR and its tablespaces aside, by renaming them to"
                            + " *.previous-TIME, and restore in their place")
    private boolean keepPrevious;

    @Option(
            names = "--undo",
            description =
                    "restore nothing: put back what --keep-previous set aside, and set aside what"
                            + " is there")
    private boolean undo;

    @Option(names = "--start", description = "start the server, wait for recovery, check it")
    private boolean start;

    @Option(
            names = "--bin-directory",
            paramLabel = "DIR",
            description = "with --start: holds the postgres program")
    private Optional<Path> binDirectory = Optional.empty();

    @Option(
            names = "--port",
            paramLabel = "PORT",
            description = "with --start: of the socket in DIR, and of TCP (default: 5432)")
    private int port = 5432;

    @Option(
            names = "--listen",
            paramLabel = "ADDRESSES",
            description = "with --start: listen on TCP as well (default: no)")
    private String listen = "";

    @Option(names = "--plan", description = "show what would be done, and do nothing")
    private boolean planOnly;

    @Option(
            names = "--validate-only",
            description = "read and prove everything that is needed, and write nothing")
    private boolean validateOnly;

    @Option(
            names = "--yes",
            description =
                    "do not ask: remove what an interrupted restore left in DIR, or overwrite with"
                            + " --delta")
    private boolean yes;

    @Mixin private ServerOption server = new ServerOption();

    @Override
    public Document run(Session session) throws IOException {
        if (server.isGiven()) {
            return remote(session);
        }
        from.apply(session);
        if (undo) {
            return Previous.undo(session, directory(session));
        }
        Previous.demandPossible(keepPrevious, delta);
        // On a host that only restores, the configuration need not say where the source was.
        Optional<SourceSettings> configured =
                Optional.ofNullable(session.configuration().sources().get(source));
        Optional<PostgresSettings> settings = configured.map(SourceSettings::postgres);
        RestoreSettings commands =
                configured.map(SourceSettings::restore).orElseGet(RestoreSettings::none);
        Path directory = directory(session);
        try (Repository repository = OpenSource.repository(session)) {
            ProtectedSource known = OpenSource.known(session, repository, source);
            RestoreRequest request = request(session, directory, settings);
            databases.demandPossible(request, start, delta);
            RestorePlan whole = new RestorePlanner(known).plan(request);
            KeptDatabases kept = databases.kept(known, whole);
            RestorePlan plan = kept.reduce(whole);
            Optional<InPlace> inPlace =
                    delta && !DeltaRestore.isEmpty(directory)
                            ? Optional.of(new InPlace(session, known, plan))
                            : Optional.empty();
            Previous previous = Previous.of(session, plan, keepPrevious);
            if (planOnly) {
                return DatabaseOptions.describe(planned(plan, inPlace, previous), kept);
            }
            Optional<Path> programs =
                    start && !validateOnly ? Optional.of(bin(session, plan)) : Optional.empty();
            Instant begin = session.clock().instant();
            if (validateOnly) {
                new RestoreValidation(known, whole, session.progress()).run();
                return took(
                        describe(
                                Document.of("everything this restore needs is there and whole"),
                                plan),
                        session,
                        begin);
            }
            RestoreHooks hooks =
                    new RestoreHooks(commands, source, plan, line -> say(session, line));
            Document document = Document.of(source + " is restored in " + directory);
            if (inPlace.isPresent()) {
                inPlace.get().confirm(yes, !commands.before().isEmpty());
                hooks.before();
                InPlace.told(describe(document, plan), inPlace.get().run());
            } else {
                Optional<HalfRestore> removed =
                        previous.isKept() ? Optional.empty() : makeRoom(session, plan, commands);
                hooks.before();
                removed.ifPresent(HalfRestore::remove);
                previous.keep(document);
                new RestoreRun(known, plan, kept, session.progress()).execute();
                describe(document, plan);
            }
            took(document, session, begin);
            DatabaseOptions.describe(document, kept);
            Document complete;
            if (programs.isPresent()) {
                ConnectionSpec login = login(session, settings);
                databases.finish(document, session, known, plan, kept, programs.get(), login);
                complete = started(document, session, login, plan, kept, programs.get());
            } else {
                complete = databases.toStart(toStart(document, plan, kept), kept);
            }
            hooks.after();
            return complete;
        }
    }

    private Document remote(Session session) throws IOException {
        server.without("--from or --as-of", from.isAnyGiven())
                .without("--database", databases.areGiven())
                .without("--external-config", externalConfig)
                .without("--undo", undo)
                .without("--start", start);
        Previous.demandPossible(keepPrevious, delta);
        Map<String, Object> body = recovery.body(server);
        body.put("source", source);
        body.put("directory", to.toString());
        backup.ifPresent(id -> body.put("backup", id));
        if (delta || keepPrevious) {
            body.put("inPlace", delta ? "delta" : "keep-previous");
        }
        if (!tablespaces.isEmpty()) {
            body.put("tablespaces", tablespaces);
        }
        return server.ask(
                session,
                ServerOption.STOPPED + "; nothing was started",
                remote -> {
                    RemoteRestore restore = new RemoteRestore(remote, source, body);
                    if (planOnly) {
                        return restore.plan();
                    }
                    return validateOnly ? restore.validate() : restore.run(yes);
                });
    }

    private Path directory(Session session) {
        return session.terminal().workingDirectory().resolve(to).toAbsolutePath().normalize();
    }

    private static void say(Session session, String line) {
        session.terminal().err().println(line);
    }

    private static Document planned(
            RestorePlan plan, Optional<InPlace> inPlace, Previous previous) {
        Document document =
                describe(Document.of("this restore is possible; nothing was done"), plan);
        if (inPlace.isPresent()) {
            return inPlace.get().planned(document);
        }
        if (previous.isKept()) {
            return document.add("keepsPrevious", true);
        }
        Optional<HalfRestore> half = HalfRestore.find(plan.request().directory());
        if (half.isPresent()) {
            plan.demandFreeDirectoriesBut(half.get());
            document.addAll("removesInterruptedRestore", names(half.get()));
        } else {
            plan.demandFreeDirectories();
        }
        return document;
    }

    /// What an interrupted restore left is of no use; everything else is not ours to remove.
    /// Without anybody to ask the restore itself refuses, and says what to do.
    ///
    /// @return what somebody agreed to remove
    private Optional<HalfRestore> makeRoom(
            Session session, RestorePlan plan, RestoreSettings commands) throws IOException {
        Optional<HalfRestore> half = HalfRestore.find(plan.request().directory());
        boolean asks = session.terminal().inIsTerminal() && session.terminal().errIsTerminal();
        if (half.isPresent() && (yes || (asks && session.output() != Output.json))) {
            plan.demandFreeDirectoriesBut(half.get());
            Confirm.danger(
                    session,
                    "everything in "
                            + String.join(", ", names(half.get()))
                            + " will be removed, the rest of an interrupted restore",
                    yes);
            return half;
        }
        if (!commands.before().isEmpty()) {
            plan.demandFreeDirectories(); // or the application would be stopped for nothing
        }
        return Optional.empty();
    }

    private static List<String> names(HalfRestore half) {
        return half.directories().stream().map(Path::toString).toList();
    }

    private static Document toStart(Document document, RestorePlan plan, KeptDatabases kept) {
        RestoredConfiguration configuration = new RestoredConfiguration(plan);
        StringBuilder command = new StringBuilder("start the server on ");
        command.append(plan.request().directory());
        command.append(DatabaseOptions.startOptions(kept));
        configuration.options(command);
        document.add("next", command.toString());
        if (!configuration.notes().isEmpty()) {
            document.addAll("notes", configuration.notes());
        }
        return document;
    }

    private RestoreRequest request(
            Session session, Path directory, Optional<PostgresSettings> settings) {
        return new RestoreRequest(
                directory,
                backup.map(RestoreCommand::backupId),
                recovery.recovery(
                        WalGetCall.of(
                                session.configuration(),
                                session.terminal().workingDirectory(),
                                source,
                                session.copy(),
                                recovery.standby()),
                        databases.areGiven()
                                ? RestoreRequest.Action.PROMOTE
                                : RestoreRequest.Action.PAUSE),
                tablespaces,
                externalConfig,
                settings.map(PostgresSettings::processMax).orElse(THREADS));
    }

    private static BackupId backupId(String text) {
        try {
            return BackupId.parse(text);
        } catch (IllegalArgumentException wrong) {
            throw new MainstayException(
                    ErrorCode.BACKUP_UNKNOWN, "'" + text + "' is no backup", wrong);
        }
    }

    private Path bin(Session session, RestorePlan plan) {
        return ServerPrograms.find(
                ServerVersion.ofServerVersionNum(plan.details().server().versionNum()),
                binDirectory,
                session.terminal().environment().getOrDefault("PATH", ""));
    }

    private static Document took(Document document, Session session, Instant begin) {
        return document.add("duration", Duration.between(begin, session.clock().instant()));
    }

    private static Document describe(Document document, RestorePlan plan) {
        return PlannedRestore.of(plan).describe(document);
    }

    private static ConnectionSpec login(Session session, Optional<PostgresSettings> settings) {
        return settings.map(known -> OpenSource.connection(session, known))
                .orElseGet(() -> ConnectionSpec.parse(SUPERUSER, session.terminal().environment()));
    }

    private Document started(
            Document document,
            Session session,
            ConnectionSpec login,
            RestorePlan plan,
            KeptDatabases kept,
            Path programs) {
        RestoredServer.Outcome outcome =
                new RestoredServer(
                                plan,
                                programs,
                                new RestoredServer.Listening(listen, port),
                                login,
                                session.progress())
                        .start();
        document.add("server", outcome.state());
        if (kept.isEverything()) { // otherwise the server was started before, and said so then
            document.add("replayedTo", outcome.position()).add("lastCommit", outcome.lastCommit());
        }
        document.addAll("databases", outcome.databases());
        List<String> notes =
                Stream.concat(
                                outcome.notes().stream(),
                                new RestoredConfiguration(plan).notes().stream())
                        .toList();
        if (!notes.isEmpty()) {
            document.addAll("notes", notes);
        }
        return document;
    }
}
