package dev.mainstay.cli;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.archive.StoredLog;
import dev.mainstay.engine.archive.StoredTimeline;
import dev.mainstay.engine.archive.WalGet;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.engine.backup.ClusterBackup;
import dev.mainstay.engine.config.KeySource;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.engine.config.RepositorySettings;
import dev.mainstay.engine.restore.RestorePlan;
import dev.mainstay.engine.restore.RestorePlanner;
import dev.mainstay.engine.restore.RestoreRequest;
import dev.mainstay.engine.restore.RestoreRun;
import dev.mainstay.engine.restore.RestoreTarget;
import dev.mainstay.engine.restore.RestoredServer;
import dev.mainstay.engine.restore.TimelineChoice;
import dev.mainstay.postgres.cluster.PostgresServer;
import dev.mainstay.postgres.cluster.ServerUser;
import dev.mainstay.postgres.cluster.Waiter;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.postgres.protocol.SqlSession;
import dev.mainstay.postgres.wal.TimelineEvent;
import dev.mainstay.postgres.wal.TimelineHistory;
import dev.mainstay.postgres.wal.WalTarget;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/// The whole story, on a real server: protect, lose, find the moment, bring it back, compare.
final class DemoStory {
    private static final String CONTENT =
            "SELECT count(*) || ' rows, ' || coalesce(sum(hashtextextended(o::text, 0)), 0)"
                    + " FROM orders o";
    private static final long ROW_BYTES = 180;

    private final Session session;
    private final DemoStage stage;
    private int step;

    DemoStory(Session session, DemoStage stage) {
        this.session = session;
        this.stage = stage;
    }

    private void say(String line) {
        session.progress().note(++step + ". " + line);
    }

    Document tell(ByteSize size) throws Exception {
        Path data = stage.directory("data");
        int port = DemoStage.freePort();
        PostgresServer server = stage.newCluster(data, port);
        PostgresSettings settings = stage.settings(data, port);
        ConnectionSpec spec = ConnectionSpec.parse(settings.url(), Map.of());
        RepositorySettings storing =
                RepositorySettings.of(
                        "file://" + stage.folder() + "/repository",
                        new KeySource.KeyFile(stage.folder().resolve("repository.key")));
        Ground ground = new Ground(session.clock(), session.random());
        try (Repository repository = RepositoryAccess.create(storing, ground)) {
            say("started an embedded PostgreSQL and created an encrypted repository");
            ProtectedSource source = repository.sourceOrAdd("demo");
            Loss loss;
            ClusterBackup.Result full;
            ClusterBackup.Result incremental;
            try (DemoReceiver _ = new DemoReceiver(source, settings, spec, storing)) {
                load(spec, size);
                try (DemoWriter writing = new DemoWriter(spec)) {
                    ClusterBackup backup =
                            new ClusterBackup(source, storing, settings, spec, Progress.none());
                    full = backUp(backup, ClusterBackup.Request.Type.FULL);
                    change(spec);
                    incremental = backUp(backup, ClusterBackup.Request.Type.INCREMENTAL);
                    loss = lose(spec, server, writing);
                }
            }
            return recover(source, spec, incremental.details(), loss, full, incremental);
        }
    }

    private void load(ConnectionSpec spec, ByteSize size) throws SQLException {
        long rows = Math.max(1000, size.bytes() / ROW_BYTES);
        Instant begin = session.clock().instant();
        try (Connection sql = SqlSession.openSql(spec, "demo");
                Statement statement = sql.createStatement()) {
            statement.execute(
                    "CREATE TABLE orders (id bigint PRIMARY KEY, placed timestamptz, customer text,"
                            + " note text)");
            statement.execute("CREATE TABLE journal (at timestamptz, what text)");
            statement.execute(
                    "INSERT INTO orders SELECT g, now(), md5(g::text), md5((g / 7)::text) ||"
                            + " ' is what they said' FROM generate_series(1, "
                            + rows
                            + ") g");
            // Else the first scan after the backup marks rows as committed, in every page.
            statement.execute("VACUUM (FREEZE) orders");
        }
        say("loaded " + rows + " orders in " + seconds(begin) + " while their WAL is streamed");
    }

    private String seconds(Instant begin) {
        return String.format(
                java.util.Locale.ROOT,
                "%.1f s",
                Duration.between(begin, session.clock().instant()).toMillis() / 1000.0);
    }

    private ClusterBackup.Result backUp(ClusterBackup backup, ClusterBackup.Request.Type type) {
        ClusterBackup.Result result =
                backup.run(
                        new ClusterBackup.Request(
                                type,
                                Duration.ofSeconds(60),
                                Waiter.sleeping(Duration.ofMillis(20))));
        say(
                result.backup().type()
                        + " backup while writes go on: "
                        + ByteSize.of(result.backup().statistics().number("bytes"))
                        + " in "
                        + result.duration().toMillis()
                        + " ms, "
                        + ByteSize.of(result.backup().statistics().number("bytes-stored"))
                        + " stored");
        return result;
    }

    private static void change(ConnectionSpec spec) throws SQLException {
        try (Connection sql = SqlSession.openSql(spec, "demo");
                Statement statement = sql.createStatement()) {
            statement.execute("UPDATE orders SET note = 'changed' WHERE id % 997 = 0");
            statement.execute("CHECKPOINT");
        }
    }

    /// @param content of the table when it was last there
    /// @param file number of the table
    /// @param lastCommit the server's time of the last commit a client was told of
    private record Loss(String content, long file, Instant lastCommit) {}

    private Loss lose(ConnectionSpec spec, PostgresServer server, DemoWriter writing)
            throws SQLException {
        String content;
        long file;
        try (Connection sql = SqlSession.openSql(spec, "demo");
                Statement statement = sql.createStatement()) {
            content = value(statement, CONTENT);
            file = Long.parseLong(value(statement, "SELECT pg_relation_filenode('orders')"));
            statement.execute("DROP TABLE orders");
        }
        say("the table holds " + content.split(",", -1)[0] + "; somebody drops it");
        writing.await(20);
        Instant last = writing.lastCommit();
        server.kill();
        say("and then the server dies");
        return new Loss(content, file, last);
    }

    static String value(Statement statement, String query) throws SQLException {
        try (ResultSet row = statement.executeQuery(query)) {
            row.next();
            return row.getString(1);
        }
    }

    private Document recover(
            ProtectedSource source,
            ConnectionSpec spec,
            BackupDetails details,
            Loss loss,
            ClusterBackup.Result full,
            ClusterBackup.Result incremental)
            throws IOException, SQLException {
        StoredTimeline.Story story =
                StoredTimeline.read(
                        StoredLog.read(
                                source.wal(details.systemId(), 1),
                                TimelineHistory.first(details.timeline()),
                                details.layout().walSegmentSize(),
                                details.startLsn()));
        TimelineEvent.RelationChanged drop =
                story.events().stream()
                        .filter(TimelineEvent.RelationChanged.class::isInstance)
                        .map(TimelineEvent.RelationChanged.class::cast)
                        .filter(event -> event.file().number() == loss.file())
                        .findFirst()
                        .orElseThrow(
                                () ->
                                        new MainstayException(
                                                ErrorCode.INTERNAL,
                                                "the drop was not found in the stored WAL"));
        say(
                "the WAL says: dropped at "
                        + drop.time().map(Instant::toString).orElse("?")
                        + ", position "
                        + drop.lsn());
        Duration rpo =
                story.latest()
                        .map(commit -> Duration.between(commit, loss.lastCommit()))
                        .map(lag -> lag.isNegative() ? Duration.ZERO : lag)
                        .orElseThrow(
                                () ->
                                        new MainstayException(
                                                ErrorCode.INTERNAL,
                                                "the stored WAL holds no commit"));
        Instant begin = session.clock().instant();
        Path restored = stage.directory("restored");
        RestorePlan plan = restore(source, details, drop.lsn(), restored);
        String content = startAndAsk(plan, spec);
        Duration rto = Duration.between(begin, session.clock().instant());
        boolean same = content.equals(loss.content());
        say(
                "restored to the instant before, started, asked: "
                        + content.split(",", -1)[0]
                        + (same ? ", exactly what was there" : ", NOT what was there"));
        Document document =
                Document.of(same ? "the table is back" : "the table is not what it was")
                        .add("same", same)
                        .add("rpo", rpo)
                        .add("rto", rto)
                        .add("dropTime", drop.time())
                        .add("dropLsn", drop.lsn().toString());
        return figures(document, full, incremental, same);
    }

    private static Document figures(
            Document document,
            ClusterBackup.Result full,
            ClusterBackup.Result incremental,
            boolean same) {
        document.add(
                "backups",
                Table.of("type", "size", "stored", "duration")
                        .row(
                                "full",
                                ByteSize.of(full.backup().statistics().number("bytes")),
                                ByteSize.of(full.backup().statistics().number("bytes-stored")),
                                full.duration())
                        .row(
                                "incremental",
                                ByteSize.of(incremental.backup().statistics().number("bytes")),
                                ByteSize.of(
                                        incremental.backup().statistics().number("bytes-stored")),
                                incremental.duration()));
        return same ? document : document.failing();
    }

    /// The server's own user may not be able to run this program where it is, so the WAL is fetched
    /// here and the recovery copies it.
    private RestorePlan restore(
            ProtectedSource source, BackupDetails details, Lsn drop, Path restored)
            throws IOException {
        Path wal = stage.directory("wal");
        RestoreRequest.Recovery recovery =
                new RestoreRequest.Recovery(
                        new RestoreTarget.At(new WalTarget.AtLsn(drop, false)),
                        new TimelineChoice.Current(),
                        RestoreRequest.Action.PROMOTE,
                        false,
                        false,
                        "cp '" + wal + "/%f' '%p'");
        RestorePlan plan =
                new RestorePlanner(source)
                        .plan(
                                new RestoreRequest(
                                        restored, Optional.empty(), recovery, Map.of(), false, 2));
        new RestoreRun(source, plan, Progress.none()).execute();
        WalGet get =
                new WalGet(source, details.systemId(), details.layout().walSegmentSize(), true);
        WalSegment segment = plan.details().startSegment();
        while (get.get(segment.fileName(), wal.resolve(segment.fileName()))) {
            segment = segment.next();
        }
        ServerUser.giveToUnprivileged(wal);
        return plan;
    }

    private String startAndAsk(RestorePlan plan, ConnectionSpec spec)
            throws IOException, SQLException {
        int port = DemoStage.freePort();
        RestoredServer restored =
                new RestoredServer(
                        plan,
                        stage.programs().binDirectory(),
                        new RestoredServer.Listening("127.0.0.1", port),
                        spec,
                        Progress.none());
        stage.alsoStop(restored.server());
        restored.start();
        ConnectionSpec there = ConnectionSpec.parse(DemoStage.url(port), Map.of());
        try (Connection sql = SqlSession.openSql(there, "demo");
                Statement statement = sql.createStatement()) {
            return value(statement, CONTENT);
        }
    }
}
