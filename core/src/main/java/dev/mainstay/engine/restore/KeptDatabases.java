package dev.mainstay.engine.restore;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.NearestName;
import dev.mainstay.postgres.cluster.CatalogEntry;
import dev.mainstay.postgres.cluster.CatalogLine;
import dev.mainstay.postgres.cluster.RelationFile;
import dev.mainstay.postgres.wal.WalEvent;
import dev.mainstay.repository.BackupReader;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.ManifestEntry.Content;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// Which databases a restore brings back. The relation files of all others become sparse files of
/// their size without content, and the databases are dropped once the server has recovered.
///
/// That replay gets over pages without content rests on full-page images: the first change of a
/// page since the backup's beginning brings the page along, so no other record ever needs what a
/// sparse file does not hold. Where `full_page_writes` was off in between this does not hold, and
/// nothing is restored. The few records that name a page and bring no image of it even so (such as
/// "all visible" in a cluster without checksums) are what `ignore_invalid_pages` is for.
///
/// What initdb made (`template0`, `template1`, `postgres`, which nothing can do without), whatever
/// has one of these names now, and what all databases share is always kept.
public final class KeptDatabases {
    private static final long FIRST_NORMAL_OID = 16_384;
    private static final Set<String> ALWAYS = Set.of("template0", "template1", "postgres");
    private static final Pattern FILE =
            Pattern.compile("(?:base|pg_tblspc/\\d+/PG_[^/]+)/(\\d+)/([^/]+)");
    private static final KeptDatabases ALL =
            new KeptDatabases(true, Map.of(), Set.of(), new RestorePlan.Volume(0, ByteSize.of(0)));

    private final boolean everything;
    private final Map<Long, String> names;
    private final Set<Long> kept;
    private final RestorePlan.Volume leftOut;

    private KeptDatabases(
            boolean everything,
            Map<Long, String> names,
            Set<Long> kept,
            RestorePlan.Volume leftOut) {
        this.everything = everything;
        this.names = names;
        this.kept = kept;
        this.leftOut = leftOut;
    }

    /// Every database.
    public static KeptDatabases all() {
        return ALL;
    }

    /// The ones of these names and what cannot be left out, for a restore that is planned.
    ///
    /// @throws MainstayException RESTORE_DATABASE_UNKNOWN naming the nearest one;
    ///   RESTORE_PAGE_IMAGES if replay could meet pages without content; what the repository says
    public static KeptDatabases choose(
            ProtectedSource source, RestorePlan plan, Collection<String> wanted) {
        Map<Long, String> names = new TreeMap<>();
        try (BackupReader reader = source.read(plan.backup())) {
            reader.catalog(
                    lines ->
                            CatalogLine.parseAll(
                                    lines,
                                    entry -> {
                                        if (entry instanceof CatalogEntry.Database database) {
                                            names.put(database.oid(), database.name());
                                        }
                                    }));
        }
        Set<Long> kept = new TreeSet<>();
        names.forEach(
                (oid, name) -> {
                    if (oid < FIRST_NORMAL_OID || ALWAYS.contains(name) || wanted.contains(name)) {
                        kept.add(oid);
                    }
                });
        wanted.forEach(name -> demandKnown(name, names, plan));
        demandPageImages(source, plan, kept);
        KeptDatabases chosen =
                new KeptDatabases(false, Map.copyOf(names), Set.copyOf(kept), none());
        return new KeptDatabases(
                false, Map.copyOf(names), Set.copyOf(kept), chosen.measure(source, plan));
    }

    private static RestorePlan.Volume none() {
        return ALL.leftOut;
    }

    private static void demandKnown(String name, Map<Long, String> names, RestorePlan plan) {
        if (names.containsValue(name)) {
            return;
        }
        throw new MainstayException(
                ErrorCode.RESTORE_DATABASE_UNKNOWN,
                "backup "
                        + plan.backup().id()
                        + " has no database '"
                        + name
                        + "'"
                        + NearestName.of(name, names.values())
                                .map(nearest -> "; did you mean '" + nearest + "'?")
                                .orElse(
                                        ": it has "
                                                + String.join(
                                                        ", ", new TreeSet<>(names.values()))));
    }

    /// Also keeps what the log copies file by file into a database that is kept.
    private static void demandPageImages(ProtectedSource source, RestorePlan plan, Set<Long> kept) {
        boolean[] checkpoint = {false};
        List<WalEvent.DatabaseCreated> copies = new ArrayList<>();
        new ReplayedLog(source, plan)
                .events(
                        event -> {
                            switch (event) {
                                case WalEvent.Checkpoint each -> {
                                    checkpoint[0] = true;
                                    demandOn(each.fullPageWrites(), plan);
                                }
                                case WalEvent.FullPageWritesChanged(boolean on) ->
                                        demandOn(on, plan);
                                case WalEvent.DatabaseCreated copy -> copies.add(copy);
                                default -> {}
                            }
                        });
        if (!checkpoint[0]) {
            demandOn(false, plan);
        }
        for (WalEvent.DatabaseCreated copy : copies.reversed()) {
            if (kept.contains(copy.database())) {
                copy.template().ifPresent(template -> kept.add(template.database()));
            }
        }
    }

    private static void demandOn(boolean fullPageWrites, RestorePlan plan) {
        if (!fullPageWrites) {
            throw new MainstayException(
                    ErrorCode.RESTORE_PAGE_IMAGES,
                    "single databases cannot be restored from backup "
                            + plan.backup().id()
                            + ": full_page_writes was off in the log that would be replayed");
        }
    }

    private RestorePlan.Volume measure(ProtectedSource source, RestorePlan plan) {
        long[] sum = {0, 0};
        try (BackupReader reader = source.read(plan.backup())) {
            reader.entries(
                    entry -> {
                        if (leavesOut(entry)) {
                            sum[0]++;
                            sum[1] += entry.sizeBytes();
                        }
                    });
        }
        return new RestorePlan.Volume(sum[0], ByteSize.of(sum[1]));
    }

    public boolean isEverything() {
        return everything;
    }

    /// Whether an entry is a relation's file of a database that is not kept.
    boolean leavesOut(ManifestEntry entry) {
        boolean file =
                switch (entry.content()) {
                    case Content.Directory _, Content.Link _ -> false;
                    case Content.Paged _, Content.Chunked _ -> true;
                };
        return file && !everything && isOfOther(entry.path());
    }

    private boolean isOfOther(String path) {
        Matcher matcher = FILE.matcher(path);
        if (!matcher.matches()) {
            return false;
        }
        long database = Long.parseLong(matcher.group(1));
        return !kept.contains(database)
                && RelationFile.parse(RelationFile.DEFAULT_TABLESPACE, database, matcher.group(2))
                        .isPresent();
    }

    /// OIDs of the databases that are whole.
    public Set<Long> oids() {
        return kept;
    }

    /// The OID of a database by its name in the backup.
    public Optional<Long> oid(String name) {
        return names.entrySet().stream()
                .filter(each -> each.getValue().equals(name))
                .map(Map.Entry::getKey)
                .findFirst();
    }

    /// Whole databases by name.
    public List<String> names() {
        return named(true);
    }

    /// Databases without content, by name as the backup knows them.
    public List<String> leftOutNames() {
        return named(false);
    }

    private List<String> named(boolean whole) {
        return names.entrySet().stream()
                .filter(each -> kept.contains(each.getKey()) == whole)
                .map(Map.Entry::getValue)
                .sorted()
                .collect(Collectors.toList());
    }

    /// What drops the others once the server has recovered.
    public List<String> statements() {
        return leftOutNames().stream()
                .flatMap(name -> Databases.statements(name).stream())
                .map(statement -> statement + ";")
                .toList();
    }

    /// What is not written.
    public RestorePlan.Volume leftOut() {
        return leftOut;
    }

    /// The plan with what it really writes.
    public RestorePlan reduce(RestorePlan plan) {
        return new RestorePlan(
                plan.request(),
                plan.backup(),
                plan.details(),
                plan.replay(),
                new RestorePlan.Volume(
                        plan.volume().files(),
                        ByteSize.of(plan.volume().size().bytes() - leftOut.size().bytes())),
                plan.tablespaces(),
                plan.warnings());
    }
}
