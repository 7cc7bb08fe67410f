package dev.mainstay.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.postgres.wal.BlockChanges;
import dev.mainstay.postgres.wal.ChangedBlocks;
import dev.mainstay.postgres.wal.Fork;
import dev.mainstay.postgres.wal.PgClassFiles;
import dev.mainstay.postgres.wal.RelationFile;
import dev.mainstay.postgres.wal.RelationNames;
import dev.mainstay.postgres.wal.TimelineEvent;
import dev.mainstay.postgres.wal.WalEvent;
import dev.mainstay.postgres.wal.WalLayout;
import dev.mainstay.postgres.wal.WalReader;
import dev.mainstay.postgres.wal.WalRecord;
import dev.mainstay.postgres.wal.WalSearch;
import dev.mainstay.postgres.wal.WalSource;
import dev.mainstay.postgres.wal.WalSummariser;
import dev.mainstay.postgres.wal.WalSummary;
import dev.mainstay.postgres.wal.WalTarget;
import dev.mainstay.postgres.wal.WalTimeline;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// PostgreSQL's own readers judge ours: pg_walinspect, pg_waldump and the server's WAL summaries.
class WalJudgeTest {
    private static final int MIB = 1 << 20;

    private static TestCluster cluster(int major, String walLevel, int segmentMib) {
        ClusterOptions options =
                ClusterOptions.standard()
                        .withWalSegmentMib(segmentMib)
                        .with("wal_level", walLevel)
                        .with("wal_compression", "on")
                        .with("max_prepared_transactions", "10")
                        .with("min_wal_size", "80MB")
                        .with("wal_keep_size", "600MB")
                        .with("autovacuum", "off");
        return TestCluster.create(
                major, major >= 17 ? options.with("summarize_wal", "on") : options);
    }

    private static String[] workload(int major) {
        List<String> sql = new ArrayList<>();
        sql.add("CREATE TABLE t (id serial PRIMARY KEY, a int, b text, p point, n int[])");
        sql.add(
                "INSERT INTO t (a, b, p, n) SELECT g, md5(g::text), point(g, g % 7), ARRAY[g, g %"
                        + " 9] FROM generate_series(1, 5000) g");
        sql.add("CREATE INDEX ON t USING hash (a)");
        sql.add("CREATE INDEX ON t USING gin (n)");
        sql.add("CREATE INDEX ON t USING gist (p)");
        sql.add("CREATE INDEX ON t USING spgist (p)");
        sql.add("CREATE INDEX ON t USING brin (a)");
        sql.add("CHECKPOINT");
        sql.add("UPDATE t SET a = a + 1, b = b || 'x', p = point(a, 3) WHERE id % 3 = 0");
        sql.add("DELETE FROM t WHERE id > 4000");
        sql.add("VACUUM (FREEZE) t");
        sql.add("CREATE TABLE big (id int, v text)");
        sql.add("ALTER TABLE big ALTER v SET STORAGE EXTERNAL");
        sql.add(
                "INSERT INTO big SELECT g, repeat(md5(g::text), 20000) FROM generate_series(1, 4)"
                        + " g");
        sql.add("SELECT pg_logical_emit_message(false, 'm', repeat('z', 3000000))");
        sql.add(
                "DO $$ BEGIN FOR i IN 1..40 LOOP BEGIN INSERT INTO t (a) VALUES (i); IF i % 5 = 0"
                    + " THEN RAISE 'x'; END IF; EXCEPTION WHEN raise_exception THEN NULL; END; END"
                    + " LOOP; END $$");
        sql.add(
                "BEGIN; INSERT INTO t (a) VALUES (1); CREATE TABLE tp (x int);"
                        + " PREPARE TRANSACTION 'p1'");
        sql.add(
                "BEGIN; SAVEPOINT s; INSERT INTO t (a) VALUES (2); DROP TABLE big;"
                        + " PREPARE TRANSACTION 'p2'");
        sql.add("COMMIT PREPARED 'p1'");
        sql.add("ROLLBACK PREPARED 'p2'");
        sql.add("CREATE UNLOGGED TABLE u (x int); INSERT INTO u VALUES (1)");
        sql.add("CREATE SEQUENCE s");
        sql.add("SELECT nextval('s') FROM generate_series(1, 100)");
        sql.add("VACUUM FULL t");
        sql.add("TRUNCATE big");
        sql.add("DROP TABLE u");
        sql.add("CREATE DATABASE d1" + (major >= 15 ? " STRATEGY wal_log" : ""));
        if (major >= 15) {
            sql.add("CREATE DATABASE d2 STRATEGY file_copy");
            sql.add("DROP DATABASE d2");
        }
        sql.add("SELECT pg_create_restore_point('here')");
        sql.add("VACUUM FULL pg_class");
        sql.add("SELECT pg_switch_wal()");
        sql.add("INSERT INTO tp SELECT generate_series(1, 1000)");
        sql.add("DELETE FROM tp WHERE x > 100");
        sql.add("VACUUM tp");
        sql.add("CREATE MATERIALIZED VIEW mv AS SELECT * FROM t");
        sql.add("REFRESH MATERIALIZED VIEW mv");
        sql.add("CHECKPOINT");
        return sql.toArray(String[]::new);
    }

    private static WalSource wal(TestCluster cluster, int segmentBytes) {
        Path directory = cluster.dataDirectory().resolve("pg_wal");
        return WalSource.segments(
                segmentBytes,
                number -> {
                    WalSegment segment = new WalSegment(TimelineId.of(1), number, segmentBytes);
                    Path file = directory.resolve(segment.fileName());
                    try {
                        return Files.exists(file)
                                ? Optional.of(Files.readAllBytes(file))
                                : Optional.empty();
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                });
    }

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void everyRecordAndReferenceIsWhatTheServersOwnReadersSee(int major) throws Exception {
        for (String level : List.of("replica", "logical")) {
            try (TestCluster cluster = cluster(major, level, level.equals("replica") ? 1 : 16)) {
                int segment = level.equals("replica") ? MIB : 16 * MIB;
                Lsn start = Lsn.parse(cluster.value("SELECT pg_current_wal_lsn()"));
                cluster.sql(workload(major));
                cluster.sql("SELECT pg_switch_wal()", "CREATE TABLE last (x int)", "CHECKPOINT");
                Lsn end = Lsn.parse(cluster.value("SELECT pg_current_wal_flush_lsn()"));
                Seen ours = read(wal(cluster, segment), segment, start, end);
                assertThat(ours.records).hasSizeGreaterThan(3000);
                if (major >= 15) {
                    compareRecords(cluster, ours, start, end);
                }
                if (major >= 16) {
                    compareBlocks(cluster, ours, start, end);
                } else if (major == 15) {
                    compareDump(cluster, ours, start, end);
                }
                if (major >= 17) {
                    compareSummaries(cluster, segment, start);
                }
            }
        }
    }

    private record Seen(List<String> records, List<String> blocks, List<String> references) {}

    private static Seen read(WalSource source, int segment, Lsn start, Lsn end) {
        Seen seen = new Seen(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        WalReader reader = WalReader.seek(source, WalLayout.of(segment), start);
        while (reader.next() instanceof WalRecord record && !record.end().isAfter(end)) {
            int images = 0;
            for (int i = 0; i < record.blockCount(); i++) {
                int image = record.image(i).map(one -> one.storedBytes()).orElse(0);
                images += image;
                RelationFile file = record.blockFile(i);
                seen.blocks.add(
                        join(
                                record.lsn(),
                                record.blockId(i),
                                file,
                                record.blockFork(i).number(),
                                record.blockNumber(i),
                                record.blockDataBytes(i),
                                image));
                seen.references.add(
                        join(
                                record.lsn(),
                                record.blockId(i),
                                file,
                                record.blockFork(i).number(),
                                record.blockNumber(i)));
            }
            seen.records.add(
                    join(
                            record.lsn(),
                            record.end(),
                            record.previous(),
                            record.xid(),
                            record.managerName(),
                            record.totalBytes(),
                            record.mainDataBytes(),
                            images));
            WalEvent.of(record);
        }
        return seen;
    }

    private static String join(Object... parts) {
        return String.join("|", Arrays.stream(parts).map(Object::toString).toList());
    }

    private static void compareRecords(TestCluster cluster, Seen ours, Lsn start, Lsn end) {
        cluster.sql("CREATE EXTENSION pg_walinspect");
        List<String> theirs =
                cluster.rows(
                        "postgres",
                        "SELECT concat_ws('|', start_lsn, end_lsn, prev_lsn, xid, resource_manager,"
                                + " record_length, main_data_length, fpi_length) FROM"
                                + " pg_get_wal_records_info('%s', '%s')".formatted(start, end));
        assertThat(ours.records).isEqualTo(theirs);
    }

    private static void compareBlocks(TestCluster cluster, Seen ours, Lsn start, Lsn end) {
        List<String> theirs =
                cluster.rows(
                        "postgres",
                        "SELECT concat_ws('|', start_lsn, block_id, reltablespace || '/' ||"
                                + " reldatabase || '/' || relfilenode, relforknumber,"
                                + " relblocknumber, block_data_length, block_fpi_length) FROM"
                                + " pg_get_wal_block_info('%s', '%s')".formatted(start, end));
        assertThat(new TreeSet<>(ours.blocks)).isEqualTo(new TreeSet<>(theirs));
        assertThat(ours.blocks).hasSameSizeAs(theirs);
    }

    private static final Pattern LSN = Pattern.compile(", lsn: ([0-9A-F]+/[0-9A-F]+),");
    private static final Pattern REFERENCE =
            Pattern.compile("blkref #(\\d+): rel (\\S+)(?: fork (\\w+))? blk (\\d+)");

    private static void compareDump(TestCluster cluster, Seen ours, Lsn start, Lsn end)
            throws IOException, InterruptedException {
        Path program = DebianPrograms.assume("pg_waldump");
        Process process =
                new ProcessBuilder(
                                program.toString(),
                                "-p",
                                cluster.dataDirectory().resolve("pg_wal").toString(),
                                "-s",
                                start.toString(),
                                "-e",
                                end.toString())
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).isZero();
        List<String> theirs = new ArrayList<>();
        text.lines()
                .forEach(
                        line -> {
                            Matcher lsn = LSN.matcher(line);
                            if (lsn.find()) {
                                Matcher reference = REFERENCE.matcher(line);
                                while (reference.find()) {
                                    theirs.add(dumped(Lsn.parse(lsn.group(1)), reference));
                                }
                            }
                        });
        assertThat(ours.references).isEqualTo(theirs);
    }

    private static String dumped(Lsn lsn, Matcher reference) {
        int fork =
                reference.group(3) == null
                        ? 0
                        : List.of("main", "fsm", "vm", "init").indexOf(reference.group(3));
        return join(lsn, reference.group(1), reference.group(2), fork, reference.group(4));
    }

    /// The server keeps what we leave out: blocks beyond a later truncation of a fork that was
    /// already limited. Visibility maps are left out: the server limits them by the heap's length.
    private static void compareSummaries(TestCluster cluster, int segment, Lsn start) {
        cluster.sql("CHECKPOINT");
        String redo = cluster.value("SELECT redo_lsn FROM pg_control_checkpoint()");
        Await.until(
                "summaries up to " + redo,
                () ->
                        cluster.value(
                                        "SELECT coalesce(max(end_lsn) >= '"
                                                + redo
                                                + "', false) FROM pg_available_wal_summaries()")
                                .equals("t"));
        List<String> summaries =
                cluster.rows(
                        "postgres",
                        "SELECT start_lsn || ' ' || end_lsn FROM pg_available_wal_summaries() WHERE"
                                + " start_lsn >= '"
                                + start
                                + "' ORDER BY 1");
        assertThat(summaries).isNotEmpty();
        for (String summary : summaries) {
            String from = summary.substring(0, summary.indexOf(' '));
            String to = summary.substring(summary.indexOf(' ') + 1);
            WalReader reader =
                    WalReader.seek(wal(cluster, segment), WalLayout.of(segment), Lsn.parse(from));
            WalSummariser.RangeChanges ours = WalSummariser.changes(reader, Lsn.parse(to));
            assertThat(ours.unread()).isEmpty();
            assertThat(ours.readWhole()).isEmpty();
            compareSummary(
                    ours.changed(),
                    cluster.rows(
                            "postgres",
                            "SELECT concat_ws('|', reltablespace, reldatabase, relfilenode,"
                                    + " relforknumber, relblocknumber, is_limit_block) FROM"
                                    + " pg_wal_summary_contents(1, '%s', '%s')"
                                            .formatted(from, to)));
        }
    }

    private static void compareSummary(ChangedBlocks ours, List<String> rows) {
        TreeSet<String> theirs = new TreeSet<>();
        for (String row : rows) {
            String[] f = row.split("\\|", -1);
            RelationFile file =
                    new RelationFile(
                            Long.parseLong(f[0]), Long.parseLong(f[1]), Long.parseLong(f[2]));
            int fork = Integer.parseInt(f[3]);
            long block = Long.parseLong(f[4]);
            boolean limit = f[5].equals("t");
            if (fork == Fork.VM.number()) {
                continue;
            }
            Fork named = fork == 0 ? Fork.MAIN : Fork.INIT;
            BlockChanges change = ours.of(file, named).orElse(null);
            assertThat(change).as(row).isNotNull();
            if (change != null && !limit && !change.isListed(block)) {
                assertThat(change.limit()).as(row).isPresent();
                assertThat(change.limit().getAsLong()).as(row).isLessThanOrEqualTo(block);
            } else {
                theirs.add(join(file, named, block, limit));
            }
        }
        TreeSet<String> mine = new TreeSet<>();
        ours.byFork()
                .forEach(
                        (key, change) -> {
                            if (key.fork() != Fork.VM) {
                                change.blocks()
                                        .forEach(
                                                b ->
                                                        mine.add(
                                                                join(
                                                                        key.file(),
                                                                        key.fork(),
                                                                        b,
                                                                        false)));
                                change.limit()
                                        .ifPresent(
                                                b ->
                                                        mine.add(
                                                                join(
                                                                        key.file(),
                                                                        key.fork(),
                                                                        b,
                                                                        true)));
                            }
                        });
        assertThat(mine).isEqualTo(theirs);
    }

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void summariesTellWhatBecameOfRelations(int major) {
        try (TestCluster cluster = cluster(major, "replica", 1)) {
            cluster.sql(
                    "CREATE TABLE a (x int PRIMARY KEY, v text)",
                    "CREATE TABLE b (x int)",
                    "CREATE TABLE c (x int)",
                    "CREATE TABLE d (x int)",
                    "CREATE TABLE e (x int)",
                    "INSERT INTO a SELECT g, repeat('q', 500) FROM generate_series(1, 3000) g",
                    "INSERT INTO b SELECT generate_series(1, 1000)",
                    "INSERT INTO c SELECT generate_series(1, 1000)",
                    "INSERT INTO d SELECT generate_series(1, 1000)",
                    "CHECKPOINT");
            Lsn start = Lsn.parse(cluster.value("SELECT redo_lsn FROM pg_control_checkpoint()"));
            Map<Long, TimelineEvent.Fate> expected = new HashMap<>();
            change(cluster, expected, "a", TimelineEvent.Fate.REWRITTEN, "VACUUM FULL a");
            // the key's index is dropped and made anew, the table rewritten: nobody can pair them
            change(
                    cluster,
                    expected,
                    "a",
                    TimelineEvent.Fate.DROPPED_OR_REWRITTEN,
                    "ALTER TABLE a ALTER x TYPE bigint");
            change(
                    cluster,
                    expected,
                    "a_pkey",
                    TimelineEvent.Fate.REWRITTEN,
                    "REINDEX INDEX a_pkey");
            change(cluster, expected, "b", TimelineEvent.Fate.TRUNCATED, "TRUNCATE b");
            change(
                    cluster,
                    expected,
                    "b",
                    TimelineEvent.Fate.TRUNCATED,
                    "BEGIN; TRUNCATE b; INSERT INTO b SELECT generate_series(1, 500); COMMIT");
            change(cluster, expected, "c", TimelineEvent.Fate.DROPPED, "DROP TABLE c");
            change(
                    cluster,
                    expected,
                    "d",
                    TimelineEvent.Fate.DROPPED,
                    "BEGIN; CREATE TABLE d2 (x int); DROP TABLE d; ALTER TABLE d2 RENAME TO d;"
                            + " COMMIT");
            cluster.sql("VACUUM FULL pg_class", "SELECT pg_create_restore_point('fates')");
            change(cluster, expected, "d", TimelineEvent.Fate.REWRITTEN, "VACUUM FULL d");
            change(
                    cluster,
                    expected,
                    "a",
                    TimelineEvent.Fate.DROPPED,
                    "BEGIN; SAVEPOINT s; DROP TABLE a; RELEASE s; CREATE TABLE a (y int); COMMIT");
            cluster.sql("SELECT pg_switch_wal()", "CREATE TABLE z (x int)", "CHECKPOINT");
            Lsn end = Lsn.parse(cluster.value("SELECT pg_current_wal_flush_lsn()"));

            WalTimeline timeline = new WalTimeline(RelationNames.NONE);
            List<WalSummary> summaries = summaries(wal(cluster, MIB), start, end);
            summaries.forEach(timeline::accept);
            Map<Long, TimelineEvent.Fate> found = new HashMap<>();
            for (TimelineEvent event : timeline.events()) {
                if (event instanceof TimelineEvent.RelationChanged change) {
                    found.put(change.file().number(), change.fate());
                }
            }
            assertThat(found).containsAllEntriesOf(expected);
            searchForTargets(cluster, summaries, start);
        }
    }

    private static void change(
            TestCluster cluster,
            Map<Long, TimelineEvent.Fate> expected,
            String relation,
            TimelineEvent.Fate fate,
            String sql) {
        expected.put(
                Long.parseLong(cluster.value("SELECT pg_relation_filenode('" + relation + "')")),
                fate);
        cluster.sql(sql);
    }

    private static List<WalSummary> summaries(WalSource source, Lsn start, Lsn end) {
        WalReader reader = WalReader.seek(source, WalLayout.of(MIB), start);
        WalSegment first = WalSegment.containing(TimelineId.of(1), start, MIB);
        WalSummariser summariser = WalSummariser.begin(first, PgClassFiles.initial());
        List<WalSummary> found = new ArrayList<>();
        while (reader.next() instanceof WalRecord record && record.lsn().isBefore(end)) {
            found.addAll(summariser.accept(record));
        }
        for (WalSummary summary : found) {
            assertThat(WalSummary.decode(summary.encode())).isEqualTo(summary);
            assertThat(summary.readWhole()).isEmpty();
        }
        assertThat(
                        WalSummariser.summarise(
                                found.get(1).segment(),
                                source,
                                WalLayout.of(MIB),
                                PgClassFiles.initial()))
                .isEqualTo(found.get(1));
        return found;
    }

    private static void searchForTargets(
            TestCluster cluster, List<WalSummary> summaries, Lsn start) {
        WalTarget name = new WalTarget.AtName("fates");
        WalReader reader = WalReader.seek(wal(cluster, MIB), WalLayout.of(MIB), start);
        assertThat(WalSearch.find(reader, name)).isInstanceOf(WalSearch.Reached.class);
        assertThat(summaries)
                .anyMatch(summary -> WalSearch.isReachedIn(summary, name).orElse(false));
        WalReader again = WalReader.seek(wal(cluster, MIB), WalLayout.of(MIB), start);
        assertThat(WalSearch.find(again, new WalTarget.AtName("never")))
                .isInstanceOf(WalSearch.NotReached.class);
    }
}
