package dev.mainstay.engine.recover;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.restore.KeptDatabases;
import dev.mainstay.engine.restore.PrivateServer;
import dev.mainstay.engine.restore.ReplayEnd;
import dev.mainstay.engine.restore.RestorePlan;
import dev.mainstay.engine.restore.RestoreRequest;
import dev.mainstay.engine.restore.RestoreRun;
import dev.mainstay.engine.restore.StructureCheck;
import dev.mainstay.postgres.protocol.SqlSession;
import dev.mainstay.repository.ProtectedSource;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Brings a table back into a live database as it was at a moment: restores its database alone into
/// a sandbox, recovers a private server there, and moves the table over with `pg_dump` and
/// `pg_restore`, in one transaction and only if nothing has its name.
public final class TableRecovery {
    private static final long SPARE_BYTES = 512L << 20;

    /// What is wanted.
    ///
    /// @param plan of the whole source; its directory is not used
    /// @param database the table is in
    /// @param as the name it will have
    /// @param createdLater the table need not be in the backup's catalog
    public record Request(
            RestorePlan plan,
            String database,
            QualifiedName table,
            QualifiedName as,
            TargetDatabase into,
            boolean createdLater) {}

    /// Where and with what.
    ///
    /// @param sandboxes directories to look for space in, best first
    /// @param keep the sandbox is not removed
    /// @param privileges grants and the owner come along as far as the target has the roles
    /// @param roles see [PrivateServer.Options]
    public record Means(
            Path serverPrograms,
            ClientPrograms clientPrograms,
            List<Path> sandboxes,
            boolean keep,
            boolean privileges,
            String preload,
            List<String> roles) {}

    /// What came of it.
    ///
    /// @param rows in the table, at the moment that was reached
    /// @param lastCommit the last transaction in it
    /// @param tables the table and its partitions, by their names in the target
    /// @param foreignKeys that were made
    /// @param notes what was left out or is otherwise than it was, and why
    public record Result(
            long rows,
            Optional<Instant> lastCommit,
            Optional<Lsn> position,
            List<String> tables,
            List<String> foreignKeys,
            List<String> notes) {}

    private final ProtectedSource source;
    private final Request request;
    private final KeptDatabases kept;
    private final ByteSize need;
    private final Progress progress;

    /// Looks everything up that can be without restoring.
    ///
    /// @throws MainstayException RESTORE_DATABASE_UNKNOWN, RESTORE_PAGE_IMAGES,
    ///   RECOVER_TABLE_UNKNOWN
    public TableRecovery(ProtectedSource source, Request request, Progress progress) {
        this.source = source;
        this.request = request;
        this.progress = progress;
        RestorePlan plan = request.plan;
        this.kept = KeptDatabases.choose(source, plan, List.of(request.database));
        long table =
                CatalogTables.find(
                                source,
                                plan.backup(),
                                kept.oid(request.database).orElseThrow(),
                                request.table,
                                request.createdLater)
                        .map(CatalogTables.Found::bytes)
                        .orElse(0L);
        long log = plan.replay().segments() * plan.details().layout().walSegmentSize();
        // Replay writes at most what the log brings, twice: once as segments, once as pages.
        this.need =
                ByteSize.of(
                        kept.reduce(plan).volume().size().bytes() + 2 * log + table + SPARE_BYTES);
    }

    /// What the sandbox may need.
    public ByteSize need() {
        return need;
    }

    public KeptDatabases kept() {
        return kept;
    }

    /// Does it all. Whatever happens, no server is left and, unless it is to be kept, no sandbox.
    ///
    /// @throws MainstayException RECOVER_SPACE, RECOVER_EXPORT_FAILED, RECOVER_IMPORT_FAILED,
    ///   RECOVER_TABLE_UNKNOWN, RECOVER_TABLE_EXISTS, what a restore throws, INTERRUPTED; the
    ///   target is as it was
    public Result execute(Means means) {
        try (Sandbox sandbox = Sandbox.create(means.sandboxes, need, means.keep, progress)) {
            RestorePlan plan = kept.reduce(inSandbox(request.plan, sandbox));
            new RestoreRun(source, plan, kept, progress).execute();
            PrivateServer.Options options =
                    new PrivateServer.Options(
                            means.serverPrograms, sandbox.run(), means.preload, false, means.roles);
            try (PrivateServer server = new PrivateServer(plan, kept, options, progress)) {
                server.recover(source);
                return transfer(server, sandbox, means);
            }
        } catch (SQLException failed) {
            throw SqlSession.failure("recovering " + request.table, failed);
        }
    }

    private static RestorePlan inSandbox(RestorePlan plan, Sandbox sandbox) {
        RestoreRequest wish = plan.request();
        return new RestorePlan(
                wish.withDirectory(sandbox.data()),
                plan.backup(),
                plan.details(),
                plan.replay(),
                plan.volume(),
                plan.tablespaces().stream()
                        .map(
                                each ->
                                        new RestorePlan.Tablespace(
                                                each.oid(),
                                                each.from(),
                                                sandbox.tablespace(each.oid())))
                        .toList(),
                plan.warnings());
    }

    private Result transfer(PrivateServer server, Sandbox sandbox, Means means)
            throws SQLException {
        ReplayEnd end;
        try (Connection sql = server.connect("template1")) {
            end = ReplayEnd.of(sql);
            // Settings of roles and databases would come with each login from here on.
            new Sql(sql).execute("DELETE FROM pg_db_role_setting");
        }
        String database = nameNow(server);
        try (Connection there = server.connect(database);
                Connection live = request.into.connect()) {
            Sql target = new Sql(live);
            Workshop workshop = new Workshop(new Sql(there), target, request.as);
            workshop.find(request.table);
            progress.begin("checking " + request.table, 0);
            StructureCheck.Result checked = StructureCheck.run(there, workshop.condition());
            checked.demandWell(request.table.toString());
            checked.note().ifPresent(note -> workshop.notes().add("the table was " + note));
            long rows = Long.parseLong(workshop.count());
            workshop.prepare();
            Path dump = sandbox.path().resolve("table.dump");
            progress.begin("exporting " + request.table, 0);
            export(server, database, workshop.members(), dump, means);
            progress.begin("importing " + request.as, 0);
            importFrom(dump, means);
            return complete(rows, end, workshop);
        } finally {
            progress.end();
        }
    }

    /// A database may have been renamed since the backup.
    private String nameNow(PrivateServer server) throws SQLException {
        try (Connection sql = server.connect("template1")) {
            return new Sql(sql)
                    .text(
                            "SELECT datname FROM pg_database WHERE oid = ?::bigint::oid",
                            kept.oid(request.database).orElseThrow())
                    .orElseThrow(
                            () ->
                                    new MainstayException(
                                            ErrorCode.RECOVER_TABLE_UNKNOWN,
                                            "at the moment that was reached there is no database "
                                                    + request.database));
        }
    }

    private static void export(
            PrivateServer server,
            String database,
            List<QualifiedName> tables,
            Path dump,
            Means means) {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                means.clientPrograms.dump().toString(),
                                "--format=custom",
                                "--compress=1",
                                "--encoding=UTF8",
                                "--no-publications",
                                "--no-subscriptions",
                                "--no-security-labels",
                                "--no-password",
                                "--file=" + dump));
        tables.forEach(table -> command.add("--table=" + table.quoted()));
        Map<String, String> variables = new LinkedHashMap<>();
        variables.put("PGHOST", server.socketDirectory().toString());
        variables.put("PGPORT", Integer.toString(PrivateServer.PORT));
        variables.put("PGUSER", server.superuser());
        variables.put("PGDATABASE", database);
        Program.run(command, variables, ErrorCode.RECOVER_EXPORT_FAILED);
    }

    private void importFrom(Path dump, Means means) throws SQLException {
        String schema = QualifiedName.quote(request.as.schema());
        boolean made;
        try (Connection live = request.into.connect()) {
            Sql target = new Sql(live);
            made =
                    target.text("SELECT 1 FROM pg_namespace WHERE nspname = ?", request.as.schema())
                            .isEmpty();
            if (made) {
                target.execute("CREATE SCHEMA " + schema);
            }
        }
        List<String> command =
                new ArrayList<>(
                        List.of(
                                means.clientPrograms.restore().toString(),
                                "--single-transaction",
                                "--exit-on-error",
                                "--no-tablespaces",
                                "--no-password",
                                "--dbname=" + request.into.url()));
        if (!means.privileges) {
            command.addAll(List.of("--no-owner", "--no-privileges"));
        }
        command.add(dump.toString());
        try {
            Program.run(command, request.into.variables(), ErrorCode.RECOVER_IMPORT_FAILED);
        } catch (MainstayException failed) {
            if (made) {
                boolean interrupted = Thread.interrupted();
                try (Connection live = request.into.connect()) {
                    new Sql(live).execute("DROP SCHEMA " + schema);
                } finally {
                    if (interrupted) {
                        Thread.currentThread().interrupt();
                    }
                }
            }
            throw failed;
        }
    }

    /// One by one, after the table is there: what cannot be made is told, with the statement.
    private static List<String> foreignKeys(Sql target, Workshop workshop) throws SQLException {
        List<String> made = new ArrayList<>();
        target.execute("SET lock_timeout = '30s'");
        for (Workshop.ForeignKey key : workshop.foreignKeys()) {
            try {
                target.execute(key.statement());
                made.add(key.name());
            } catch (SQLException refused) {
                workshop.notes()
                        .add(
                                "foreign key "
                                        + key.name()
                                        + " could not be made ("
                                        + String.valueOf(refused.getMessage())
                                                .lines()
                                                .findFirst()
                                                .orElse("")
                                        + "): "
                                        + key.statement());
            }
        }
        return made;
    }

    /// From here on the table is there: nothing that fails now undoes it.
    private Result complete(long rows, ReplayEnd end, Workshop workshop) {
        List<String> notes = workshop.notes();
        List<String> keys = new ArrayList<>();
        try (Connection live = request.into.connect()) {
            Sql target = new Sql(live);
            keys.addAll(foreignKeys(target, workshop));
            target.execute("ANALYZE " + request.as.quoted());
            long there =
                    Long.parseLong(
                            target.text("SELECT count(*) FROM " + request.as.quoted())
                                    .orElseThrow());
            if (there != rows) {
                notes.add("the table in the target now holds " + there + " rows");
            }
        } catch (SQLException | MainstayException failed) {
            notes.add(
                    "the table is there, but what comes after the import failed: "
                            + failed.getMessage());
            workshop.foreignKeys().stream()
                    .filter(key -> !keys.contains(key.name()))
                    .forEach(key -> notes.add("foreign key not made: " + key.statement()));
        }
        return new Result(
                rows,
                end.lastCommit(),
                end.position(),
                workshop.members().stream().map(QualifiedName::toString).toList(),
                keys,
                List.copyOf(notes));
    }
}
