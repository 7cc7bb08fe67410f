package dev.mainstay.cli;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.engine.config.SourceSettings;
import dev.mainstay.engine.recover.ClientPrograms;
import dev.mainstay.engine.recover.QualifiedName;
import dev.mainstay.engine.recover.TableRecovery;
import dev.mainstay.engine.recover.TargetDatabase;
import dev.mainstay.engine.restore.RestorePlan;
import dev.mainstay.engine.restore.RestorePlanner;
import dev.mainstay.engine.restore.RestoreRequest;
import dev.mainstay.engine.restore.ServerPrograms;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// `mainstay recover table SOURCE SCHEMA.TABLE --database DB --into URL`
@Command(
        name = "table",
        description = "bring a table back into a live database, as it was at a moment")
final class RecoverTableCommand implements Verb {
    private static final int THREADS = 2;

    /// Planning asks for a directory; the sandbox is chosen once it is known what it needs.
    private static final Path LATER = Path.of("/nonexistent/mainstay-sandbox");

    @Parameters(index = "0", paramLabel = "SOURCE", description = "which source")
    private String source = "";

    @Parameters(
            index = "1",
            paramLabel = "SCHEMA.TABLE",
            description = "as in SQL: with double quotes round what is not lower case")
    private String table = "";

    @Option(
            names = "--database",
            paramLabel = "NAME",
            required = true,
            description = "the database of the source that the table is or was in")
    private String database = "";

    @Option(
            names = "--into",
            paramLabel = "URL",
            required = true,
            description =
                    "the live database: postgresql://user@host/db; the password from PGPASSWORD or"
                            + " the password file")
    private String into = "";

    @Option(
            names = "--as",
            paramLabel = "[SCHEMA.]NAME",
            description = "its name there (default: its own); nothing is ever overwritten")
    private Optional<String> as = Optional.empty();

    @Option(
            names = "--backup",
            paramLabel = "ID",
            description = "start from this backup (default: the newest before the target)")
    private Optional<String> backup = Optional.empty();

    @Mixin private TargetOptions target = new TargetOptions();

    @Option(
            names = "--sandbox",
            paramLabel = "DIR",
            description =
                    "make the sandbox in DIR (default: where temporary files go, else /var/tmp)")
    private Optional<Path> sandbox = Optional.empty();

    @Option(names = "--keep", description = "keep the sandbox; its server is stopped even so")
    private boolean keep;

    @Option(
            names = "--no-privileges",
            description = "leave out grants and the owner: the table belongs to the user of --into")
    private boolean noPrivileges;

    @Option(
            names = "--created-later",
            description = "look for a table that the backup's catalog does not have")
    private boolean createdLater;

    @Option(
            names = "--bin-directory",
            paramLabel = "DIR",
            description = "holds the programs postgres, pg_dump and pg_restore")
    private Optional<Path> binDirectory = Optional.empty();

    @Option(
            names = "--role",
            paramLabel = "NAME",
            description =
                    "a role of the restored cluster to find a superuser with (default: those of the"
                            + " urls, postgres)")
    private List<String> roles = List.of();

    @Option(
            names = "--preload",
            paramLabel = "LIBRARIES",
            description =
                    "shared_preload_libraries of the sandbox, if replay needs any (default: none)")
    private String preload = "";

    @Option(names = "--plan", description = "show what would be done, and do nothing")
    private boolean planOnly;

    @Option(names = "--yes", description = "do not ask before the table is made")
    private boolean yes;

    @Mixin private FromOption from = new FromOption();

    @Override
    public Document run(Session session) throws IOException {
        from.apply(session);
        QualifiedName name = QualifiedName.parse(table);
        QualifiedName called =
                as.map(text -> QualifiedName.parse(text, name.schema())).orElse(name);
        ConnectionSpec login = ConnectionSpec.parse(into, session.terminal().environment());
        TargetDatabase live = new TargetDatabase(into, login);
        Optional<PostgresSettings> settings =
                Optional.ofNullable(session.configuration().sources().get(source))
                        .map(SourceSettings::postgres);
        try (Repository repository = OpenSource.repository(session)) {
            ProtectedSource known = OpenSource.known(session, repository, source);
            RestorePlan plan = new RestorePlanner(known).plan(request(settings));
            ServerVersion version =
                    ServerVersion.ofServerVersionNum(plan.details().server().versionNum());
            TableRecovery recovery =
                    new TableRecovery(
                            known,
                            new TableRecovery.Request(
                                    plan, database, name, called, live, createdLater),
                            session.progress());
            TableRecovery.Means means = means(session, settings, login, version);
            live.demandRoom(called, version.major());
            if (planOnly) {
                return described(
                        Document.of("this recovery is possible; nothing was done"),
                        recovery,
                        plan,
                        name,
                        called);
            }
            Confirm.danger(
                    session,
                    "table "
                            + called
                            + " will be made in "
                            + live
                            + ", as "
                            + name
                            + " was at "
                            + plan.request().recovery().target(),
                    yes);
            Instant begin = session.clock().instant();
            TableRecovery.Result result = recovery.execute(means);
            Document document =
                    described(
                            Document.of(name + " of " + source + " is back in " + live),
                            recovery,
                            plan,
                            name,
                            called);
            return result(document, result)
                    .add("duration", Duration.between(begin, session.clock().instant()));
        }
    }

    private RestoreRequest request(Optional<PostgresSettings> settings) {
        return new RestoreRequest(
                LATER,
                backup.map(RecoverTableCommand::backupId),
                new RestoreRequest.Recovery(
                        target.target(),
                        target.timeline(),
                        RestoreRequest.Action.PROMOTE,
                        false,
                        false,
                        "false"),
                Map.of(),
                false,
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

    private TableRecovery.Means means(
            Session session,
            Optional<PostgresSettings> settings,
            ConnectionSpec login,
            ServerVersion version) {
        String path = session.terminal().environment().getOrDefault("PATH", "");
        List<String> candidates = new ArrayList<>(roles);
        settings.ifPresent(one -> candidates.add(OpenSource.connection(session, one).user()));
        candidates.add(login.user());
        List<Path> parents =
                sandbox.map(
                                directory ->
                                        List.of(
                                                session.terminal()
                                                        .workingDirectory()
                                                        .resolve(directory)
                                                        .normalize()))
                        .orElseGet(
                                () ->
                                        List.of(
                                                Path.of(System.getProperty("java.io.tmpdir")),
                                                Path.of("/var/tmp")));
        return new TableRecovery.Means(
                ServerPrograms.find(version, binDirectory, path),
                ClientPrograms.find(version.major(), binDirectory, path),
                parents,
                keep,
                !noPrivileges,
                preload,
                candidates);
    }

    private Document described(
            Document document,
            TableRecovery recovery,
            RestorePlan plan,
            QualifiedName name,
            QualifiedName called) {
        return document.add("table", name.toString())
                .add("as", called.toString())
                .add("database", database)
                .add("backup", plan.backup().id().text())
                .add("target", plan.request().recovery().target().toString())
                .add("timeline", plan.replay().timelineSetting())
                .add("walSegments", plan.replay().segments())
                .add("sandboxNeeds", recovery.need())
                .add("proof", plan.proof());
    }

    private static Document result(Document document, TableRecovery.Result result) {
        document.add("rows", result.rows())
                .add("lastCommit", result.lastCommit())
                .add("replayedTo", result.position());
        if (result.tables().size() > 1) {
            document.addAll("tables", result.tables());
        }
        if (!result.foreignKeys().isEmpty()) {
            document.addAll("foreignKeys", result.foreignKeys());
        }
        return result.notes().isEmpty()
                ? document
                : document.addAll("leftOutOrChanged", result.notes());
    }
}
